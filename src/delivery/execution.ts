import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Context } from '../schema/context.ts'
import { gapError } from '../schema/stream-field.ts'
import type { Gap, StreamEvent } from '../streams/event.ts'
import type { Feed, Interest } from '../streams/feed.ts'
import { meets } from '../streams/interest-index.ts'
import type { Where } from '../streams/topic.ts'
import { WindowReader } from '../streams/window-reader.ts'
import type { BoundStream } from './operation.ts'
import type { Renderer } from './renderer.ts'

/** Events read on from the window in one turn of the event loop. */
const CATCH_UP_BATCH = 100

/** Takes bodies in the order of their events, with the position after each. */
export type OnBody = (body: Buffer, cursor: string) => void

/**
 * Takes the events that a group asks for, chooses by its filter, and has each rendered. Bodies come in the order of
 * events, also where resolvers are asynchronous: while one is awaited, the execution is a position in the feed's
 * window, and reads on from there.
 */
export class Execution implements Interest<unknown> {
  readonly #feed: Feed
  readonly #stream: BoundStream
  readonly #context: Context
  readonly #renderer: Renderer
  readonly #where: Where<unknown>
  readonly #onBody: OnBody
  readonly #remove: () => void
  /** The position behind everything done, while it is not the feed's own; undefined: in step with the feed. */
  #settled: string | undefined
  /** Where to read on: set by the first event that came while another was awaited. */
  #reader: WindowReader<unknown> | undefined
  #gaps: Gap[] = []
  #ended = false

  /** @throws SluiceError `BAD_USER_INPUT` if the field's `where` asks for too much. */
  constructor(feed: Feed, stream: BoundStream, renderer: Renderer, onBody: OnBody) {
    this.#feed = feed
    this.#stream = stream
    this.#context = renderer.args.contextValue as Context
    this.#renderer = renderer
    this.#where = stream.field.where(stream.args, this.#context)
    this.#onBody = onBody
    this.#remove = feed.add(this.#where, this)
  }

  /** The position that all bodies so far lead to: never past an event that is being resolved. */
  get cursor(): string {
    return this.#settled ?? this.#feed.cursor
  }

  end(): void {
    this.#ended = true
    this.#remove()
    this.#reader = undefined
  }

  onEvent(event: StreamEvent, seq: number): void {
    if (this.#settled !== undefined) {
      this.#reader ??= new WindowReader(this.#feed, event, seq)
      return
    }
    const body = this.#render(event)
    if (!(body instanceof Promise)) {
      if (body !== undefined) this.#onBody(body, this.#feed.cursor)
      return
    }
    const before = [...this.#feed.head]
    before[event.partition] = event.offset
    this.#settled = this.#feed.cursorAt(before)
    void this.#finish(body, this.#feed.cursor)
  }

  onGap(gap: Gap): void {
    if (this.#settled === undefined) this.#onBody(this.#renderer.renderError(gapError(gap)), this.#feed.cursor)
    else this.#gaps.push(gap)
  }

  /** Undefined if the filter does not want the event. A filter that fails cannot say so: the client hears of it. */
  #render(event: StreamEvent): Buffer | Promise<Buffer> | undefined {
    const { filter } = this.#stream.field
    try {
      if (filter && !filter(event.value, this.#stream.args, this.#context)) return undefined
    } catch (error) {
      return this.#renderer.renderError(error)
    }
    return this.#renderer.render(event)
  }

  /** Waits for one event's resolvers, then reads on from the window until it is in step again. */
  async #finish(first: Promise<Buffer>, after: string): Promise<void> {
    let body: Buffer | undefined = await first
    let cursor = after
    for (let count = 1; ; count++) {
      if (this.#ended) return
      // A gap is told before anything that comes after it, and with a position before it: rather twice than never.
      for (const gap of this.#gaps.splice(0)) {
        this.#onBody(this.#renderer.renderError(gapError(gap)), this.#settled ?? cursor)
      }
      if (body) this.#onBody(body, cursor)
      this.#settled = cursor

      const item = this.#reader?.next((event) => meets(this.#where, event.value))
      if (!this.#reader || !item) break
      cursor = this.#feed.cursorAt(this.#reader.vector, item.kind === 'event' ? item : undefined)
      body = await (item.kind === 'event' ? this.#render(item) : this.#renderer.renderError(gapError(item)))
      if (count % CATCH_UP_BATCH === 0) await nextTurn()
    }
    this.#reader = undefined
    this.#settled = undefined
  }
}
