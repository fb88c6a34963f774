import { Piece } from '../frames/piece.ts'

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
    return this.#pieces.find(({ begin, end }) => begin <= place && place < end)
  }

  /** The range of places around one that is in no piece, up to the neighbouring pieces. */
  spaceAround(place: number): { readonly begin: number; readonly end: number } {
    const next = this.#indexAfter(place)
    return { begin: this.#pieces[next - 1]?.end ?? 0, end: this.#pieces[next]?.begin ?? this.places }
  }

  /** Adds a piece with the results of the places from `begin` on. They must be in no piece yet. */
  add(begin: number, jsons: readonly (string | null)[], cursors: readonly string[] | undefined): void {
    const piece = new Piece(begin, jsons, cursors)
    this.#pieces.splice(this.#indexAfter(begin), 0, piece)
    for (let place = begin; this.#apart.size > 0 && place < piece.end; place++) this.#takeApart(place)
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
    const index = this.#pieces.findIndex(({ begin }) => begin > place)
    return index < 0 ? this.#pieces.length : index
  }

  #takeApart(place: number): void {
    this.#apartBytes -= bytesOf(this.#apart.get(place))
    this.#apart.delete(place)
  }
}

function bytesOf(rendered: Rendered | undefined): number {
  return typeof rendered === 'string' ? rendered.length : 0
}
