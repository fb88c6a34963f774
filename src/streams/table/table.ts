import { setTimeout as delay } from 'node:timers/promises'
import type { Logger } from 'pino'
import { SluiceError } from '../../errors/codes.ts'
import type { Vector } from '../cursor/vector.ts'
import type { RawRecord, StreamEvent } from '../event.ts'
import type { Feed, RecordFollower } from '../feed/feed.ts'
import type { PartitionRange, Source } from '../source/port.ts'
import { decode } from '../topic/decode.ts'
import type { TableLimits } from '../topic/table-limits.ts'
import type { Selection } from '../topic/where.ts'
import { Age } from './age.ts'
import { Capture, Captures } from './capture.ts'
import type { TableItem } from './item.ts'
import { loadPartition } from './load.ts'
import type { RowRecord } from './row.ts'
import { selectRows } from './rows.ts'
import { readTable, type TableReadOptions } from './table-iterator.ts'
import { TableStore, TableTooLarge } from './table-store.ts'
import { type Watcher, Watchers } from './watchers.ts'

/** Exponential backoff with jitter, between attempts to reach the log. */
const RETRY_FIRST_MS = 200
const RETRY_LAST_MS = 5_000

export type TableState =
  | { readonly kind: 'loading' }
  | { readonly kind: 'ready' }
  /** It is too large. `reason` is a sentence for clients and for `/readyz`. */
  | { readonly kind: 'refused'; readonly reason: string }

export interface TableOptions<V> {
  readonly feed: Feed<V>
  readonly limits: TableLimits
  /** The log, from which it is loaded. Without it, it has what the feed reads. */
  readonly source?: Source | undefined
  readonly maxEventBytes?: number | undefined
  readonly log: Logger
  readonly signal: AbortSignal
}

/**
 * The latest value of each key of a compacted topic. It is loaded from the oldest record on, and then follows the feed:
 * between two records it has what the log has up to the feed's position. A record that cannot be read removes its row,
 * as its former value is no longer in the log after compaction.
 */
export class Table<V = unknown> implements RecordFollower<V> {
  readonly feed: Feed<V>
  readonly store: TableStore<V>
  readonly #options: TableOptions<V>
  readonly #watchers: Watchers<V>
  readonly captures = new Captures<V>()
  readonly #age: Age
  #state: TableState = { kind: 'loading' }
  /** A change has arrived during the load: what is loaded after it may be older. */
  #isMixed = false
  /** Number of loads: what a reader has of an earlier one is void. */
  #loads = 0

  constructor(options: TableOptions<V>) {
    const { feed, limits } = options
    const { topic } = feed
    this.#options = options
    this.feed = feed
    this.store = new TableStore(topic.name, limits, topic, topic.validator)
    this.#watchers = new Watchers(feed.faults, topic)
    this.#age = new Age(limits.tombstonesMs)
    feed.follow(this)
  }

  get state(): TableState {
    return this.#state
  }

  get loads(): number {
    return this.#loads
  }

  get watchers(): number {
    return this.#watchers.size
  }

