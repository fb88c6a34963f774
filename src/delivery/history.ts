import { LRUCache } from 'lru-cache'
import type { StreamEvent } from '../streams/event.ts'
import type { Feed } from '../streams/feed.ts'
import type { Page } from '../streams/pages.ts'
import { Chunk } from './chunk.ts'
import type { Execution } from './execution.ts'
import type { FrameStyle } from './frame.ts'
import type { FrameLog } from './frame-log.ts'

/** What all groups keep of what they rendered again for members that missed it. */
const HISTORY_BYTES = 128 * 1024 * 1024
/** Events of the window that are rendered and kept together. */
const CHUNK_EVENTS = 1024
/** Events rendered in one go: some milliseconds, where they are not compiled. */
const MAX_RENDERED = 256

/** Frames to be written, and the place in the window after them. */
export interface Read {
  readonly bytes: Buffer | undefined
  readonly frames: number
  readonly next: number
}

/** What groups rendered of the past, under one budget. */
export class HistoryCache extends LRUCache<string, Chunk> {
  constructor() {
    super({ maxSize: HISTORY_BYTES, maxEntrySize: HISTORY_BYTES, sizeCalculation: ({ bytes }) => bytes })
  }
}

export interface HistoryOptions {
  readonly cache: HistoryCache
  /** Names what is rendered, and how. */
  readonly key: string
  readonly feed: Feed
  readonly execution: Execution
  readonly log: FrameLog
  readonly style: FrameStyle
}

/**
 * A group's frames of the past, rendered for the first member that missed them and kept for the others: a thousand
 * members that come back at a thousand places read the same bytes.
 */
export class History {
  readonly #options: HistoryOptions
  // Members that read one after the other mostly read the same, whose key is not to be made anew for every event.
  #lastBase = -1
  #lastKey = ''
  #lastPage: WeakRef<Page> | undefined
  #lastPageKey = ''

  constructor(options: HistoryOptions) {
    this.#options = options
  }

  /**
   * Frames of the events from `seq` to before `limit`, as members have them that are in step: at most about `maxBytes`,
   * and not always all there are. A promise: ask again when it is settled. The window must hold the event at `seq`.
   */
  read(seq: number, limit: number, maxBytes: number): Read | Promise<void> {
    const { chunk, base } = this.#chunkAt(seq)
    if (chunk.isLaidOut && base + CHUNK_EVENTS <= limit) {
      const { bytes, frames, end } = chunk.readFrom(seq - base)
      return { bytes, frames, next: base + end }
    }
    const end = Math.min(limit, base + CHUNK_EVENTS)
    const frames: Buffer[] = []
    let size = 0
    let next = seq
    for (let rendered = 0; next < end && size < maxBytes && rendered < MAX_RENDERED; next++) {
      let slot = chunk.at(next - base)
      if (slot === undefined) {
        slot = this.#render(chunk, base, next)
        rendered++
      }
      if (slot instanceof Promise) {
        if (next === seq) return slot
        break
      }
      if (slot === null) continue
      frames.push(slot)
      size += slot.length
    }
    chunk.layOut()
    this.#count(this.#lastKey, chunk)
    const bytes = frames.length > 1 ? Buffer.concat(frames, size) : frames[0]
    return { bytes, frames: frames.length, next }
  }

  /** The body of the event at `seq`, for a member with a position of its own. */
  bodyAt(seq: number): Buffer | null | Promise<void> {
    const { chunk, base } = this.#chunkAt(seq)
    let slot = chunk.at(seq - base)
    if (slot === undefined) slot = this.#render(chunk, base, seq)
    if (slot === null || slot instanceof Promise) return slot
    return this.#options.style.bodyOf(slot)
  }

  /** The body of an event of a page. */
  bodyOfPage(page: Page, index: number): Buffer | null | Promise<void> {
    const chunk = this.#chunk(this.#keyOfPage(page), page.events.length)
    const slot = chunk.at(index)
    return slot === undefined ? this.#put(chunk, index, page.events[index] as StreamEvent, (body) => body) : slot
  }

  /** Has the cache know how large what was read of a page has become. */
  keepPage(page: Page): void {
    const key = this.#keyOfPage(page)
    this.#count(key, this.#chunk(key, page.events.length))
  }

  #chunkAt(seq: number): { readonly chunk: Chunk; readonly base: number } {
    const base = seq - (seq % CHUNK_EVENTS)
    if (this.#lastBase !== base) {
      this.#lastBase = base
      this.#lastKey = `${this.#options.key}\n${base}`
    }
    return { chunk: this.#chunk(this.#lastKey, CHUNK_EVENTS), base }
  }

  #keyOfPage(page: Page): string {
    if (this.#lastPage?.deref() !== page) {
      this.#lastPage = new WeakRef(page)
      const { key, feed } = this.#options
      // A page that is read again may hold less after compaction, and anything of a log that was replaced.
      const content = `${feed.window.restartCount}:${page.partition}:${page.from}-${page.next}:${page.events.length}`
      this.#lastPageKey = `${key}\n${content}`
    }
    return this.#lastPageKey
  }

  #chunk(key: string, places: number): Chunk {
    const { cache } = this.#options
    const known = cache.get(key)
    if (known) return known
    const chunk = new Chunk(places)
    cache.set(key, chunk)
    return chunk
  }

  #render(chunk: Chunk, base: number, seq: number): Buffer | null | Promise<void> {
    const { feed, log, style } = this.#options
    const event = feed.window.at(seq) as StreamEvent
    const finish = (body: Buffer) => style.frameOf(this.#cursorAfter(event, seq), body)
    // What the group has rendered for those in step is not rendered again. Its position is what it was then, which may
    // be less than what is told of the event before it by now.
    const frame = log.frameOf(seq)
    if (frame === undefined) return this.#put(chunk, seq - base, event, finish)
    const again = frame && finish(style.bodyOf(frame))
    chunk.put(seq - base, again)
    return again
  }

  #put(
    chunk: Chunk,
    index: number,
    event: StreamEvent,
    finish: (body: Buffer) => Buffer,
  ): Buffer | null | Promise<void> {
    const take = (body: Buffer): Buffer => {
      const frame = finish(body)
      chunk.put(index, frame)
      return frame
    }
    const body = this.#options.execution.bodyOf(event)
    if (body instanceof Promise) {
      const pending = body.then((settled) => void take(settled))
      chunk.put(index, pending)
      return pending
    }
    if (body !== undefined) return take(body)
    chunk.put(index, null)
    return null
  }

  #cursorAfter(event: StreamEvent, seq: number): string {
    const { feed } = this.#options
    const vector = feed.window.vectorAt(seq + 1, feed.head)
    return feed.cursorAt(vector, event)
  }

  /** The cache looks at the size of what it does not have yet. */
  #count(key: string, chunk: Chunk): void {
    const { bytes } = chunk
    if (chunk.counted === bytes) return
    chunk.counted = bytes
    this.#options.cache.delete(key)
    this.#options.cache.set(key, chunk)
  }
}
