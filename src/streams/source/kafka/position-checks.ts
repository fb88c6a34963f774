import { gapAt } from '../gap-at.ts'
import type { FetchedRecords, PartitionRange, Source } from '../port.ts'
import { backoff, pause } from './backoff.ts'
import type { Cluster } from './cluster.ts'
import type { LivePartition } from './live-partition.ts'
import type { Offsets } from './offsets.ts'
import { ErrorCode, isStale } from './protocol/error-codes.ts'
import { type EpochEnd, offsetForLeaderEpoch } from './protocol/leader-epoch.ts'

/** Grace period: the log may end before the wanted offset on a new leader that still catches up. */
const TRUNCATION_GRACE_MS = 2_000
const LOOK_AGAIN_MS = 250
const ANSWER_TIMEOUT_MS = 3_000
/** One record is needed. It is returned with the rest of its record batch. */
const RECORD_BYTES = 1

export interface PositionChecksOptions {
  readonly cluster: Cluster
  readonly offsets: Offsets
  readonly fetch: Source['fetch']
  readonly closed: AbortSignal
  readonly warn: (message: string, extra: object) => void
  /** A partition may be read on. */
  readonly changed: () => void
  /** The leaders have to be looked up again. */
  readonly lookUpSoon: () => void
}

/**
 * Checks whether the log still has what was read of it, or was truncated or recreated meanwhile. A partition that is
 * checked is held, however long that takes; the others continue.
 */
export class PositionChecks {
  readonly #options: PositionChecksOptions

  constructor(options: PositionChecksOptions) {
    this.#options = options
  }

  /** The log does not hold the wanted offset: reports the gap, and continues after it. */
  look(partition: LivePartition): void {
    if (!partition.isHeld) void this.#hold(partition, () => this.#findGap(partition))
  }

  /** The topic was recreated: all of the new log is unread. */
  recreated(partition: LivePartition): void {
    void this.#hold(partition, () => this.#passToOther(partition))
  }

  /** Compares the log with the last delivered record, where the broker has no topic ids. */
  compare(partition: LivePartition): void {
    if (!partition.isHeld) void this.#hold(partition, () => this.#compare(partition))
  }

