import { type Cursor, type Fingerprint, storedTimestamp } from '../cursor/cursor.ts'
import { covers, maxOf, UNKNOWN, type Vector } from '../cursor/vector.ts'
import type { Gap, StreamEvent } from '../event.ts'
import type { PartitionRange } from '../source/port.ts'
import type { FeedView } from './feed-view.ts'
import type { Page } from './pages.ts'
import type { Restarts } from './window.ts'

/** Where what comes next is to be had. */
export type Next =
  /** Offsets that are gone; the position has moved past them. */
  | { readonly kind: 'gaps'; readonly gaps: readonly Gap[] }
  /** Older than the window: this partition is to be read from the log. */
  | { readonly kind: 'log'; readonly partition: number; readonly offset: number }
  /** In the window, from this sequence number on. */
  | { readonly kind: 'window'; readonly seq: number }
  /** Everything has been read, up to the limit. */
  | { readonly kind: 'head' }

/** How long to wait for what a cursor says there is, and the log does not have: a failover may lag. */
export const BEYOND_END_MS = 5_000

/**
 * A place in a topic for who reads at a pace of its own: the next wanted offset of each partition, and nothing else
 * that another instance would not have. An event below it in its partition was seen, wherever that was; so it fits an
 * instance that has read less, or more, or both in different partitions.
 */
export class Position<V = unknown> {
  readonly #feed: FeedView<V>
  readonly #vector: number[]
  #restarts: Restarts
  /** Every event of the window that is still wanted has this sequence number or a later one. */
  #seq: number | undefined
  /** By partition the timestamp of what was read last from the log, so that partitions advance together. */
  readonly #times: number[] = []
  #last: StreamEvent<V> | undefined
  /** Names another log than the one that is read. */
  #isReplaced = false
  /** The event that a cursor has just before it, as long as it is not known whether this log has the same. */
  #fingerprint: Fingerprint | undefined

  constructor(feed: FeedView<V>, vector: Vector, seq?: number) {
    this.#feed = feed
    this.#vector = [...vector]
    this.#seq = seq
    this.#restarts = feed.window.restarts
  }

  /** What the feed has passed. */
  static atHead<V>(feed: FeedView<V>): Position<V> {
    return new Position(feed, feed.head, feed.window.nextSeq)
  }

  /** Just before an event that the feed is being told of: `seq` is its place in the window. */
  static before<V>(feed: FeedView<V>, event: StreamEvent<V>, seq: number): Position<V> {
    const position = new Position(feed, feed.head, seq)
    position.#vector[event.partition] = event.offset
    return position
  }

  /**
   * Where a cursor says. That it is of another log is the first gap that `next` tells of: so is what was replaced since
   * `restarts`, where it is known that the cursor is as old as that.
   */
  static after<V>(feed: FeedView<V>, { positions, epoch, fingerprint }: Cursor, restarts?: Restarts): Position<V> {
    const position = new Position(feed, positions)
    if (restarts) position.#restarts = restarts
    position.#isReplaced = epoch !== feed.epoch
    position.#fingerprint = fingerprint
    return position
  }

  get vector(): Vector {
    return this.#vector
  }

  /** Sequence number in the window from which on it reads; below all of them while it reads from the log. */
  get seq(): number {
    return this.#seq ?? UNKNOWN
  }

  get cursor(): string {
    // As long as it is not known whether the log is the same, another instance has to find out as well.
    return this.#feed.cursorAt(this.#vector, this.#fingerprint ?? this.#last)
  }

  /** Set while there is a replaced log that `next` has not told of: what it names means something else now. */
  get isStale(): boolean {
    return this.#isReplaced || this.#restarts !== this.#feed.window.restarts
  }

  /** Set while it is not known whether the log is the one that its cursor is of: what it names does not say so. */
  get isUnchecked(): boolean {
    return this.#fingerprint !== undefined
  }

