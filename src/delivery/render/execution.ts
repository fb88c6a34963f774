import { gapError } from '../../schema/gap-error.ts'
import { UNKNOWN, type Vector } from '../../streams/cursor/vector.ts'
import type { Gap, StreamEvent } from '../../streams/event.ts'
import { Conditions } from '../../streams/feed/conditions.ts'
import type { Feed, Interest } from '../../streams/feed/feed.ts'
import { LogReader } from '../../streams/feed/log-reader.ts'
import { Position } from '../../streams/feed/position.ts'
import type { Restarts } from '../../streams/feed/window.ts'
import type { Selection } from '../../streams/topic/where.ts'
import type { BoundStream } from '../operation/operation.ts'
import type { Renderer } from './renderer.ts'

/** Events read from the window in one turn of the event loop. */
const CATCH_UP_BATCH = 100

/**
 * Receives results in the order of their events, with the position after each. `seq` is the event's sequence number in
 * the window; undefined for a gap, or an event that the window has evicted. `restarts` identifies the log of the
 * position.
 */
export type OnJson = (json: Buffer, cursor: string, seq: number | undefined, restarts: Restarts) => void

/** The execution failed and ended: at an event or gap of this partition and offset, where that is known. */
export type OnFailed = (error: unknown, at: { readonly partition?: number; readonly offset?: number }) => void

/** A position up to which all bodies have been passed on: never past an event that is being resolved. */
export interface Settled {
  readonly cursor: string
  readonly vector: Vector
  /** Sequence number of the next event in the window. Below the window's first while it reads from the log. */
  readonly seq: number
  /** The restarts at that position: positions from before and after one cannot be compared. */
  readonly restarts: Restarts
}

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
  #remove: () => void
  /** Undefined: in step, at the feed's position. */
  #settled: Settled | undefined
  /** The reader of missed events. None while it is in step, or while an event is awaited and no other has arrived. */
  #reader: LogReader<unknown> | undefined
  /** An event is being resolved, or the next turn is awaited. Reading continues after it. */
  #busy = false
  #suspended = false
  #gaps: Gap[] = []
  #ended = false

  /** @throws SluiceError `BAD_USER_INPUT` if the field's `where` has too many combinations. */
  constructor(feed: Feed, stream: BoundStream, renderer: Renderer, onJson: OnJson, onFailed: OnFailed) {
    this.#feed = feed
    this.#stream = stream
    this.#renderer = renderer
    this.where = stream.select.selection
    this.#conditions = new Conditions(feed.topic, this.where)
    this.#onJson = onJson
    this.#onFailed = onFailed
    this.#remove = feed.add(this.#conditions, this)
  }

  get settled(): Settled {
    const { head, window, cursor } = this.#feed
    return this.#settled ?? { cursor, vector: head, seq: window.nextSeq, restarts: window.restarts }
  }

  /** The result of any event as JSON; undefined if the group does not select it. */
  jsonOf(event: StreamEvent): string | Promise<string> | undefined {
    if (!this.#meets(event)) return undefined
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
    this.#settled ??= { ...this.settled, vector: [...this.#feed.head] }
    this.#reader ??= new LogReader(this.#feed, Position.atHead(this.#feed), this.#conditions)
    this.#remove()
    this.#remove = this.#feed.addToGaps(this)
  }

  resume(): void {
    this.#suspended = false
    this.#remove()
    this.#remove = this.#feed.add(this.#conditions, this)
    if (!this.#busy) this.#contain(() => this.#readOn())
  }

  end(): void {
    this.#ended = true
    this.#remove()
    this.#reader?.close()
    this.#reader = undefined
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
    const body = this.#render(event)
    if (body === undefined) return
    if (!(body instanceof Promise)) {
      this.#onJson(body, this.#feed.cursor, seq, this.#feed.window.restarts)
      return
    }
    const { head, cursor } = this.#feed
    const before = head.with(event.partition, event.offset)
    const restarts = this.#feed.window.restarts
    this.#settled = { cursor: this.#feed.cursorAt(before), vector: before, seq, restarts }
    this.#await(body, { cursor, vector: [...head], seq: seq + 1, restarts })
  }

  onGap(gap: Gap): void {
    if (this.#settled === undefined) this.#tell([gap], this.#feed.cursor)
    // While it catches up, the reader finds the gap at its position.
    else if (!this.#reader) this.#gaps.push(gap)
  }

  /** Undefined if the filter rejects the event. A filter that throws counts as an error of the event. */
  #render(event: StreamEvent): Buffer | Promise<Buffer> | undefined {
    try {
      return this.#passes(event) ? this.#renderer.render(event) : undefined
    } catch (error) {
      return this.#renderer.renderError(error)
    }
  }

  #meets(event: StreamEvent): boolean {
    return this.#conditions.meets(event)
  }

  #passes(event: StreamEvent): boolean {
    const { test } = this.#stream.select
    this.counts.asked++
    const passes = !test || test(event)
    if (passes) this.counts.taken++
    return passes
  }

  #await(pending: Promise<Buffer>, after: Settled): void {
    this.#later(pending, (json) => {
      this.#onJson(json, after.cursor, after.seq < 0 ? undefined : after.seq - 1, after.restarts)
      this.#settled = after
    })
  }

  /** Catches up, until an event has to be awaited. */
  #readOn(): void {
    for (let count = 0; !this.#suspended && !this.#ended; count++) {
      for (const gap of this.#gaps.splice(0)) this.#pass(gap)
      const reader = this.#reader
      const item = reader?.next()
      if (item instanceof Promise) {
        this.#later(item, () => {})
        return
      }
      if (!reader || !item) {
        this.#reader = undefined
        this.#settled = undefined
        return
      }
      const restarts = this.#feed.window.restarts
      const after = { cursor: reader.cursor, vector: [...reader.vector], seq: reader.seq, restarts }
      if (item.kind === 'gap') {
        this.#tell([item, ...reader.otherGaps()], after.cursor)
      } else {
        const body = this.#render(item)
        if (body instanceof Promise) {
          this.#await(body, after)
          return
        }
        if (body !== undefined)
          this.#onJson(body, after.cursor, after.seq < 0 ? undefined : after.seq - 1, after.restarts)
      }
      this.#settled = after
      if (count === CATCH_UP_BATCH) {
        this.#later(new Promise((resolve) => setImmediate(resolve)), () => {})
        return
      }
    }
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

  #contain(act: () => void): void {
    try {
      act()
    } catch (error) {
      this.failed(error)
    }
  }

  /** A gap that arrived while an event was resolved: it is after that event, and before all later ones. */
  #pass(gap: Gap): void {
    const { vector, seq } = this.settled
    const moved = [...vector]
    while (moved.length <= gap.partition) moved.push(UNKNOWN)
    moved[gap.partition] = gap.to
    const cursor = this.#feed.cursorAt(moved)
    this.#settled = { cursor, vector: moved, seq, restarts: this.#feed.window.restarts }
    this.#tell([gap], cursor)
  }

  #tell(gaps: readonly Gap[], cursor: string): void {
    this.#onJson(this.#renderer.renderError(gapError(gaps)), cursor, undefined, this.#feed.window.restarts)
  }
}
