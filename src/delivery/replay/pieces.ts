import { LRUCache } from 'lru-cache'
import { PIECE_BYTES, type Piece } from '../frames/piece.ts'
import { Chunk, type Rendered } from './chunk.ts'
import { type Run, render } from './run.ts'

/** Budget of replayed results, for all groups. */
const HISTORY_BYTES = 128 * 1024 * 1024
/** Least size of a piece in places. */
const MIN_PLACES = 16
/** The first piece is this part of a chunk: some tens of KiB. */
const FIRST_SHARE = 8
/** Results of so few events say nothing about the next. */
const MIN_LOOKED = 16

/** Cache of replayed results of all groups, least recently used, under one budget. */
export class HistoryCache extends LRUCache<string, Chunk> {
  constructor() {
    super({ maxSize: HISTORY_BYTES, maxEntrySize: HISTORY_BYTES, sizeCalculation: ({ bytes }) => bytes })
  }
}

/** Makes pieces of the chunks of one group. */
export class Pieces {
  readonly #cache: HistoryCache
  /** Largest size of a piece in places. */
  #max: number
  /**
   * Size of a piece in places: a power of two, and aligned to it, so that members at a thousand positions use the same
   * pieces. It is adapted to the bytes of the last piece.
   */
  #places: number

  /** `places`: those of a chunk. */
  constructor(cache: HistoryCache, places: number) {
    this.#cache = cache
    this.#max = places
    this.#places = places / FIRST_SHARE
  }

  /** Chunks have this many places from now on. */
  resize(places: number): void {
    this.#max = places
    this.#places = places / FIRST_SHARE
  }

  chunk(key: string, places: number, keep = true): Chunk {
    const known = this.#cache.get(key)
    if (known) return known
    const chunk = new Chunk(places)
    if (keep) this.#cache.set(key, chunk)
    return chunk
  }

  /** Updates the cache's size of an entry. */
  count(key: string, chunk: Chunk): void {
    const { bytes } = chunk
    if (chunk.counted === bytes) return
    chunk.counted = bytes
    this.#cache.delete(key)
    this.#cache.set(key, chunk)
  }

  /**
   * The piece of a place. If there is none, it is made of the places around it, from `first` to before `end`. A
   * promise: one of these results is being rendered.
   */
  layOut(
    chunk: Chunk,
    place: number,
    { first, end }: { readonly first: number; readonly end: number },
    runFrom: (begin: number) => Run,
  ): Piece | Promise<void> {
    for (;;) {
      const piece = chunk.pieceAt(place)
      if (piece) return piece
      const space = chunk.spaceAround(place)
      const aligned = place - (place % this.#places)
      const begin = Math.max(first, space.begin, aligned)
      const stop = Math.min(end, space.end, aligned + this.#places)
      const { results, size, looked, passed, awaited } = render(runFrom(begin), begin, stop)
      if (passed > begin) chunk.add(begin, passed, results)
      if (looked >= MIN_LOOKED) this.#places = placesFor(size / (passed - begin), this.#max)
      if (awaited && passed <= place) return awaited
    }
  }
}

/** The result of a place: rendered once, also if it is awaited. Undefined: the group does not select it. */
export function jsonIn(chunk: Chunk, place: number, render: () => string | Promise<string> | undefined): Rendered {
  const apart = chunk.apart(place)
  if (apart !== undefined) return apart
  const json = render()
  if (json === undefined) return null
  if (typeof json === 'string') return json
  const pending = json.then((settled) => chunk.putApart(place, settled))
  // The rejection may have no handler by then.
  pending.catch(() => {})
  chunk.putApart(place, pending)
  return pending
}

/** Number of places that fill a piece, given the bytes of each. */
function placesFor(bytes: number, max: number): number {
  const places = 2 ** Math.floor(Math.log2(PIECE_BYTES / bytes))
  return Math.max(MIN_PLACES, Math.min(max, places))
}