  /** Where it is further than the feed: in partitions that the feed has not read as far, or does not know. */
  get isAhead(): boolean {
    return !covers(this.#feed.head, this.#vector)
  }

  /** What is next before the sequence number `limit`. */
  next(limit: number = this.#feed.window.nextSeq): Next {
    const { window, head } = this.#feed
    if (this.isStale || this.#fingerprint) {
      const gaps = this.#isReplaced ? this.#replaced() : this.#restarted()
      if (gaps.length > 0) return { kind: 'gaps', gaps }
      const unseen = this.#checkFingerprint()
      if (unseen) return unseen
    }
    const partition = this.#belowWindow(head)
    if (partition !== undefined) {
      this.#seq = undefined
      return { kind: 'log', partition, offset: this.#wanted(partition) }
    }
    if (this.#seq === undefined || this.#seq < window.firstSeq) this.#seq = window.startOf(this.#vector)
    return this.#seq < limit ? { kind: 'window', seq: this.#seq } : { kind: 'head' }
  }

  /** Whether an event has not been seen. */
  wants({ partition, offset }: StreamEvent<V>): boolean {
    return offset >= this.#wanted(partition)
  }

  /** Whether an event had not been seen; now it is. */
  take(event: StreamEvent<V>): boolean {
    if (!this.wants(event)) return false
    this.#move(event.partition, event.offset + 1)
    this.#last = event
    return true
  }

  /** All events of the window before this sequence number have been taken. */
  moveTo(seq: number): void {
    this.#seq = seq
  }

  /** The position is what somebody else's was who has read the same and perhaps more. */
  raise(vector: Vector, seq: number): void {
    const max = maxOf(this.#vector, vector)
    for (let partition = 0; partition < max.length; partition++) this.#move(partition, max[partition] as number)
    this.#last = undefined
    this.#seq = seq
  }

  /** A page of the log, before its events are taken: it may show that this is another log than the cursor's. */
  check({ partition, events }: Page<V>): void {
    const fingerprint = this.#fingerprint
    if (fingerprint?.partition !== partition) return
    this.#fingerprint = undefined
    const event = events.find(({ offset }) => offset === fingerprint.offset)
    if (event && !isOf(fingerprint, event)) this.#isReplaced = true
  }

  /** All events of a page have been taken, or those before `end`. */
  passPage({ partition, next, events }: Page<V>, end: number = next): void {
    if (end > this.#wanted(partition)) this.#move(partition, end)
    const last = events.at(-1)
    if (last) this.#times[partition] = last.timestamp || 0 // no timestamp is NaN, which compares with nothing
  }

  /** The log does not have what was asked for. Returns what of it was wanted. */
  passGap(gap: Gap): Gap | undefined {
    const wanted = this.#wanted(gap.partition)
    if (this.#fingerprint?.partition === gap.partition) this.#fingerprint = undefined
    if (gap.reason === 'retention' && gap.to <= wanted) return undefined
    this.#move(gap.partition, gap.to)
    return { ...gap, from: wanted }
  }

  /**
   * What of it the log does not have, now that it has waited for that: it was truncated, or replaced. Reading goes on at
   * the oldest there is, or, of a partition that does not exist, at nothing.
   */
  passEnds(ranges: readonly PartitionRange[]): Gap[] {
    const { head } = this.#feed
    const gaps: Gap[] = []
    for (let partition = 0; partition < this.#vector.length; partition++) {
      const from = this.#wanted(partition)
      const range = ranges.find((each) => each.partition === partition)
      if (from <= (range?.next ?? 0) || from <= (head[partition] ?? UNKNOWN)) continue
      gaps.push(this.#truncated(partition, from, range?.earliest ?? 0))
      if (!range) this.#move(partition, UNKNOWN)
    }
    return gaps
  }

  #wanted(partition: number): number {
    return Math.max(0, this.#vector[partition] ?? UNKNOWN)
  }

  #move(partition: number, offset: number): void {
    while (this.#vector.length < partition) this.#vector.push(UNKNOWN)
    this.#vector[partition] = offset
  }

  /** Every event of the log that is read now is new to who comes from another. */
  #replaced(): Gap[] {
    const gaps: Gap[] = []
    for (let partition = 0; partition < this.#vector.length; partition++) {
      const from = this.#wanted(partition)
      if (from > 0) gaps.push(this.#truncated(partition, from, 0))
    }
    this.#isReplaced = false
    this.#fingerprint = undefined
    return gaps
  }

  #restarted(): Gap[] {
    const { restarts } = this.#feed.window
    const gaps: Gap[] = []
    for (let partition = 0; partition < restarts.length; partition++) {
      const restart = restarts[partition]
      if (restart === undefined || restart === this.#restarts[partition]) continue
      gaps.push(this.#truncated(partition, this.#wanted(partition), restart.offset))
    }
    this.#restarts = restarts
    return gaps
  }

  #truncated(partition: number, from: number, to: number): Gap {
    this.#seq = undefined
    this.#last = undefined
    if (this.#fingerprint?.partition === partition) this.#fingerprint = undefined
    this.#move(partition, to)
    return { kind: 'gap', topic: this.#feed.topic.name, partition, from, to, reason: 'truncation' }
  }

  /** Undefined: there is nothing more to find out. */
  #checkFingerprint(): Next | undefined {
    const fingerprint = this.#fingerprint
    if (!fingerprint) return undefined
    const { partition, offset } = fingerprint
    const { window, head } = this.#feed
    // Not read yet, so it is not known yet either.
    if (offset >= (head[partition] ?? UNKNOWN)) return undefined
    if (offset < (window.floor(partition) ?? 0)) return { kind: 'log', partition, offset }
    this.#fingerprint = undefined
    const event = window.at(window.seqOf(partition, offset))
    if (event?.partition !== partition || event.offset !== offset || isOf(fingerprint, event)) return undefined
    return { kind: 'gaps', gaps: this.#replaced() }
  }

  /** Of the partitions of which the window has too little, the one that is furthest behind in time. */
  #belowWindow(head: Vector): number | undefined {
    let found: number | undefined
    for (let partition = 0; partition < head.length; partition++) {
      if (this.#wanted(partition) >= (this.#feed.window.floor(partition) ?? 0)) continue
      if (found === undefined || (this.#times[partition] ?? 0) < (this.#times[found] ?? 0)) found = partition
    }
    return found
  }
}

/** Whether a fingerprint may be of this event: a decoded one has the stored form of its timestamp only. */
function isOf(fingerprint: Fingerprint, event: StreamEvent): boolean {
  return storedTimestamp(fingerprint.timestamp) === storedTimestamp(event.timestamp)
}
