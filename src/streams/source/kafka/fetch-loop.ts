import { backoff } from './backoff.ts'
import type { Cluster, Use } from './cluster.ts'
import { deliverInOrder, type Fetched } from './deliver-in-order.ts'
import { explain } from './failures.ts'
import type { LivePartition } from './live-partition.ts'
import type { LiveTopic } from './live-topic.ts'
import { type NearestReplicas, placeOf } from './nearest-replicas.ts'
import type { PositionChecks } from './position-checks.ts'
import { ErrorCode, isStale, sentenceOf } from './protocol/error-codes.ts'
import { type FetchedPartition, type FetchResponse, fetchRecords, type WantedRecords } from './protocol/fetch.ts'
import { type RecordSet, readRecordSet } from './protocol/record-set.ts'

/** Longest wait of a fetch that finds nothing: as late may a partition be fetched that was held or has moved here. */
const MAX_WAIT_MS = 500
/** As long, while a partition cannot be asked for since its records are being delivered. */
const SHORT_WAIT_MS = 10
const MIN_BYTES = 1
/** Batches of a partition that wait to be delivered. With fewer the next one is fetched meanwhile. */
const MAX_PENDING = 2
/** Beyond its own wait a fetch takes some milliseconds. The broker may have frozen, or its network is gone. */
const ANSWER_TIMEOUT_MS = MAX_WAIT_MS + 3_000
/** A fetch this late is unusual: its partitions may have moved to another broker. */
const SLOW_MS = MAX_WAIT_MS + 500
/** A fetch this late tells nothing of what happened to the log meanwhile. */
const LATE_MS = 5_000
/**
 * Of one partition: some hundred events. All instances then read the partitions in nearly the same order, so that a
 * client that changes the instance soon shares the frames of its group. A larger record batch is returned all the same.
 */
const PARTITION_BYTES = 128 * 1024
/** Of one response, as transferred. The reader holds two of these for each broker. */
const RESPONSE_BYTES = 8 * 1024 * 1024
/** Responses in a row without a whole record batch. The first batch of a response is whole, unless its length is damaged. */
const MAX_CUT_SHORT = 100
const NO_WHOLE_BATCH = 'Kafka returns no whole record batch, as if its length was damaged'
/** Without partitions, or with none that may be fetched. Whoever changes that wakes the loop. */
const IDLE_MS = 1_000

export interface FetchLoopOptions {
  readonly nodeId: number
  readonly use: Use
  readonly cluster: Cluster
  readonly nearest: NearestReplicas
  readonly checks: PositionChecks
  readonly rack: string
  /** The partitions that are read from this broker. */
  readonly partitions: () => LivePartition[]
  /** The leaders have to be looked up again. */
  readonly lookUpSoon: () => void
  /** Partitions have moved to another broker. */
  readonly changed: () => void
  readonly throttled: (ms: number) => void
}

/** Where a fetch began. */
interface Place {
  readonly offset: number
  readonly era: number
}
interface Sent {
  readonly at: number
  readonly partitions: ReadonlyMap<LivePartition, Place>
}
type Answer = Sent & ({ readonly response: FetchResponse } | { readonly error: Error })
/** In an object, since an asynchronous function would wait for it. */
interface Next {
  readonly next: Promise<Answer> | undefined
}

/**
 * Fetches from one broker: one request under way, for all partitions that are read from it. The next request is sent
 * before the records of the last response are delivered, so that the broker works meanwhile.
 */
export class FetchLoop {
  readonly #options: FetchLoopOptions
  #isStopped = false
  #wake: (() => void) | undefined
  /** No request before this time: the broker has asked for that, or the last one failed. */
  #restUntil = 0
  #failures = 0
  #served = 0
  #sentAt: number | undefined

  constructor(options: FetchLoopOptions) {
    this.#options = options
  }

  /** A partition may be fetched that could not be. */
  wake(): void {
    this.#wake?.()
  }

