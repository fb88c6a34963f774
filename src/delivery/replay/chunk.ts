import { Piece } from '../frames/piece.ts'

/** A chunk of nothing counts too. */
const CHUNK_BYTES = 256

/** JSON of a result; null: the event is none of the group's; a promise: it is being rendered. */
export type Rendered = string | null | Promise<void>

/**
 * What a group rendered of a run of events, a place for each, in pieces. Whoever reads first where there is none yet has
 * the next one made.
 */
export class Chunk {
  readonly places: number
  /** Its bytes as the cache knows them. */
  counted = 0
  /** In the order of their places. */
  readonly #pieces: Piece[] = []
  /** What had to be awaited, until it lies in a piece. */
  readonly #apart = new Map<number, Rendered>()
  #apartBytes = 0

  constructor(places: number) {
    this.places = places
  }

  /** What it takes in memory. */
  get bytes(): number {
    return this.#pieces.reduce((sum, { bytes }) => sum + bytes, CHUNK_BYTES + this.#apartBytes)
  }

  pieceAt(place: number): Piece | undefined {
    return this.#pieces.find(({ begin, end }) => begin <= place && place < end)
  }

  /** The places around one that is in no piece, up to those that are. */
  spaceAround(place: number): { readonly begin: number; readonly end: number } {
    const next = this.#indexAfter(place)
    return { begin: this.#pieces[next - 1]?.end ?? 0, end: this.#pieces[next]?.begin ?? this.places }
  }

  /** Puts the results of the places from `begin` on together. They must be in no piece yet. */
  add(begin: number, jsons: readonly (string | null)[], cursors: readonly string[] | undefined): void {
    const piece = new Piece(begin, jsons, cursors)
    this.#pieces.splice(this.#indexAfter(begin), 0, piece)
    for (let place = begin; this.#apart.size > 0 && place < piece.end; place++) this.#takeApart(place)
  }

  /** Something of it has to be awaited, or was and is still to be put into a piece. */
  get isAwaited(): boolean {
    return this.#apart.size > 0
  }

  /** What was awaited of a place, or is. */
  apart(place: number): Rendered | undefined {
    return this.#apart.get(place)
  }

  putApart(place: number, rendered: Rendered): void {
    this.#takeApart(place)
    this.#apart.set(place, rendered)
    this.#apartBytes += bytesOf(rendered)
  }

  /** Of the first piece that begins after a place. */
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
