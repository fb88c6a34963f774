/** A piece for one write: large enough that its bytes, not its system call, are what it costs. */
export const PIECE_BYTES = 64 * 1024
/** What a Buffer takes beside its bytes, and what a place for one takes. */
const BUFFER_BYTES = 128
const PLACE_BYTES = 8
/** A chunk of nothing counts too. */
const CHUNK_BYTES = 256

/** A frame or a body; null: the event is none of the group's; a promise: it is being rendered. */
export type Slot = Buffer | null | Promise<void>

interface Piece {
  readonly bytes: Buffer
  readonly frames: number
  /** Its frames are those of the places before this one. */
  readonly end: number
}

/**
 * What a group rendered of a run of events, a place for each. Filled in any order, by whoever reads there first; once it
 * is full, `layOut` puts the frames together as they are written.
 */
export class Chunk {
  readonly places: number
  /** Its bytes as the cache knows them. */
  counted = 0
  #slots: (Slot | undefined)[]
  #filled = 0
  #bytes = 0
  #pieces: readonly Piece[] | undefined
  /** Of each place, once it is laid out: where in its piece the frame begins; -1: there is none. */
  #starts: Int32Array | undefined

  constructor(places: number) {
    this.places = places
    this.#slots = new Array(places)
  }

  /** What it takes in memory. */
  get bytes(): number {
    return CHUNK_BYTES + this.#bytes + this.places * PLACE_BYTES + (this.#pieces ? 0 : this.#filled * BUFFER_BYTES)
  }

  get isLaidOut(): boolean {
    return this.#pieces !== undefined
  }

  /** Undefined: nobody has asked for it yet. */
  at(place: number): Slot | undefined {
    if (!this.#pieces) return this.#slots[place]
    const start = this.#starts?.[place] as number
    if (start < 0) return null
    const { bytes } = this.#pieceAt(place)
    // The next frame of the piece begins where this one ends.
    for (let next = place + 1; next < this.places; next++) {
      const end = this.#starts?.[next] as number
      if (end === 0) break
      if (end > 0) return bytes.subarray(start, end)
    }
    return bytes.subarray(start)
  }

  put(place: number, slot: Slot): void {
    this.#slots[place] = slot
    if (slot instanceof Promise) return
    this.#filled++
    if (slot) this.#bytes += slot.length
  }

  /** Puts the frames together, if all are there. */
  layOut(): void {
    if (this.#pieces || this.#filled < this.places) return
    const frames = this.#slots as (Buffer | null)[]
    const starts = new Int32Array(this.places).fill(-1)
    const pieces: Piece[] = []
    for (let begin = 0; begin < this.places; ) {
      const piece = pieceOf(frames, begin, starts)
      pieces.push(piece)
      begin = piece.end
    }
    this.#pieces = pieces
    this.#starts = starts
    this.#slots = []
  }

  /** The rest of the piece that a place is in, and the place after it. It must be laid out. */
  readFrom(place: number): { readonly bytes: Buffer | undefined; readonly frames: number; readonly end: number } {
    const { bytes, frames, end } = this.#pieceAt(place)
    let first = place
    while (first < end && (this.#starts?.[first] as number) < 0) first++
    if (first === end) return { bytes: undefined, frames: 0, end }
    return { bytes: bytes.subarray(this.#starts?.[first]), frames, end }
  }

  #pieceAt(place: number): Piece {
    return this.#pieces?.find(({ end }) => place < end) as Piece
  }
}

/** One piece from a place on; says in `starts` where its frames begin. */
function pieceOf(frames: readonly (Buffer | null)[], begin: number, starts: Int32Array): Piece {
  let end = begin
  let size = 0
  let count = 0
  for (; end < frames.length; end++) {
    const frame = frames[end]
    if (!frame) continue
    if (size > 0 && size + frame.length > PIECE_BYTES) break
    starts[end] = size
    size += frame.length
    count++
  }
  const bytes = Buffer.allocUnsafeSlow(size)
  for (let place = begin; place < end; place++) frames[place]?.copy(bytes, starts[place])
  return { bytes, frames: count, end }
}
