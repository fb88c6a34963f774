import { gapError } from '../../schema/gap-error.ts'
import { UNKNOWN } from '../../streams/cursor/vector.ts'
import type { Gap, StreamEvent } from '../../streams/event.ts'
import { Conditions } from '../../streams/feed/conditions.ts'
import type { Feed, Interest } from '../../streams/feed/feed.ts'
import { LogReader } from '../../streams/feed/log-reader.ts'
import { Position } from '../../streams/feed/position.ts'
import type { Settled } from '../../streams/feed/settled.ts'
import type { Selection } from '../../streams/topic/where.ts'
import type { BoundStream } from '../operation/operation.ts'
import { GroupThrottle } from '../throttle/group-throttle.ts'
import type { Throttles } from '../throttle/throttles.ts'
import type { OnFailed, OnJson } from './outcome.ts'
import type { Renderer } from './renderer.ts'

/** Events read from the window in one turn of the event loop. */
const CATCH_UP_BATCH = 100

/**
 * Execution of a group: takes the selected events, applies the filter, and renders each. Bodies are in the order of
 * events. *In step*, it renders each event as the feed delivers it. While a resolver is awaited, or the group has no
 * members, it is a position in the log. It then catches up until it is in step again.
 */
export class Execution implements Interest<unknown> {
  /** No other event is selected. */
  readonly where: Selection<unknown>
  /** Events that were found for it, live or in the past, and those of them that its filter let pass. */
  readonly counts = { asked: 0, taken: 0 }
  readonly #feed: Feed
  readonly #stream: BoundStream
  readonly #renderer: Renderer
  readonly #conditions: Conditions<unknown>
  readonly #onJson: OnJson
  readonly #onFailed: OnFailed
  readonly throttle: GroupThrottle | undefined
  #remove: () => void
  /** Undefined: in step, at the feed's position. */
  #settled: Settled | undefined
  /** The reader of missed events. None while it is in step, or while an event is awaited and no other has arrived. */
  #reader: LogReader<unknown> | undefined
  /** An event is being resolved, or the next turn is awaited. Reading continues after it. */
  #busy = false
  #suspended = false
  /** Each tells gaps that were found, after what is held and before what is still to be read. */
  #untold: (() => void)[] = []
  #ended = false

  /** @throws SluiceError `BAD_USER_INPUT` if the field's `where` has too many combinations. */
  constructor(
    feed: Feed,
    stream: BoundStream,
    renderer: Renderer,
    onJson: OnJson,
    onFailed: OnFailed,
    throttles: Throttles,
  ) {
    this.#feed = feed
    this.#stream = stream
    this.#renderer = renderer
    this.where = stream.select.selection
    this.#conditions = new Conditions(feed.topic, this.where)
    this.#onJson = onJson
    this.#onFailed = onFailed
    this.throttle = stream.throttling && new GroupThrottle(feed, stream.throttling, throttles, this)
    this.#remove = feed.add(this.#conditions, this)
  }

  get settled(): Settled {
    return this.throttle?.settle(this.read) ?? this.read
  }

  /** The position up to which events have been read: with a throttle, some of them may be held. */
  get read(): Settled {
    const { head, window, cursor } = this.#feed
    return this.#settled ?? { cursor, vector: head, seq: window.nextSeq, restarts: window.restarts }
  }

