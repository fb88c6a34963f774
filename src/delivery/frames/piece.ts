import { ownText } from '../../memory/own-bytes.ts'
import { NO_CURSOR, NOTHING, type ResultFraming } from '../../protocol/framing.ts'
import { seek } from '../../streams/feed/seek.ts'

/** Size of a piece, for one write: large enough that its bytes cost more than the system call. */
export const PIECE_BYTES = 64 * 1024
/** Overhead of a Buffer, and size of an entry in a list of starts, and in one of places. */
const BUFFER_BYTES = 128
const START_BYTES = 4
const PLACE_BYTES = 8

/** Results of a run of places, those of the places that have one. */
export interface Results {
  /** Ascending. */
  readonly places: readonly number[]
  readonly jsons: readonly string[]
  /** The position after each; undefined: the reader determines the positions. */
  readonly cursors: readonly string[] | undefined
}

/** A run of encoded frames. */
export interface FramedRun {
  readonly bytes: Buffer | undefined
  readonly count: number
  /** Position after the first of them; undefined: no frames, or positions are unknown. */
  readonly firstCursor: string | undefined
  /** They are all frames of the piece, in the same buffer for all members of the framing. */
  readonly isWhole: boolean
}

/** Concatenated texts in one buffer: each from its start to the start of the next. */
interface Texts {
  readonly bytes: Buffer
  readonly starts: Int32Array
}

/**
 * Encoded results of a run of places, with the position after each. Members of one framing share the bytes. A place
 * without a result takes nothing: where little matches, a piece may be long.
 */
export class Piece {
  readonly begin: number
  /** The place after the last. */
  readonly end: number
  /** The places with a result. Texts are by the index of the place in this list. */
  readonly #places: readonly number[]
  /** Undefined: they are read from `#within`, so that they are not kept twice. */
  #jsons: Texts | undefined
  #within: { readonly texts: Texts; readonly jsonIn: (block: Buffer) => Buffer } | undefined
  /** Undefined: the reader determines the positions. */
  readonly #cursors: Texts | undefined
  /** By framing: few, since there are few framings. */
  readonly #framed: { readonly framing: ResultFraming; readonly texts: Texts }[] = []

  constructor(begin: number, end: number, { places, jsons, cursors }: Results) {
    this.begin = begin
    this.end = end
    this.#places = places
    this.#jsons = textsOf(jsons)
    this.#cursors = cursors && textsOf(cursors)
  }

  /** Size in memory. */
  get bytes(): number {
    let sum = this.#places.length * PLACE_BYTES + (this.#jsons ? sizeOf(this.#jsons) : 0)
    if (this.#cursors) sum += sizeOf(this.#cursors)
    for (const { texts } of this.#framed) sum += sizeOf(texts)
    return sum
  }

  /** The result of a place; null: there is none. */
  json(place: number): Buffer | null {
    const index = seek(this.#places, place)
    return this.#places[index] === place ? this.#jsonAt(index) : null
  }

  /** The frames of the places from one in the piece to before another, or to its end. */
  read(from: number, to: number, framing: ResultFraming): FramedRun {
    const first = seek(this.#places, from)
    const last = seek(this.#places, to, first)
    const count = last - first
    if (count === 0) return { bytes: undefined, count, firstCursor: undefined, isWhole: false }
    const firstCursor = this.#cursors && this.#cursorAt(first).toString('latin1')
    const { bytes, starts, begin } = this.#framedFor(framing, first, last)
    const [start, end] = [starts[first - begin], starts[last - begin]]
    const isWhole = framing.isShared && start === 0 && end === bytes.length
    return { bytes: isWhole ? bytes : bytes.subarray(start, end), count, firstCursor, isWhole }
  }

  /** Encodes the whole piece where the bytes can be shared; otherwise only the requested part. */
  #framedFor(framing: ResultFraming, from: number, to: number): Texts & { readonly begin: number } {
    if (!framing.isShared) return { ...this.#frame(framing, from, to), begin: from }
    let known = this.#framed.find((each) => each.framing === framing)
    if (!known) {
      known = { framing, texts: this.#frame(framing, 0, this.#places.length) }
      this.#framed.push(known)
      if (framing.jsonIn) {
        this.#within = { texts: known.texts, jsonIn: framing.jsonIn }
        this.#jsons = undefined
      }
    }
    return { ...known.texts, begin: 0 }
  }

  #frame(framing: ResultFraming, from: number, to: number): Texts {
    const starts = new Int32Array(to - from + 1)
    const jsons: Buffer[] = []
    const cursors: Buffer[] = []
    let size = 0
    for (let index = from; index < to; index++) {
      starts[index - from] = size
      const json = this.#jsonAt(index)
      const cursor = this.#cursorAt(index)
      jsons.push(json)
      cursors.push(cursor)
      size += framing.sizeOf(cursor, json)
    }
    starts[to - from] = size
    const bytes = Buffer.allocUnsafeSlow(size)
    let at = 0
    for (let i = 0; i < jsons.length; i++) at = framing.write(bytes, at, cursors[i] as Buffer, jsons[i] as Buffer)
    return { bytes, starts }
  }

  #jsonAt(index: number): Buffer {
    if (this.#jsons) return textAt(this.#jsons, index)
    return this.#within ? this.#within.jsonIn(textAt(this.#within.texts, index)) : NOTHING
  }

  #cursorAt(index: number): Buffer {
    return this.#cursors ? textAt(this.#cursors, index) : NO_CURSOR
  }
}

function textAt({ bytes, starts }: Texts, index: number): Buffer {
  return bytes.subarray(starts[index], starts[index + 1])
}

function textsOf(texts: readonly string[]): Texts {
  const joined = texts.join('')
  const bytes = ownText(joined)
  const isAscii = bytes.length === joined.length
  const starts = new Int32Array(texts.length + 1)
  let at = 0
  for (const [index, text] of texts.entries()) {
    starts[index] = at
    at += isAscii ? text.length : Buffer.byteLength(text)
  }
  starts[texts.length] = at
  return { bytes, starts }
}

function sizeOf({ bytes, starts }: Texts): number {
  return bytes.length + starts.length * START_BYTES + 2 * BUFFER_BYTES
}