  /** @throws SluiceError `NOT_READY`, `TABLE_TOO_LARGE` where its rows are not to be had. */
  demandReady(): void {
    const { name } = this.feed.topic
    if (this.#state.kind === 'refused') throw new SluiceError('TABLE_TOO_LARGE', this.#state.reason)
    if (this.#state.kind === 'loading') throw new SluiceError('NOT_READY', `The table "${name}" is being loaded`)
  }

  /** The rows at this moment: see `selectRows`. */
  rows(options: TableReadOptions<V> = {}): Promise<StreamEvent<V>[]> {
    return selectRows(this, options)
  }

  /** Its items from now on, or from a cursor: see `readTable`. */
  read(options: TableReadOptions<V> = {}): AsyncIterableIterator<TableItem<V>, void, undefined> {
    return readTable(this, options)
  }

  /** See `Watchers`. */
  watch(selection: Selection<V>, watcher: Watcher<V>): () => void {
    return this.#watchers.add(selection, watcher)
  }

  /** The table as it is now, or was a moment ago. The reader calls `leave` in the end. */
  capture(): Capture<V> {
    const now = performance.now()
    let capture = this.captures.fresh(this.store.nextSeq, now)
    if (!capture) {
      const { head, cursor } = this.feed
      capture = new Capture(this.store.rows(), this.store.nextSeq, head, cursor)
      this.captures.add(capture, now)
    }
    capture.users++
    return capture
  }

  leave(capture: Capture<V>): void {
    this.captures.left(capture)
  }

  /**
   * Whether rows may have been removed since a position without a mark that says so. `time`: that of an event just
   * before it, in ms since the epoch; undefined: it is not known.
   */
  isTooOld(vector: Vector, time: number | undefined): boolean {
    return this.#age.isTooOld(vector, time, this.store.floors)
  }

  /** Lets go of what is no longer needed. */
  evict(): void {
    this.store.expire(Date.now())
    this.captures.expire(this.store.nextSeq, performance.now())
  }

  /**
   * Loads the topic up to the ends of these ranges, before the feed begins there.
   * @throws SourceUnavailable
   */
  async load(ranges: readonly PartitionRange[]): Promise<void> {
    this.#begin()
    await this.#read(ranges, ({ next }) => next)
    this.#loaded()
  }

  /** Begins with no rows: the feed reads the topic from its start. */
  begin(): void {
    this.#begin()
    this.#loaded()
  }

  onEvent(event: StreamEvent<V>): void {
    this.#isMixed ||= this.#state.kind === 'loading'
    this.#put(event, event)
  }

  onOther(record: RawRecord): void {
    this.#isMixed ||= this.#state.kind === 'loading'
    this.#put(recordOf(record), undefined)
  }

  onProgress(): void {
    this.#watchers.tellProgress()
  }

  /** Records were lost, or replaced: what the rows were is not known, and the topic is loaded again. */
  onGap(): void {
    this.#begin()
    this.#watchers.tellVoid()
    void this.#loadAgain()
  }

  #begin(): void {
    this.#loads++
    this.#state = { kind: 'loading' }
    this.#isMixed = false
    this.store.clear()
    this.captures.clear()
    this.#age.clear()
  }

  #loaded(): void {
    if (this.#state.kind !== 'loading') return
    if (this.#isMixed) this.store.rearrange()
    this.store.isWhole = true
    this.#age.loaded(Date.now())
    this.#state = { kind: 'ready' }
    this.#watchers.tellLoaded()
  }

  async #loadAgain(): Promise<void> {
    const { source, signal } = this.#options
    const { topic, faults } = this.feed
    const load = this.#loads
    for (let wait = RETRY_FIRST_MS; !signal.aborted; wait = Math.min(wait * 2, RETRY_LAST_MS)) {
      try {
        // What the feed has still to read arrives by it.
        if (source) await this.#read(await source.ranges(topic.name), ({ partition }) => this.feed.head[partition] ?? 0)
        if (load === this.#loads) this.#loaded()
        return
      } catch (error) {
        if (signal.aborted || load !== this.#loads) return
        faults.report(error, 'A table could not be loaded')
      }
      await delay(wait * (0.5 + Math.random()), undefined, { signal }).catch(() => {})
      if (load !== this.#loads) return
    }
  }

  async #read(ranges: readonly PartitionRange[], endOf: (range: PartitionRange) => number): Promise<void> {
    const { source, signal, maxEventBytes } = this.#options
    const { topic } = this.feed
    const load = this.#loads
    const isWanted = (): boolean => load === this.#loads && this.#state.kind === 'loading' && !signal.aborted
    const take = (record: RawRecord): void => {
      const event = decode(topic, record, { maxBytes: maxEventBytes })
      if ('kind' in event) this.#put(event, event)
      else this.#put(recordOf(record), undefined)
    }
    if (!source) return
    for (const range of ranges) {
      const end = endOf(range)
      const prepare = (records: readonly RawRecord[]) => this.#prepare(range, records)
      const wholeFrom = await loadPartition({ topic: topic.name, source, range, end, take, prepare, isWanted, signal })
      if (isWanted()) this.#age.wholeFrom(range.partition, wholeFrom)
    }
    signal.throwIfAborted()
  }

  #prepare({ partition }: PartitionRange, records: readonly RawRecord[]): Promise<void> | undefined {
    const { preparation } = this.feed
    const { signal } = this.#options
    const first = preparation?.attempt(records, signal)
    return (
      first && preparation?.hold(first, { place: `The table's partition ${partition}`, records: () => records, signal })
    )
  }

  #put(record: Omit<RowRecord, 'key'> & { readonly key: string | null }, event: StreamEvent<V> | undefined): void {
    // Kafka refuses records without a key on compacted topics.
    if (record.key === null || this.#state.kind === 'refused') return
    try {
      const change = this.store.put(record as RowRecord, event, Date.now())
      if (change && this.#state.kind === 'ready') this.#watchers.tellChange(change)
    } catch (error) {
      if (!(error instanceof TableTooLarge)) throw error
      this.#refuse(error)
    }
  }

  /** Ends the table's streams, and lets go of all rows. */
  #refuse({ message: reason }: TableTooLarge): void {
    this.#options.log.error({ topic: this.feed.topic.name }, reason)
    this.#state = { kind: 'refused', reason }
    this.store.clear()
    this.captures.clear()
    this.#watchers.end(new SluiceError('TABLE_TOO_LARGE', reason))
  }
}

/** A record that is no event. */
function recordOf(record: RawRecord): Omit<RowRecord, 'key'> & { readonly key: string | null } {
  const { partition, offset, timestamp } = record
  return { partition, offset, timestamp, key: record.keyText ? record.keyText() : (record.key?.toString() ?? null) }
}