  /** Whether the group selects an event. A filter that throws does: its error is the event's result. */
  selects(event: StreamEvent): boolean {
    if (!this.#conditions.meets(event)) return false
    try {
      return this.#passes(event)
    } catch {
      return true
    }
  }

  /** The result of any event as JSON; undefined if the group does not select it. */
  jsonOf(event: StreamEvent): string | Promise<string> | undefined {
    if (!this.#conditions.meets(event)) return undefined
    try {
      return this.#passes(event) ? this.#renderer.jsonOf(event) : undefined
    } catch (error) {
      return this.#renderer.jsonOfError(error)
    }
  }

  /** Suspends rendering until `resume`, which catches up. */
  suspend(): void {
    this.#suspended = true
    // A copy: the feed's own position moves.
    this.#settled ??= { ...this.read, vector: [...this.#feed.head] }
    this.#reader ??= new LogReader(this.#feed, Position.atHead(this.#feed), this.#conditions)
    this.#remove()
    this.#remove = this.#feed.addToGaps(this)
  }

  resume(): void {
    this.#suspended = false
    this.#remove()
    this.#remove = this.#feed.add(this.#conditions, this)
    if (this.#busy) return
    try {
      this.#readOn()
    } catch (error) {
      this.failed(error)
    }
  }

  end(): void {
    this.#ended = true
    this.#remove()
    this.#reader?.close()
    this.#reader = undefined
    this.throttle?.end()
  }

  /** The end of an interval: what is held may be due. If it is catching up, it looks by itself. */
  tick(): void {
    if (this.#settled === undefined && !this.#ended) this.#goOn()
  }

  failed(error: unknown, at = {}): void {
    if (this.#ended) return
    this.end()
    this.#onFailed(error, at)
  }

  onEvent(event: StreamEvent, seq: number): void {
    if (this.#settled !== undefined) {
      this.#reader ??= new LogReader(this.#feed, Position.before(this.#feed, event, seq), this.#conditions)
      return
    }
    if (this.throttle) {
      if (this.selects(event)) this.throttle.offer(event)
      this.#goOn()
      return
    }
    const body = this.bodyOf(event)
    if (body === undefined) return
    if (!(body instanceof Promise)) {
      this.#onJson(body, this.#feed.cursor, seq, this.#feed.window.restarts, event.timestamp)
      return
    }
    const { head, cursor } = this.#feed
    const before = head.with(event.partition, event.offset)
    const restarts = this.#feed.window.restarts
    this.#settled = { cursor: this.#feed.cursorAt(before), vector: before, seq, restarts }
    this.#await(body, { cursor, vector: [...head], seq: seq + 1, restarts }, event.timestamp)
  }

  onGap(gap: Gap): void {
    if (this.#settled === undefined && !this.throttle?.isHolding) {
      this.#tell([gap], this.read)
      return
    }
    // While it catches up, the reader finds the gap at its position.
    if (this.#reader) return
    const { restarts } = this.#feed.window
    this.#tellLater(() => this.#pass(gap, restarts))
    if (this.#settled !== undefined || !this.throttle) return
    this.#settled = this.throttle.before(gap)
    this.#readOn()
  }

  /** In step, with a throttle: what is due goes out. */
  #goOn(): void {
    if (this.throttle?.next()) {
      this.#settled = { ...this.read, vector: [...this.#feed.head] }
      this.#readOn()
    } else this.throttle?.schedule()
  }

  /** The body; undefined if the filter rejects the event. A filter that throws counts as an error of the event. */
  bodyOf(event: StreamEvent, isAsked = true): Buffer | Promise<Buffer> | undefined {
    try {
      return this.#passes(event, isAsked) ? this.#renderer.render(event) : undefined
    } catch (error) {
      return this.#renderer.renderError(error)
    }
  }

  /** `isAsked`: for the first time. */
  #passes(event: StreamEvent, isAsked = true): boolean {
    const { test } = this.#stream.select
    if (isAsked) this.counts.asked++
    const passes = !test || test(event)
    if (passes && isAsked) this.counts.taken++
    return passes
  }

  #await(pending: Promise<Buffer>, after: Settled, timestamp: number): void {
    this.#later(pending, (json) => {
      this.#take(json, after, timestamp)
      this.#settled = after
    })
  }

  #take(json: Buffer, { cursor, seq, restarts }: Settled, timestamp: number): void {
    this.#onJson(json, cursor, seq < 0 ? undefined : seq - 1, restarts, timestamp)
  }

  /** Catches up, until an event has to be awaited. */
  #readOn(): void {
    for (let count = 0; !this.#suspended && !this.#ended; count++) {
      if (count === CATCH_UP_BATCH) {
        this.#later(new Promise((resolve) => setImmediate(resolve)), () => {})
        return
      }
      const due = this.throttle?.next()
      if (due) {
        const body = this.bodyOf(due, false)
        if (body instanceof Promise) return void this.#later(body, (json) => this.#release(json))
        this.#release(body)
        continue
      }
      for (const tell of this.#untold.splice(0)) tell()
      const reader = this.#reader
      const item = reader?.next()
      if (item instanceof Promise) {
        this.#later(item, () => {})
        return
      }
      if (!reader || !item) {
        this.#reader = undefined
        this.#settled = undefined
        this.throttle?.schedule()
        return
      }
      const { restarts } = this.#feed.window
      const after = { cursor: reader.cursor, vector: [...reader.vector], seq: reader.seq, restarts }
      if (item.kind === 'gap') {
        const gaps = [item, ...reader.otherGaps()]
        this.#tellLater(() => {
          this.#settled = after
          this.#tell(gaps, after)
        })
        continue
      }
      if (this.throttle) {
        if (this.selects(item)) this.throttle.offer(item)
      } else {
        const body = this.bodyOf(item)
        if (body instanceof Promise) return void this.#await(body, after, item.timestamp)
        if (body !== undefined) this.#take(body, after, item.timestamp)
      }
      this.#settled = after
    }
  }

  /** What was due goes out: the position may pass it then. */
  #release(json: Buffer | undefined): void {
    this.throttle?.released()
    if (json !== undefined) this.#onJson(json, this.settled.cursor, undefined, this.read.restarts)
  }

  /** Continues after `pending`. Its exceptions are handled here: no caller could catch them. */
  #later<T>(pending: Promise<T>, take: (value: T) => void): void {
    this.#busy = true
    const goOn = (value: T): void => {
      this.#busy = false
      if (this.#ended) return
      take(value)
      this.#readOn()
    }
    pending.then(goOn).catch((error: unknown) => this.failed(error))
  }

  /** Tells of gaps when what is held has gone out. Nothing is read until then. */
  #tellLater(tell: () => void): void {
    this.throttle?.flush()
    this.#untold.push(tell)
  }

  /** A gap that arrived while an event was resolved: it is after that event, and before all later ones. */
  #pass(gap: Gap, restarts: Settled['restarts']): void {
    const { vector, seq } = this.read
    const moved = [...vector]
    while (moved.length <= gap.partition) moved.push(UNKNOWN)
    moved[gap.partition] = gap.to
    this.#settled = { cursor: this.#feed.cursorAt(moved), vector: moved, seq, restarts }
    this.#tell([gap], this.#settled)
  }

  #tell(gaps: readonly Gap[], { cursor, restarts }: Settled): void {
    this.#onJson(this.#renderer.renderError(gapError(gaps)), cursor, undefined, restarts)
  }
}
