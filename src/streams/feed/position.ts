import { type Cursor, type Fingerprint, mayBeOf } from '../cursor/cursor.ts'
import { covers, maxOf, UNKNOWN, type Vector } from '../cursor/vector.ts'
import type { Gap, StreamEvent } from '../event.ts'
import type { PartitionRange } from '../source/port.ts'
import type { FeedView } from './feed-view.ts'
import { Floor } from './floor.ts'
import type { Next } from './next.ts'
import type { Page } from './pages.ts'
import { STEPS_EACH } from './walk.ts'
import type { Restarts } from './window.ts'

/** Grace period for offsets that a cursor names and the log does not hold: a new leader may still lag. */
export const BEYOND_END_MS = 5_000

/**
 * A position in a topic, for a reader at its own pace: the next wanted offset of each partition, and no other state
 * that is private to an instance. Every event below it in its partition was seen, on whichever instance. It therefore
 * fits an instance that has read less, or more, or both in different partitions.
 */
export class Position<V = unknown> {
  readonly #feed: FeedView<V>
  readonly #vector: number[]
  #restarts: Restarts
  /** Lower bound in the window: every event still wanted has this sequence number or a later one. */
  #seq: number | undefined
  /** By partition the timestamp of the last event read from the log, so that partitions advance together. */
  readonly #times: number[] = []
  #last: StreamEvent<V> | undefined
  /** The cursor is of another log than the one that is read. */
  #isReplaced = false
  /** Fingerprint: the event just before the cursor, until it is known whether this log holds the same. */
  #fingerprint: Fingerprint | undefined

  /** Undefined: it may read all. */
  #floor: Floor | undefined

  constructor(feed: FeedView<V>, vector: Vector, seq?: number) {
    this.#feed = feed
    this.#vector = [...vector]
    this.#seq = seq
    this.#restarts = feed.window.restarts
  }

  /** The feed's position. */
  static atHead<V>(feed: FeedView<V>): Position<V> {
    return new Position(feed, feed.head, feed.window.nextSeq)
  }

  /** The position just before an event that the feed is delivering: `seq` is its sequence number in the window. */
  static before<V>(feed: FeedView<V>, event: StreamEvent<V>, seq: number): Position<V> {
    const position = new Position(feed, feed.head, seq)
    position.#vector[event.partition] = event.offset
    return position
  }

  /**
   * The position of a cursor. `next` first reports a gap where the cursor is of another log. It reports the logs
   * recreated since `restarts` too, where the cursor is known to be as old as that.
   */
  static after<V>(feed: FeedView<V>, { positions, epoch, fingerprint }: Cursor, restarts?: Restarts): Position<V> {
    const position = new Position(feed, positions)
    if (restarts) position.#restarts = restarts
    position.#isReplaced = epoch !== feed.epoch
    position.#fingerprint = fingerprint
    return position
  }

  /** Forbids to read before a position: `next` first reports what of this one is left out. */
  notBefore(floor: Vector): this {
    this.#floor = new Floor(floor)
    return this
  }

  get vector(): Vector {
    return this.#vector
  }

  /** Sequence number in the window from which on it reads; below the window's first while it reads from the log. */
  get seq(): number {
    return this.#seq ?? UNKNOWN
  }

  /** Timestamp of the last event that was read from the log, in ms since the epoch; undefined: none was. */
  get readUntil(): number | undefined {
    return this.#last?.timestamp
  }

  get cursor(): string {
    // Until the fingerprint has been checked, a cursor of this position has to carry it, for the next instance.
    return this.#feed.cursorAt(this.#vector, this.#fingerprint ?? this.#last)
  }

  /** The cursor of a position that this one is at or has passed; `before` is an event just before that one. */
  cursorAt(vector: Vector, before: Fingerprint | undefined): string {
    return this.#feed.cursorAt(vector, this.#fingerprint ?? before ?? this.#last)
  }

  /** Set while `next` has not reported a recreated log, of which the offsets name other events, or what is left out. */
  get isStale(): boolean {
    return this.#isReplaced || this.#restarts !== this.#feed.window.restarts || this.#leftOut.length > 0
  }

  /** Set while the fingerprint is unchecked: the offsets may name events of another log. */
  get isUnchecked(): boolean {
    return this.#fingerprint !== undefined
  }

