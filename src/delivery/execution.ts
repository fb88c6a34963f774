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
 * events. *In step*, it renders each event as the feed tells it. While a resolver is awaited, or the group has no
 * members, it is a position in the feed's window, and reads on from there until it is in step again.
 */
export class Execution implements Interest<unknown> {
  readonly #feed: Feed
  readonly #stream: BoundStream
  readonly #context: Context
  readonly #renderer: Renderer
  readonly #where: Where<unknown>
  readonly #onBody: OnBody
  #remove: () => void
  /** The position that all bodies so far lead to; undefined: in step, so it is the feed's. */
  #settled: string | undefined
  /** Where to read on. In step there is none, and none while an event is awaited and no other has come. */
  #reader: WindowReader<unknown> | undefined
  /** An event is being resolved, or the next turn is awaited, and then it reads on. */
  #busy = false
  #suspended = false
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

  /** Renders nothing until `resume`, and then what was missed. */
  suspend(): void {
    this.#suspended = true
    this.#settled ??= this.#feed.cursor
    this.#reader ??= new WindowReader(this.#feed)
    this.#remove()
    this.#remove = this.#feed.addToGaps(this)
  }

  resume(): void {
    this.#suspended = false
    this.#remove()
    this.#remove = this.#feed.add(this.#where, this)
    if (!this.#busy) this.#readOn()
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
    if (body === undefined) return
    if (!(body instanceof Promise)) {
      this.#onBody(body, this.#feed.cursor)
      return
    }
    const before = [...this.#feed.head]
    before[event.partition] = event.offset
    this.#settled = this.#feed.cursorAt(before)
    this.#await(body, this.#feed.cursor)
  }

  onGap(gap: Gap): void {
    if (this.#settled === undefined) this.#tell(gap, this.#feed.cursor)
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

  #await(pending: Promise<Buffer>, cursor: string): void {
    this.#busy = true
    void pending.then((body) => {
      this.#busy = false
      if (this.#ended) return
      // A gap is told before anything that comes after it, and with a position before it: rather twice than never.
      for (const gap of this.#gaps.splice(0)) this.#tell(gap, this.#settled as string)
      this.#onBody(body, cursor)
      this.#settled = cursor
      this.#readOn()
    })
  }

  /** Goes on where it is behind, up to the next event that has to be awaited. */
  #readOn(): void {
    for (let count = 0; !this.#suspended && !this.#ended; count++) {
      for (const gap of this.#gaps.splice(0)) this.#tell(gap, this.#settled as string)
      const item = this.#reader?.next((event) => meets(this.#where, event.value))
      if (!this.#reader || !item) {
        this.#reader = undefined
        this.#settled = undefined
        return
      }
      const cursor = this.#feed.cursorAt(this.#reader.vector, item.kind === 'event' ? item : undefined)
      if (item.kind === 'gap') {
        this.#tell(item, cursor)
      } else {
        const body = this.#render(item)
        if (body instanceof Promise) {
          this.#await(body, cursor)
          return
        }
        if (body !== undefined) this.#onBody(body, cursor)
      }
      this.#settled = cursor
      if (count === CATCH_UP_BATCH) {
        this.#busy = true
        setImmediate(() => {
          this.#busy = false
          this.#readOn()
        })
        return
      }
    }
  }

  #tell(gap: Gap, cursor: string): void {
    this.#onBody(this.#renderer.renderError(gapError(gap)), cursor)
  }
}