  /**
   * After elections: asks the new leaders whether their logs go as far as was read (KIP-320). A partition stays unread
   * until its leader has said so.
   */
  async epochs(partitions: readonly LivePartition[]): Promise<void> {
    const asked = [...Map.groupBy(partitions, ({ leader }) => leader)].filter(([leader]) => leader >= 0)
    await Promise.all(asked.map(([leader, led]) => this.#askEpochs(leader, led)))
  }

  async #askEpochs(leader: number, partitions: readonly LivePartition[]): Promise<void> {
    const wanted = partitions.map(({ topic, partition, leaderEpoch, readEpoch }) => {
      return { topic: topic.name, partition, currentLeaderEpoch: leaderEpoch, leaderEpoch: readEpoch }
    })
    const epochs = wanted.map(({ currentLeaderEpoch }) => currentLeaderEpoch)
    let ends: readonly EpochEnd[] = []
    try {
      const connection = this.#options.cluster.connection(leader, 'control')
      ends = await connection.ask(offsetForLeaderEpoch(wanted), ANSWER_TIMEOUT_MS)
    } catch (error) {
      const topics = [...new Set(wanted.map(({ topic }) => topic))]
      this.#options.warn('A new leader has not said where its log ends; trying again', { topics, err: error })
    }
    for (const [at, partition] of partitions.entries()) {
      const { topic } = partition
      const end = ends.find((each) => each.topic === topic.name && each.partition === partition.partition)
      // It was asked of a leader that is no longer the leader.
      if (topic.isOver || partition.leaderEpoch !== epochs[at] || !partition.needsEpochCheck) continue
      if (!end || isStale(end.error)) {
        this.#options.lookUpSoon()
        continue
      }
      void this.#hold(partition, async () => {
        partition.needsEpochCheck = false
        // Refused, or an epoch that this leader has never heard of.
        if (end.error !== ErrorCode.NONE || end.endOffset < 0) await this.#compare(partition)
        else if (end.endOffset < partition.offset) {
          topic.passGap(partition, { to: end.endOffset, reason: 'truncation' })
        }
      })
    }
  }

  async #hold(partition: LivePartition, check: () => Promise<void>): Promise<void> {
    partition.checks++
    try {
      // What is being taken comes before what is found: the position is known then.
      await partition.delivering
      if (!this.#isOver(partition)) await check()
    } catch (error) {
      // An exception of ours: the partition continues at its position, and is checked again if necessary.
      partition.topic.fault(error, partition)
    } finally {
      partition.checks--
      partition.fetchOffset = partition.offset
    }
    if (this.#isOver(partition)) return
    partition.topic.tell(Date.now())
    this.#options.changed()
  }

  async #findGap(partition: LivePartition): Promise<void> {
    const { topic } = partition
    const since = Date.now()
    while (!this.#isOver(partition)) {
      const range = await this.#rangeOf(partition)
      const gap = range && gapAt(partition.offset, range)
      if (!range || this.#isOver(partition)) return
      if (!gap) return void (await pause(LOOK_AGAIN_MS, this.#options.closed))
      if (gap.reason === 'retention' || Date.now() - since >= TRUNCATION_GRACE_MS) return topic.passGap(partition, gap)
      await pause(LOOK_AGAIN_MS, this.#options.closed)
    }
  }

  async #passToOther(partition: LivePartition): Promise<void> {
    const range = await this.#rangeOf(partition)
    if (range) partition.topic.passGap(partition, { to: range.earliest, reason: 'truncation' })
  }

  async #compare(partition: LivePartition): Promise<void> {
    const { last, topic } = partition
    const { fetch, closed } = this.#options
    const found =
      last &&
      (await this.#insist(partition, () => fetch(topic.name, partition.partition, last.offset, RECORD_BYTES, closed)))
    if (this.#isOver(partition)) return
    partition.isDoubted = false
    if (!last || !found) return
    const likeness = compare(found, last, partition.offset)
    if (likeness === 'another') await this.#passToOther(partition)
    else if (likeness === 'shorter') await this.#findGap(partition)
  }

  #rangeOf(partition: LivePartition): Promise<PartitionRange | undefined> {
    return this.#insist(partition, () => this.#options.offsets.range(partition.topic.name, partition.partition))
  }

  /** Retries until there is an answer; undefined once it is not wanted any more. */
  async #insist<T>(partition: LivePartition, ask: () => Promise<T>): Promise<T | undefined> {
    const { warn, closed } = this.#options
    for (let attempt = 0; !this.#isOver(partition); attempt++) {
      try {
        return await ask()
      } catch (error) {
        if (this.#isOver(partition)) break
        const place = { topic: partition.topic.name, partition: partition.partition }
        warn('What a partition holds could not be found out; trying again', { ...place, err: error })
        await pause(backoff(attempt), closed)
      }
    }
    return undefined
  }

  #isOver(partition: LivePartition): boolean {
    return this.#options.closed.aborted || partition.topic.isOver
  }
}

/**
 * - `same`: the record is at its offset.
 * - `another`: a different record is at its offset.
 * - `shorter`: the log ends before the wanted offset, so that either may be true.
 * - `unknown`: no record is at its offset any more (retention, compaction).
 */
type Likeness = 'same' | 'another' | 'shorter' | 'unknown'

/** Compares a log with a delivered record. `fetched` is the log from the record's offset on. */
function compare(
  fetched: FetchedRecords,
  { offset, timestamp }: { readonly offset: number; readonly timestamp: number },
  wanted: number,
): Likeness {
  const record = fetched.kind === 'records' ? fetched.records.find((each) => each.offset === offset) : undefined
  // Records of the oldest format have no timestamp, which is NaN on both sides.
  if (record) return Object.is(record.timestamp, timestamp) ? 'same' : 'another'
  const end = fetched.kind === 'records' ? fetched.endOffset : fetched.range.next
  return end < wanted ? 'shorter' : 'unknown'
}
