import { LRUCache } from 'lru-cache'
import type { StreamEvent } from '../streams/event.ts'
import type { Feed } from '../streams/feed.ts'
import type { Page } from '../streams/pages.ts'
import type { Execution } from './execution.ts'
import type { FrameStyle } from './frame.ts'
import type { FrameLog } from './frame-log.ts'

/** What all groups keep of what they rendered again for members that missed it. */
const HISTORY_BYTES = 64 * 1024 * 1024
/** Events of the window that are rendered and kept together. */
const CHUNK_EVENTS = 1024
/** A piece for one write: large enough that its bytes, not its system call, are what it costs. */
export const PIECE_BYTES = 64 * 1024
/** Events rendered in one go: some milliseconds, where they are not compiled. */
const MAX_RENDERED = 256
const CHUNK_OVERHEAD = 16 * CHUNK_EVENTS

/** A frame or a body; null: the event is none of the group's; a promise: it is being rendered. */
type Slot = Buffer | null | undefined | Promise<void>

interface Chunk {
  readonly key: string
  readonly slots: Slot[]
  bytes: number
  /** Its bytes as the cache knows them. */
  counted: number
  /** Once all is rendered, frames lie together as they are written. */
  pieces?: readonly Piece[]
}

interface Piece {
  readonly bytes: Buffer
  readonly frames: number
  /** Its frames are of the events before this place in the chunk. */
  readonly end: number
}

/** Frames to be written, and the place in the window after them. */
export interface Read {
  readonly bytes: Buffer | undefined
  readonly frames: number
  readonly next: number
}

/** What groups rendered of the past, under one budget. */
export class HistoryCache extends LRUCache<string, Chunk> {
  constructor() {
    super({
      maxSize: HISTORY_BYTES,
      maxEntrySize: HISTORY_BYTES,
      sizeCalculation: ({ bytes }) => bytes + CHUNK_OVERHEAD,
    })
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
    if (chunk.pieces && base + CHUNK_EVENTS <= limit) return this.#readPiece(chunk, base, seq)
    const end = Math.min(limit, base + CHUNK_EVENTS)
    const frames: Buffer[] = []
    let size = 0
    let next = seq
    for (let rendered = 0; next < end && size < maxBytes && rendered < MAX_RENDERED; next++) {
      let slot = chunk.slots[next - base]
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
    this.#keep(chunk)
    const bytes = frames.length > 1 ? Buffer.concat(frames, size) : frames[0]
    return { bytes, frames: frames.length, next }
  }

  /** The body of the event at `seq`, for a member with a position of its own. */
  bodyAt(seq: number): Buffer | null | Promise<void> {
    const { chunk, base } = this.#chunkAt(seq)
    let slot = chunk.slots[seq - base]
    if (slot === undefined) slot = this.#render(chunk, base, seq)
    if (slot === null || slot instanceof Promise) return slot
    return this.#options.style.bodyOf(slot)
  }

  /** The body of an event of a page. */
  bodyOfPage(page: Page, index: number): Buffer | null | Promise<void> {
    const chunk = this.#chunk(this.#keyOfPage(page))
    const slot = chunk.slots[index]
    return slot === undefined ? this.#put(chunk, index, page.events[index] as StreamEvent, (body) => body) : slot
  }

  /** Has the cache know how large what was read of a page has become. */
  keepPage(page: Page): void {
    this.#count(this.#chunk(this.#keyOfPage(page)))
  }

  #chunkAt(seq: number): { readonly chunk: Chunk; readonly base: number } {
    const base = seq - (seq % CHUNK_EVENTS)
    if (this.#lastBase !== base) {
      this.#lastBase = base
      this.#lastKey = `${this.#options.key}\n${base}`
    }
    return { chunk: this.#chunk(this.#lastKey), base }
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

  #chunk(key: string): Chunk {
    const { cache } = this.#options
    const known = cache.get(key)
    if (known) return known
    const chunk: Chunk = { key, slots: [], bytes: 0, counted: 0 }
    cache.set(key, chunk)
    return chunk
  }

  #render(chunk: Chunk, base: number, seq: number): Buffer | null | Promise<void> {
    const { feed, log, style } = this.#options
    // What the group has rendered for those in step is not rendered again.
    const frame = log.frameOf(seq)
    if (frame !== undefined) {
      chunk.slots[seq - base] = frame
      if (frame) chunk.bytes += frame.length
      return frame
    }
    const event = feed.window.at(seq) as StreamEvent
    return this.#put(chunk, seq - base, event, (body) => style.frameOf(this.#cursorAfter(event, seq), body))
  }

  #put(
    chunk: Chunk,
    index: number,
    event: StreamEvent,
    finish: (body: Buffer) => Buffer,
  ): Buffer | null | Promise<void> {
    const take = (body: Buffer): Buffer => {
      const frame = finish(body)
      chunk.slots[index] = frame
      chunk.bytes += frame.length
      return frame
    }
    const body = this.#options.execution.bodyOf(event)
    if (body instanceof Promise) {
      const pending = body.then((settled) => void take(settled))
      chunk.slots[index] = pending
      return pending
    }
    if (body !== undefined) return take(body)
    chunk.slots[index] = null
    return null
  }

  #cursorAfter(event: StreamEvent, seq: number): string {
    const { feed } = this.#options
    const vector = feed.window.vectorAt(seq + 1, feed.head)
    return feed.cursorAt(vector, event)
  }

  /** Lays a chunk out for writing once it is whole. */
  #keep(chunk: Chunk): void {
    if (chunk.pieces) return
    const isWhole =
      chunk.slots.length === CHUNK_EVENTS && !chunk.slots.some((slot) => slot === undefined || slot instanceof Promise)
    if (isWhole) chunk.pieces = piecesOf(chunk.slots as (Buffer | null)[])
    this.#count(chunk)
  }

  /** The cache looks at the size of what it does not have yet. */
  #count(chunk: Chunk): void {
    if (chunk.counted === chunk.bytes) return
    chunk.counted = chunk.bytes
    this.#options.cache.delete(chunk.key)
    this.#options.cache.set(chunk.key, chunk)
  }

  #readPiece({ slots, pieces }: Chunk, base: number, seq: number): Read {
    const place = seq - base
    const piece = pieces?.find(({ end }) => place < end) as Piece
    let first = place
    while (first < piece.end && slots[first] === null) first++
    const next = base + piece.end
    if (first === piece.end) return { bytes: undefined, frames: 0, next }
    const frame = slots[first] as Buffer
    return { bytes: piece.bytes.subarray(frame.byteOffset - piece.bytes.byteOffset), frames: piece.frames, next }
  }
}

/** Puts frames together, and has each slot look into where its frame is now. */
function piecesOf(slots: (Buffer | null)[]): Piece[] {
  const pieces: Piece[] = []
  let begin = 0
  while (begin < slots.length) {
    let end = begin
    let size = 0
    while (end < slots.length && size + (slots[end]?.length ?? 0) <= PIECE_BYTES) size += slots[end++]?.length ?? 0
    if (end === begin) size += slots[end++]?.length ?? 0
    const bytes = Buffer.allocUnsafeSlow(size)
    let at = 0
    let frames = 0
    for (let i = begin; i < end; i++) {
      const frame = slots[i]
      if (!frame) continue
      frame.copy(bytes, at)
      slots[i] = bytes.subarray(at, at + frame.length)
      at += frame.length
      frames++
    }
    pieces.push({ bytes, frames, end })
    begin = end
  }
  return pieces
}
