import { MAX_PARTITIONS } from '../../cursor/vector.ts'
import type { Positions } from '../../event.ts'
import { type PartitionRange, SourceUnavailable } from '../port.ts'
import { pause } from './backoff.ts'
import type { Cluster } from './cluster.ts'
import { unavailable } from './failures.ts'
import { OffsetRequests } from './offset-requests.ts'
import { ErrorCode, isStale, KafkaError } from './protocol/error-codes.ts'
import { EARLIEST, LATEST, type WantedOffset } from './protocol/list-offsets.ts'

/** An election takes some hundred milliseconds, and a broker learns of a new topic a moment after the others. */
const TRIES = 8
const WAIT_MS = 150

export function tooManyPartitions(topic: string, partitions: number): string {
  return `Topic "${topic}" has ${partitions} partitions, and ${MAX_PARTITIONS} are the most there may be`
}

/** Questions about the offsets of a topic: one request to each leader, whatever the number of partitions. */
export class Offsets {
  readonly #cluster: Cluster
  readonly #requests: OffsetRequests
  readonly #closed: AbortSignal

  constructor(cluster: Cluster, closed: AbortSignal) {
    this.#cluster = cluster
    this.#requests = new OffsetRequests(cluster)
    this.#closed = closed
  }

  /** @throws SourceUnavailable as `Source.ranges` does. */
  async ranges(topic: string): Promise<PartitionRange[]> {
    return this.#insist(topic, (partitions) => this.#rangesOf(topic, partitions))
  }

  /** By partition the log end offset under `read_committed`. @throws SourceUnavailable */
  async ends(topic: string): Promise<Positions> {
    return this.#insist(topic, async (partitions) => byPartition(await this.#at(topic, partitions, LATEST)))
  }

  /** @throws SourceUnavailable as `Source.offsetsAt` does. */
  async at(topic: string, timestamp: number): Promise<Positions> {
    return this.#insist(topic, async (partitions) => {
      // Negative timestamps have special meanings.
      const found = await this.#at(topic, partitions, Math.max(0, Math.ceil(timestamp)))
      if ([...found.values()].every((offset) => offset >= 0)) return byPartition(found)
      const ends = await this.#at(topic, partitions, LATEST)
      return byPartition(
        found.entries().map(([each, offset]) => [each, offset < 0 ? (ends.get(each) as number) : offset]),
      )
    })
  }

  /** The range of one partition. @throws SourceUnavailable */
  async range(topic: string, partition: number): Promise<PartitionRange> {
    return this.#insist(topic, async (partitions) => {
      if (!partitions.includes(partition)) throw new SourceUnavailable(`Topic "${topic}" has no partition ${partition}`)
      return (await this.#rangesOf(topic, [partition]))[0] as PartitionRange
    })
  }

  async #rangesOf(topic: string, partitions: readonly number[]): Promise<PartitionRange[]> {
    const [earliest, latest] = await Promise.all([
      this.#at(topic, partitions, EARLIEST),
      this.#at(topic, partitions, LATEST),
    ])
    return partitions.map((partition) => ({
      partition,
      earliest: earliest.get(partition) as number,
      next: Math.max(earliest.get(partition) as number, latest.get(partition) as number),
    }))
  }

  async #at(topic: string, partitions: readonly number[], timestamp: number): Promise<Map<number, number>> {
    const leaders = Map.groupBy(partitions, (partition) => this.#leaderOf(topic, partition))
    const answers = await Promise.all(
      [...leaders].map(([leader, led]) => {
        const wanted = led.map((partition): WantedOffset => ({ topic, partition, timestamp }))
        return this.#requests.ask(leader, topic, wanted)
      }),
    )
    const offsets = new Map<number, number>()
    for (const { partition, error, offset } of answers.flat()) {
      if (error !== ErrorCode.NONE) throw new KafkaError(error)
      offsets.set(partition, offset)
    }
    const missing = partitions.find((partition) => !offsets.has(partition))
    if (missing === undefined) return offsets
    throw new SourceUnavailable(`Kafka did not say what partition ${missing} of "${topic}" holds`)
  }

  #leaderOf(topic: string, partition: number): number {
    const found = this.#cluster.topic(topic)?.partitions.find((each) => each.partition === partition)
    if (!found || found.leader < 0) throw new KafkaError(ErrorCode.LEADER_NOT_AVAILABLE)
    return found.leader
  }

  /** Asks for the partitions of the topic, and retries what a moment may change. */
  async #insist<T>(topic: string, ask: (partitions: readonly number[]) => Promise<T>): Promise<T> {
    for (let tries = 1; ; tries++) {
      try {
        return await ask(await this.#partitionsOf(topic))
      } catch (error) {
        if (this.#closed.aborted) throw new SourceUnavailable('The connection to Kafka is closed')
        const mayChange =
          !(error instanceof SourceUnavailable) && !(error instanceof KafkaError && !isStale(error.code))
        if (!mayChange || tries === TRIES) throw unavailable(error)
        await pause(WAIT_MS, this.#closed)
      }
    }
  }

  async #partitionsOf(topic: string): Promise<number[]> {
    await this.#requests.lookUp(topic)
    const known = this.#cluster.topic(topic)
    if (!known || known.error !== ErrorCode.NONE)
      throw new KafkaError(known?.error ?? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
    if (known.partitions.length > MAX_PARTITIONS) {
      throw new SourceUnavailable(tooManyPartitions(topic, known.partitions.length))
    }
    return known.partitions.map(({ partition }) => partition).sort((a, b) => a - b)
  }
}

function byPartition(offsets: Iterable<readonly [number, number]>): Positions {
  return new Map([...offsets].sort(([a], [b]) => a - b))
}
