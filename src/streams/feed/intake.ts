import type { Logger } from 'pino'
import type { Fingerprint } from '../cursor/cursor.ts'
import { type Gap, type Positions, type RawRecord, type StreamEvent, valueLengthOf } from '../event.ts'
import type { Batch, PartitionRange, Source } from '../source/port.ts'
import type { DeadLetters } from '../topic/dead-letters.ts'
import { type DecodeFailure, type DecodeOptions, decode, type Skipped } from '../topic/decode.ts'
import type { TopicFaults } from '../topic/faults.ts'
import type { Preparation } from '../topic/preparation.ts'
import type { Topic } from '../topic/topic.ts'
import { LIVE, LOOK_EVERY } from '../turn-budget.ts'
import { byTime, type FilledPartition, type FillOptions, newestEvents } from './fill.ts'
import type { Heads } from './heads.ts'
import type { Interests } from './interests.ts'
import type { Past } from './past.ts'
import { Rate } from './rate.ts'
import type { Window } from './window.ts'

/** Follows a feed record by record, also those that are no events. */
export interface RecordFollower<V> {
  onEvent(event: StreamEvent<V>): void
  /** A tombstone, or a record that cannot be read. */
  onOther(record: RawRecord): void
  /** Records were lost, or replaced. The feed's position is still the one before the gap. */
  onGap(gap: Gap): void
  /** A batch, or a part of one, has been passed. */
  onProgress(): void
}

/** The feed as its intake uses it. */
interface IntakeFeed<V> {
  readonly topic: Topic<V>
  readonly window: Window<V>
  readonly poison: DeadLetters
  readonly faults: TopicFaults
}

interface IntakeOptions<V> {
  readonly heads: Heads
  readonly interests: Interests<V>
  readonly past: Past<V>
  readonly log: Logger
  readonly preparation: Preparation | undefined
  readonly maxEventBytes: number | undefined
  /** False: reading has ended. */
  readonly isWanted: () => boolean
  /** Aborted then. */
  readonly signal: AbortSignal
}

/** A record of 512 bytes is two units of work (see turn-budget.ts). */
const UNIT_BYTES_LOG_2 = 9

/**
 * Intake of a feed: decodes the records of each batch, adds them to the window, moves the position, and notifies the
 * interests. Batches and gaps are serialized.
 */
export class Intake<V> implements IntakeFeed<V> {
  readonly topic: Topic<V>
  readonly window: Window<V>
  readonly poison: DeadLetters
  readonly faults: TopicFaults
  readonly rate = new Rate()
  /** Events decoded since the start. */
  events = 0
  /** Records without a value that were skipped. */
  tombstones = 0
  lastTombstone: { readonly partition: number; readonly offset: number; readonly at: number } | undefined
  /** The last event that was passed. */
  fingerprint: Fingerprint | undefined
  isFilled = false
  /** It is told of a record before the interests are. */
  follower: RecordFollower<V> | undefined
  readonly #options: IntakeOptions<V>
  readonly #heads: Heads
  readonly #interests: Interests<V>
  readonly #past: Past<V>
  readonly #decoding: DecodeOptions
  /** Set while a batch is taken in several turns. Later batches are chained to it. */
  #taking: Promise<void> | undefined
  /** By partition, a batch that waits for what its codec needs. */
  readonly #held = new Map<number, Promise<void>>()