  isSlow(now: number): boolean {
    return this.#sentAt !== undefined && now - this.#sentAt > SLOW_MS
  }

  stop(): void {
    this.#isStopped = true
    this.#wake?.()
  }

  /** Resolves after `stop`, when nothing is delivered any more. Never rejects. */
  async run(): Promise<void> {
    let pending: Promise<Answer> | undefined
    while (!this.#isStopped) {
      pending ??= this.#send()
      if (!pending) {
        await this.#pause(this.#idleMs())
        continue
      }
      const answer = await pending
      pending = undefined
      this.#sentAt = undefined
      if (this.#isStopped) return
      if ('error' in answer) this.#failed(answer, answer.error)
      else pending = (await this.#take(answer, answer.response)).next
    }
  }

  #send(): Promise<Answer> | undefined {
    const { nodeId, use, cluster, nearest, rack } = this.#options
    const now = Date.now()
    if (this.#isStopped || now < this.#restUntil) return undefined
    const certain = this.#options.partitions().filter((each) => each.isCertain && each.retryAt <= now)
    const ready = certain.filter(({ pending }) => pending < MAX_PENDING)
    if (ready.length === 0) return undefined
    // A broker fills its response in the order of the request: who has had records last comes last.
    ready.sort((a, b) => a.servedAt - b.servedAt)
    const wanted = ready.map(({ topic, partition, fetchOffset, leader, leaderEpoch }): WantedRecords => {
      const epoch = leader === nodeId ? leaderEpoch : -1
      return { topic: topic.name, partition, offset: fetchOffset, leaderEpoch: epoch, maxBytes: PARTITION_BYTES }
    })
    const sent: Sent = {
      at: now,
      partitions: new Map(ready.map((each) => [each, { offset: each.fetchOffset, era: each.era }])),
    }
    const maxWaitMs = ready.length < certain.length ? SHORT_WAIT_MS : MAX_WAIT_MS
    // A leader that knows the rack returns no records of a partition that has a nearer replica.
    const isAvoided = ready.some(({ topic, partition }) => nearest.isAvoided(topic.name, partition))
    const options = { maxWaitMs, minBytes: MIN_BYTES, maxBytes: RESPONSE_BYTES, rack: isAvoided ? '' : rack }
    this.#sentAt = now
    const ask = async () => cluster.connection(nodeId, use).ask(fetchRecords(wanted, options), ANSWER_TIMEOUT_MS)
    return ask().then(
      (response): Answer => ({ ...sent, response }),
      (error: Error): Answer => ({ ...sent, error }),
    )
  }

  /** Time until a partition may be fetched again. */
  #idleMs(): number {
    const now = Date.now()
    if (now < this.#restUntil) return this.#restUntil - now
    const waiting = this.#options.partitions().filter((each) => each.isCertain && each.retryAt > now)
    return Math.min(IDLE_MS, ...waiting.map(({ retryAt }) => retryAt - now))
  }

  #failed({ partitions }: Sent, error: Error): void {
    const { cluster, nodeId, lookUpSoon } = this.#options
    cluster.failed(nodeId)
    for (const { topic } of partitions.keys()) topic.failedSince(explain(error))
    for (const partition of partitions.keys()) partition.topic.doubt(partition)
    this.#restUntil = Date.now() + backoff(this.#failures++)
    lookUpSoon()
  }

  /** @returns the next request, if it is already under way. */
  async #take({ at, partitions }: Sent, response: FetchResponse): Promise<Next> {
    const now = Date.now()
    this.#failures = 0
    if (now - at > LATE_MS) {
      for (const partition of partitions.keys()) partition.topic.doubt(partition)
      this.#options.lookUpSoon()
    }
    if (response.throttleMs > 0) this.#throttle(response.throttleMs, now, partitions.keys())
    const asked = new Map(
      [...partitions].map(([each, from]) => [placeOf(each.topic.name, each.partition), { each, from }]),
    )
    const fetched: Fetched[] = []
    for (const answer of response.partitions) {
      const { each, from } = asked.get(placeOf(answer.topic, answer.partition)) ?? {}
      if (each === undefined || from === undefined || !isWanted(each, from)) continue
      const set = await this.#read(each, from.offset, answer, now)
      if (!set || !isWanted(each, from)) continue
      each.fetchOffset = set.nextOffset as number
      each.pending++
      fetched.push({ partition: each, ...from, set, endOffset: answer.lastStableOffset })
    }
    const next = fetched.length > 0 ? this.#send() : undefined
    for (const topic of topicsOf(partitions.keys())) if (!topic.isReading) topic.tell(now)
    for (const each of fetched) deliverInOrder(each, () => this.wake())
    return { next }
  }

