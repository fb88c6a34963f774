import type { ResultFraming } from '../../protocol/framing.ts'
import type { StreamEvent } from '../../streams/event.ts'
import { Candidates } from '../../streams/feed/candidates.ts'
import type { Feed } from '../../streams/feed/feed.ts'
import type { Page } from '../../streams/feed/pages.ts'
import type { FrameLog } from '../frames/frame-log.ts'
import type { Piece } from '../frames/piece.ts'
import type { Execution } from '../render/execution.ts'
import type { Chunk, Rendered } from './chunk.ts'
import { type HistoryCache, jsonIn, Pieces } from './pieces.ts'
import type { Run } from './run.ts'

/** Events of the window in one cache entry that the group may select. */
const CHUNK_EVENTS = 1024
/** Events of the window in one cache entry, selected or not, where the group selects few of them. */
const MAX_CHUNK_PLACES = 2 ** 20
/** A run of encoded frames, and the sequence number in the window after it. */
export interface Read {
  readonly bytes: Buffer | undefined
  readonly frames: number
  readonly firstCursor: string | undefined
  /** The buffer is the same for all members that read the same. */
  readonly isShared: boolean
  readonly next: number
}

export interface HistoryOptions {
  readonly cache: HistoryCache
  /** Key of the rendered results. */
  readonly key: string
  readonly feed: Feed
  readonly execution: Execution
  readonly log: FrameLog
}

/**
 * A group's results of past events, rendered for the first member that needs them and cached for the others: a thousand
 * members that reconnect at a thousand positions read the same bytes.
 */
export class History {
  readonly #options: HistoryOptions
  readonly #candidates: Candidates<unknown>
  // Last key: consecutive reads are mostly of the same chunk.
  #lastBase = -1
  #lastKey = ''
  #lastPage: WeakRef<Page> | undefined
  #lastPageKey = ''
  /** Places of a chunk of the window: as many as have some CHUNK_EVENTS events that the group may select. */
  #span = CHUNK_EVENTS
  readonly #pieces: Pieces

  constructor(options: HistoryOptions) {
    this.#options = options
    this.#pieces = new Pieces(options.cache, CHUNK_EVENTS)
    this.#candidates = new Candidates(options.feed.topic, options.execution.where)
  }

  /** The first event of the window from `seq` on that the group may select; `limit`, if there is none before it. */
  next(seq: number, limit: number): number {
    const { window } = this.#options.feed
    return this.#candidates.next(window.postings, seq, limit)
  }

  /** The place of the first event of a page, from a place on, that the group may select; or the number of its events. */
  nextInPage({ postings, events }: Page, place: number): number {
    return this.#candidates.next(postings, place, events.length)
  }

