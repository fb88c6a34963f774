/** A piece for one write: large enough that its bytes, not its system call, are what it costs. */
export const PIECE_BYTES = 64 * 1024
/** What a Buffer takes beside its bytes, and what a place for one takes. */
const BUFFER_BYTES = 128
const PLACE_BYTES = 4
/** A chunk of nothing counts too. */
const CHUNK_BYTES = 256

/** Text of a frame or a body; null: the event is none of the group's; a promise: it is being rendered. */
export type Rendered = string | null | Promise<void>

/** Frames that lie together as they are written. */
export interface Piece {
  readonly bytes: Buffer
  /** Its frames are those of the places from this one */
  readonly begin: number
  /** to before this one. */
  readonly end: number
}

/** Frames to be written. */
export interface Frames {
  readonly bytes: Buffer | undefined
  readonly count: number
}

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
  /** Of each place in a piece: where in it the frame begins; `NONE`: there is no frame. */
  readonly #starts: Int32Array
  /** What had to be awaited, until it lies in a piece. */
  readonly #apart = new Map<number, Rendered>()
  #bytes = 0

  constructor(places: number) {
    this.places = places
    this.#starts = new Int32Array(places)
  }

  /** What it takes in memory. */
  get bytes(): number {
    return CHUNK_BYTES + this.places * PLACE_BYTES + this.#bytes
  }

  pieceAt(place: number): Piece | undefined {
    return this.#pieces.find(({ begin, end }) => begin <= place && place < end)
  }

  /** The places around one that is in no piece, up to those that are. */
  spaceAround(place: number): { readonly begin: number; readonly end: number } {
    const next = this.#indexAfter(place)
    return { begin: this.#pieces[next - 1]?.end ?? 0, end: this.#pieces[next]?.begin ?? this.places }
  }

  /** Puts the texts of the places from `begin` on together. They must be in no piece yet. */
  add(begin: number, texts: readonly (string | null)[]): void {
    const joined = texts.join('')
    const bytes = Buffer.from(joined)
    const isAscii = bytes.length === joined.length
    let at = 0
    for (const [i, text] of texts.entries()) {
      this.#starts[begin + i] = text === null ? NONE : at
      if (text !== null) at += isAscii ? text.length : Buffer.byteLength(text)
    }
    const end = begin + texts.length
    this.#pieces.splice(this.#indexAfter(begin), 0, { bytes, begin, end })
    this.#bytes += bytes.length + BUFFER_BYTES
    for (let place = begin; this.#apart.size > 0 && place < end; place++) this.#takeApart(place)
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
    this.#bytes += bytesOf(rendered)
  }

  /** The frames of the places from one in the piece to before another in it, or its end. */
  read({ bytes, begin, end }: Piece, from: number, to: number): Frames {
    let count = 0
    let first = NONE
    for (let place = from; place < to; place++) {
      const start = this.#starts[place] as number
      if (start === NONE) continue
      if (count === 0) first = start
      count++
    }
    if (count === 0) return { bytes: undefined, count }
    if (from === begin && to === end) return { bytes, count }
    return { bytes: bytes.subarray(first, this.#startAfter(to, end)), count }
  }

  /** The frame of a place in the piece; null: there is none. */
  at({ bytes, end }: Piece, place: number): Buffer | null {
    const start = this.#starts[place] as number
    return start === NONE ? null : bytes.subarray(start, this.#startAfter(place + 1, end))
  }

  /** Where the next frame begins that is at a place or after it; undefined: the piece has no other. */
  #startAfter(place: number, end: number): number | undefined {
    for (let next = place; next < end; next++) if (this.#starts[next] !== NONE) return this.#starts[next]
    return undefined
  }

  /** Of the first piece that begins after a place. */
  #indexAfter(place: number): number {
    const index = this.#pieces.findIndex(({ begin }) => begin > place)
    return index < 0 ? this.#pieces.length : index
  }

  #takeApart(place: number): void {
    this.#bytes -= bytesOf(this.#apart.get(place))
    this.#apart.delete(place)
  }
}

const NONE = -1

function bytesOf(rendered: Rendered | undefined): number {
  return typeof rendered === 'string' ? rendered.length : 0
}