  /** What is new in the answer about a partition; undefined: nothing, or an error, which has been seen to. */
  async #read(
    partition: LivePartition,
    offset: number,
    answer: FetchedPartition,
    now: number,
  ): Promise<RecordSet | undefined> {
    if (answer.error !== ErrorCode.NONE) {
      this.#refused(partition, answer.error, now)
      return undefined
    }
    if (answer.preferredReadReplica >= 0) {
      this.#options.nearest.prefer(answer.topic, answer.partition, answer.preferredReadReplica)
      this.#options.changed()
    }
    try {
      const read =
        answer.set.length === 0 ? undefined : readRecordSet(answer.set, partition.partition, offset, answer.aborted)
      const set = read instanceof Promise ? await read : read
      partition.answeredAt = now
      partition.trouble = undefined
      partition.failures = 0
      if (set === undefined) return undefined
      if (set.nextOffset === undefined || set.nextOffset <= offset) {
        // Not even one whole batch: it was not the first in the response. It comes first in the next.
        if (++partition.cutShort > MAX_CUT_SHORT) this.#troubled(partition, NO_WHOLE_BATCH, now)
        return undefined
      }
      partition.cutShort = 0
      partition.servedAt = ++this.#served
      return set
    } catch (error) {
      this.#troubled(partition, explain(error as Error), now)
      return undefined
    }
  }

  #refused(partition: LivePartition, code: number, now: number): void {
    const { nearest, checks, changed, lookUpSoon } = this.#options
    const { topic } = partition
    // The leader knows better than its replica.
    if (nearest.avoid(topic.name, partition.partition)) changed()
    else if (code === ErrorCode.OFFSET_OUT_OF_RANGE) checks.look(partition)
    else if (!isStale(code)) this.#troubled(partition, sentenceOf(code), now)
    else {
      topic.failedSince(sentenceOf(code))
      topic.doubt(partition)
      partition.retryAt = now + backoff(partition.failures++)
      lookUpSoon()
    }
  }

  /** It waits alone, and is tried again: who can change it has to know its name. */
  #troubled(partition: LivePartition, reason: string, now: number): void {
    partition.trouble = reason
    partition.retryAt = now + backoff(partition.failures++)
    partition.topic.tell(now)
  }

  #throttle(ms: number, now: number, partitions: Iterable<LivePartition>): void {
    this.#restUntil = now + ms
    this.#options.throttled(ms)
    for (const topic of topicsOf(partitions)) topic.throttledUntil = this.#restUntil
  }

  async #pause(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const timer = setTimeout(resolve, ms)
    this.#wake = resolve
    await promise
    clearTimeout(timer)
    this.#wake = undefined
  }
}

/** A fetch counts only from the wanted offset of this log, or behind what is being delivered from there. */
function isWanted(partition: LivePartition, { offset, era }: Place): boolean {
  return partition.isCertain && !partition.topic.isOver && partition.fetchOffset === offset && partition.era === era
}

function topicsOf(partitions: Iterable<LivePartition>): ReadonlySet<LiveTopic> {
  return new Set(Iterator.from(partitions).map(({ topic }) => topic))
}