  /** A member opens a page. */
  open(page: Page): void {
    if (this.#candidates.isNarrow) this.#options.feed.lookUpIn(page)
  }

  /**
   * Frames of the events from `seq` to before `limit`, equal to those of members in step: about one piece at most, and
   * not always all. A promise: call again when it is settled. The window must hold the event at `seq`. `keep`: others
   * are likely to need them.
   */
  read(seq: number, limit: number, framing: ResultFraming, keep: boolean): Read | Promise<void> {
    const first = this.next(seq, limit)
    if (first === limit) return { bytes: undefined, frames: 0, firstCursor: undefined, isShared: false, next: limit }
    const { chunk, base } = this.#chunkAt(first, keep)
    const place = first - base
    const piece = this.#pieceAt(chunk, base, place, limit, keep)
    if (piece instanceof Promise) return piece
    const end = Math.min(piece.end, limit - base)
    const { bytes, count, firstCursor, isWhole } = piece.read(place, end, framing)
    if (keep) this.#pieces.count(this.#lastKey, chunk)
    return { bytes, frames: count, firstCursor, isShared: isWhole, next: base + end }
  }

  /** The result of the event at `seq`, which `next` has found, for a member with its own position; `limit` as above. */
  jsonAt(seq: number, limit: number): Buffer | null | Promise<void> {
    const { chunk, base } = this.#chunkAt(seq)
    const place = seq - base
    const piece = this.#pieceAt(chunk, base, place, limit)
    return piece instanceof Promise ? piece : piece.json(place)
  }

  /** The result of an event of a page. */
  jsonOfPage(page: Page, index: number): Buffer | null | Promise<void> {
    const key = this.#keyOfPage(page)
    const chunk = this.#pieces.chunk(key, page.events.length)
    const known = chunk.pieceAt(index)
    if (known) return known.json(index)
    const run = {
      next: (place: number) => this.nextInPage(page, place),
      json: (place: number) => this.#jsonOf(chunk, place, page.events[place] as StreamEvent),
      cursor: undefined,
    }
    const piece = this.#pieces.layOut(chunk, index, { first: 0, end: chunk.places }, () => run)
    this.#pieces.count(key, chunk)
    return piece instanceof Promise ? piece : piece.json(index)
  }

  #chunkAt(seq: number, keep = true): { readonly chunk: Chunk; readonly base: number } {
    this.#adaptSpan()
    const base = seq - (seq % this.#span)
    if (this.#lastBase !== base) {
      this.#lastBase = base
      this.#lastKey = `${this.#options.key}\n${base}+${this.#span}`
    }
    return { chunk: this.#pieces.chunk(this.#lastKey, this.#span, keep), base }
  }

  /** Chunks of another span are other chunks: a small change is not worth rendering the results again. */
  #adaptSpan(): void {
    const { postings } = this.#options.feed.window
    if (postings.size < CHUNK_EVENTS) return
    const share = this.#candidates.share(postings)
    const wanted = Math.min(MAX_CHUNK_PLACES, CHUNK_EVENTS * 2 ** Math.floor(Math.log2(1 / share)))
    if (wanted <= 2 * this.#span && this.#span <= 2 * wanted) return
    this.#span = wanted
    this.#pieces.resize(wanted)
    this.#lastBase = -1
  }

  #keyOfPage(page: Page): string {
    if (this.#lastPage?.deref() !== page) {
      this.#lastPage = new WeakRef(page)
      const { key, feed } = this.#options
      // The key has the page's content: after compaction it may hold less, and after a restart other events.
      const content = `${feed.window.restartCount}:${page.partition}:${page.from}-${page.next}:${page.events.length}`
      this.#lastPageKey = `${key}\n${content}`
    }
    return this.#lastPageKey
  }

  #pieceAt(chunk: Chunk, base: number, place: number, limit: number, keep = true): Piece | Promise<void> {
    const known = chunk.pieceAt(place)
    if (known) return known
    const { feed } = this.#options
    // The part before the place is rendered for others only.
    const first = keep ? Math.max(0, feed.window.firstSeq - base) : place
    const end = Math.min(chunk.places, limit - base)
    const piece = this.#pieces.layOut(chunk, place, { first, end }, (begin) => this.#runFrom(chunk, base, begin))
    // An awaited result must be kept, or it would be rendered again.
    if (keep || chunk.isAwaited) this.#pieces.count(this.#lastKey, chunk)
    return piece
  }

  #runFrom(chunk: Chunk, base: number, begin: number): Run {
    const { feed, log } = this.#options
    const walk = feed.window.walkFrom(base + begin, feed.head)
    let seq: number
    let event: StreamEvent
    return {
      next: (place) => this.next(base + place, feed.window.nextSeq) - base,
      json: (place) => {
        seq = base + place
        event = feed.window.at(seq) as StreamEvent
        // Results that the frame log holds are not rendered again.
        const known = log.jsonOf(seq)
        return known === undefined ? this.#jsonOf(chunk, place, event) : (known?.toString() ?? null)
      },
      cursor: () => feed.cursorAt(walk.pass(seq), event),
    }
  }

  #jsonOf(chunk: Chunk, place: number, event: StreamEvent): Rendered {
    return jsonIn(chunk, place, () => this.#options.execution.jsonOf(event))
  }
}