  constructor({ topic, window, poison, faults }: IntakeFeed<V>, options: IntakeOptions<V>) {
    this.topic = topic
    this.window = window
    this.poison = poison
    this.faults = faults
    this.#options = options
    this.#heads = options.heads
    this.#interests = options.interests
    this.#past = options.past
    this.#decoding = {
      maxBytes: options.maxEventBytes,
      indexFailed: (error, name, { partition, offset }) =>
        faults.report(error, `The index function "${name}" failed`, { partition, offset }),
    }
  }

  /** Sets the start offsets, and the end offsets at which the window is filled. */
  begin(ranges: readonly PartitionRange[], from: Positions): void {
    this.#heads.begin(ranges, from)
    for (const { partition } of ranges) this.window.setFloor(partition, this.#heads.of(partition))
    this.isFilled = this.#heads.behind === 0
  }

  /**
   * Fills the window with the newest events, by time, so that its order resembles that of other instances, and begins
   * after them. In several turns.
   */
  async fill(source: Source, ranges: readonly PartitionRange[], young: Positions, maxBytes: number): Promise<void> {
    const onOther: FillOptions<V>['onOther'] = (record, why) => this.#pass(record, why)
    const { topic } = this
    const { signal } = this.#options
    const decoding = this.#decoding
    const { preparation } = this.#options
    const filled = await newestEvents({
      topic,
      source,
      ranges,
      young,
      maxBytes,
      signal,
      decoding,
      preparation,
      onOther,
    })
    this.#heads.begin(ranges, new Map(ranges.map(({ partition, next }) => [partition, next])))
    for (const { partition, from } of filled) this.window.setFloor(partition, from)
    await LIVE.run(this.#takeFilled(filled), this.#options.isWanted, () => {})
  }

  /** Passes a record that is no event. */
  #pass(record: RawRecord, why: DecodeFailure | Skipped): void {
    if ('skipped' in why) {
      this.tombstones++
      const { partition, offset } = record
      this.lastTombstone = { partition, offset, at: Date.now() }
    } else this.poison.take(record, why)
  }

  *#takeFilled(filled: readonly FilledPartition<V>[]): Generator<number, void> {
    const now = Date.now()
    for (const event of byTime(filled)) {
      this.events++
      this.fingerprint = event
      this.window.push(event, now)
      yield 1
    }
  }

  /** Ready when the positions have passed these. */
  aimAt(targets: Positions): void {
    this.#heads.aimAt(targets)
    this.isFilled = this.#heads.behind === 0
  }

  /**
   * Takes a batch: at once, or, if that takes too long for one turn, in several. The promise then settles when it has
   * been taken, or reading has ended. The position moves with each record.
   */
  onBatch(batch: Batch): Promise<void> | undefined {
    const { preparation, signal } = this.#options
    const missing = preparation?.attempt(batch.records, signal)
    if (missing === undefined) return this.#inOrder(() => this.#takeBatch(batch))
    const { partition } = batch
    const held = this.#hold(batch, missing).finally(() => {
      if (this.#held.get(partition) === held) this.#held.delete(partition)
    })
    this.#held.set(partition, held)
    return held
  }

  onGap(gap: Gap): void {
    const take = () => this.#inOrder(() => this.#takeGap(gap))
    // It comes after the records that are held.
    const held = this.#held.get(gap.partition)
    if (held !== undefined) void held.then(take)
    else void take()
  }

  /** Takes the records of a batch that can be decoded, and the others when they can. The other partitions go on. */
  async #hold(batch: Batch, missing: Promise<void>): Promise<void> {
    const { preparation, signal } = this.#options
    let rest = batch
    const onFailed = async (): Promise<undefined> => {
      const { records } = rest
      const ready = preparation?.ready(records, signal) ?? 0
      const next = records[ready]
      if (ready === 0 || !next) return
      const first = { ...rest, records: records.slice(0, ready), nextOffset: next.offset }
      rest = { ...rest, records: records.slice(ready) }
      await this.#inOrder(() => this.#takeBatch(first))
    }
    const place = `Partition ${batch.partition}`
    try {
      await preparation?.hold(missing, { place, records: () => rest.records, signal, onFailed })
    } catch (error) {
      if (signal.aborted) return
      throw error
    }
    await this.#inOrder(() => this.#takeBatch(rest))
  }

  /** Serializes batches: at once, or after the batch that is being taken in several turns. Taking never throws. */
  #inOrder(take: () => Iterator<number, void>): Promise<void> | undefined {
    const run = () => LIVE.run(take(), this.#options.isWanted, () => this.#tellProgress())
    const taking = this.#taking === undefined ? run() : this.#taking.then(run)
    if (taking === undefined) return undefined
    const taken = taking.then(() => {
      if (this.#taking === taken) this.#taking = undefined
    })
    this.#taking = taken
    return taken
  }

  /** Each step takes some records, and yields the units of work that they were. */
  *#takeBatch({ partition, records, nextOffset, endOffset }: Batch): Generator<number, void> {
    const now = Date.now()
    this.#know(partition)
    this.#heads.sawEnd(partition, endOffset)
    let units = 0
    for (const record of records) {
      try {
        this.#take(record, now)
      } catch (error) {
        this.faults.report(error, 'A record could not be taken', { partition, offset: record.offset })
      }
      units += 1 + (valueLengthOf(record) >> UNIT_BYTES_LOG_2)
      if (units < LOOK_EVERY) continue
      yield units
      units = 0
    }
    this.rate.count(now, records.length)
    this.#heads.movedNow(partition, now)
    if (nextOffset > this.#heads.of(partition)) this.#heads.move(partition, nextOffset)
    if (!this.isFilled) this.isFilled = this.#heads.behind === 0
    this.#tellProgress({ partition, offset: nextOffset })
  }

  #tellProgress(at?: { readonly partition: number; readonly offset: number }): void {
    this.#interests.tellProgress(at)
    this.follower?.onProgress()
  }

  #take(record: RawRecord, now: number): void {
    const event = decode(this.topic, record, this.#decoding)
    this.#heads.move(record.partition, record.offset + 1)
    if (!('kind' in event)) {
      this.#pass(record, event)
      this.follower?.onOther(record)
      return
    }
    this.events++
    this.fingerprint = event
    this.follower?.onEvent(event)
    this.#interests.tellEvent(event, this.window.push(event, now))
  }

  // biome-ignore lint/correctness/useYield: one step, in its turn among the batches
  *#takeGap(gap: Gap): Generator<number, void> {
    const { partition, to, reason } = gap
    this.#know(partition)
    this.follower?.onGap(gap)
    this.#heads.move(partition, to)
    if (reason === 'truncation') {
      this.fingerprint = undefined
      this.#past.restart()
      this.window.restart(partition, to)
    } else this.window.setFloor(partition, to)
    this.#options.log.error({ ...gap }, 'Records are gone that were still to be read')
    this.#interests.tellGap(gap)
    if (!this.isFilled) this.isFilled = this.#heads.behind === 0
  }

  #know(partition: number): void {
    const known = this.#heads.next.length
    if (!this.#heads.know(partition)) return
    for (let each = known; each <= partition; each++) this.window.setFloor(each, 0)
  }
}