  /** Whether it is beyond the feed in some partition: the feed lags there, or does not know the partition. */
  get isAhead(): boolean {
    return !covers(this.#feed.head, this.#vector)
  }

  /** The next thing to read before the sequence number `limit`. */
  next(limit: number = this.#feed.window.nextSeq): Next {
    const { window, head } = this.#feed
    if (this.isStale || this.#fingerprint) {
      const gaps = [...(this.#isReplaced ? this.#replaced() : this.#restarted()), ...this.#leaveOut()]
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

  /** Marks an event as seen; true if it had not been. */
  take(event: StreamEvent<V>): boolean {
    if (!this.wants(event)) return false
    this.#move(event.partition, event.offset + 1)
    this.#last = event
    return true
  }

  /** Marks all events of the window before this sequence number as seen. */
  moveTo(seq: number): void {
    this.#seq = seq
  }

  /** As to take each event of the window from the position to before this sequence number. They must be held. */
  passTo(seq: number): void {
    const { window } = this.#feed
    const from = this.seq
    if (seq - from > STEPS_EACH * window.partitions) {
      for (const at of window.lastsBetween(from, seq)) this.take(window.at(at) as StreamEvent<V>)
    } else for (let at = from; at < seq; at++) this.take(window.at(at) as StreamEvent<V>)
    this.#seq = seq
  }

  /** Moves to the position of another reader, which has read the same and perhaps more. */
  raise(vector: Vector, seq: number): void {
    const max = maxOf(this.#vector, vector)
    for (let partition = 0; partition < max.length; partition++) this.#move(partition, max[partition] as number)
    this.#last = undefined
    this.#seq = seq
  }

  /** Checks the fingerprint against a page, before its events are taken: the log may be another than the cursor's. */
  check({ partition, events }: Page<V>): void {
    const fingerprint = this.#fingerprint
    if (fingerprint?.partition !== partition) return
    this.#fingerprint = undefined
    const event = events.find(({ offset }) => offset === fingerprint.offset)
    if (event && !mayBeOf(fingerprint, event)) this.#isReplaced = true
  }

  /** Marks all events of a page as seen. */
  passPage({ partition, next, events }: Page<V>): void {
    if (next > this.#wanted(partition)) this.#move(partition, next)
    const last = events.at(-1)
    if (last) this.#times[partition] = last.timestamp || 0 // no timestamp is NaN, which compares with nothing
  }

  /** The log does not hold these offsets. Returns the part of them that was wanted. */
  passGap(gap: Gap): Gap | undefined {
    const wanted = this.#wanted(gap.partition)
    if (this.#fingerprint?.partition === gap.partition) this.#fingerprint = undefined
    if (gap.reason === 'retention' && gap.to <= wanted) return undefined
    this.#move(gap.partition, gap.to)
    return { ...gap, from: wanted }
  }

  /**
   * The offsets that the log does not hold after the grace period: it was truncated or recreated. Reading continues at
   * the oldest offset, or, for a partition that does not exist, at none.
   */
  passEnds(ranges: readonly PartitionRange[]): Gap[] {
    const { head } = this.#feed
    const gaps: Gap[] = []
    for (let partition = 0; partition < this.#vector.length; partition++) {
      const from = this.#wanted(partition)
      const range = ranges.find((each) => each.partition === partition)
      if (from <= (range?.next ?? 0) || from <= (head[partition] ?? UNKNOWN)) continue
      gaps.push(this.#truncated(partition, from, range?.earliest ?? 0))
      this.#floor?.lower(partition, range?.next ?? 0)
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

  /** To where the window is to be searched again. */
  #jump(partition: number, offset: number): void {
    this.#seq = undefined
    this.#last = undefined
    this.#move(partition, offset)
  }

  /** After a recreated log is detected, every event of the new log is unseen. */
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
    const topic = this.#feed.topic.name
    const gaps: Gap[] = []
    for (let partition = 0; partition < restarts.length; partition++) {
      const restart = restarts[partition]
      if (restart === undefined || restart === this.#restarts[partition]) continue
      const { offset } = restart
      this.#floor?.lower(partition, offset)
      const wanted = this.#wanted(partition)
      // Up to there the log is as it was, or, recreated, has nothing. What was still to come after it is void.
      if (wanted <= offset) gaps.push({ kind: 'gap', topic, partition, from: offset, to: offset, reason: 'truncation' })
      else gaps.push(this.#truncated(partition, wanted, offset))
    }
    this.#restarts = restarts
    return gaps
  }

  /** What may not be read before the floor. */
  get #leftOut(): readonly Gap[] {
    return this.#floor?.above(this.#feed.topic.name, (partition) => this.#wanted(partition)) ?? []
  }

  /** Moves up to what may be read. */
  #leaveOut(): readonly Gap[] {
    const gaps = this.#leftOut
    for (const { partition, to } of gaps) this.#jump(partition, to)
    return gaps
  }

  #truncated(partition: number, from: number, to: number): Gap {
    if (this.#fingerprint?.partition === partition) this.#fingerprint = undefined
    this.#jump(partition, to)
    return { kind: 'gap', topic: this.#feed.topic.name, partition, from, to, reason: 'truncation' }
  }

  /** Undefined: all is known. */
  #checkFingerprint(): Next | undefined {
    const fingerprint = this.#fingerprint
    if (!fingerprint) return undefined
    const { partition, offset } = fingerprint
    const { window, head } = this.#feed
    // The partition has not been read, so that the fingerprint cannot be checked yet.
    if (offset >= (head[partition] ?? UNKNOWN)) return undefined
    if (offset < (window.floor(partition) ?? 0)) return { kind: 'log', partition, offset }
    this.#fingerprint = undefined
    const event = window.at(window.seqOf(partition, offset))
    if (event?.partition !== partition || event.offset !== offset || mayBeOf(fingerprint, event)) return undefined
    return { kind: 'gaps', gaps: this.#replaced() }
  }

  /** Of the partitions that have to be read from the log, the one that is furthest behind in time. */
  #belowWindow(head: Vector): number | undefined {
    let found: number | undefined
    for (let partition = 0; partition < head.length; partition++) {
      if (this.#wanted(partition) >= (this.#feed.window.floor(partition) ?? 0)) continue
      if (found === undefined || (this.#times[partition] ?? 0) < (this.#times[found] ?? 0)) found = partition
    }
    return found
  }
}
