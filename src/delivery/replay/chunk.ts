import { Piece, type Results } from '../frames/piece.ts'

/** Overhead of an empty chunk. */
const CHUNK_BYTES = 256

/** JSON of a result; null: the group does not select the event; a promise: it is being rendered. */
export type Rendered = string | null | Promise<void>

/**
 * A group's rendered results of a run of events, one place for each, in pieces. A missing piece is rendered for the
 * first reader that needs it.
 */
export class Chunk {
  readonly places: number
  /** Size for which the cache has accounted. */
  counted = 0
  /** Sorted by place. */
  readonly #pieces: Piece[] = []
  /** Asynchronous results, until they are in a piece. */
  readonly #apart = new Map<number, Rendered>()
  #apartBytes = 0

  constructor(places: number) {
    this.places = places
  }

  /** Size in memory. */
  get bytes(): number {
    return this.#pieces.reduce((sum, { bytes }) => sum + bytes, CHUNK_BYTES + this.#apartBytes)
  }

  pieceAt(place: number): Piece | undefined {
    const piece = this.#pieces[this.#indexAfter(place) - 1]
    return piece && place < piece.end ? piece : undefined
  }

  /** The range of places around one that is in no piece, up to the neighbouring pieces. */
  spaceAround(place: number): { readonly begin: number; readonly end: number } {
    const next = this.#indexAfter(place)
    return { begin: this.#pieces[next - 1]?.end ?? 0, end: this.#pieces[next]?.begin ?? this.places }
  }

  /** Adds a piece with the results of the places from `begin` to before `end`. They must be in no piece yet. */
  add(begin: number, end: number, results: Results): void {
    this.#pieces.splice(this.#indexAfter(begin), 0, new Piece(begin, end, results))
    for (const place of this.#apart.keys()) if (begin <= place && place < end) this.#takeApart(place)
  }

  /** Some result is awaited, or was and is not in a piece yet. */
  get isAwaited(): boolean {
    return this.#apart.size > 0
  }

  /** The asynchronous result of a place. */
  apart(place: number): Rendered | undefined {
    return this.#apart.get(place)
  }

  putApart(place: number, rendered: Rendered): void {
    this.#takeApart(place)
    this.#apart.set(place, rendered)
    this.#apartBytes += bytesOf(rendered)
  }

  /** Index of the first piece that begins after a place. */
  #indexAfter(place: number): number {
    let low = 0
    let high = this.#pieces.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#pieces[middle] as Piece).begin > place) high = middle
      else low = middle + 1
    }
    return low
  }

  #takeApart(place: number): void {
    this.#apartBytes -= bytesOf(this.#apart.get(place))
    this.#apart.delete(place)
  }
}

function bytesOf(rendered: Rendered | undefined): number {
  return typeof rendered === 'string' ? rendered.length : 0
}
