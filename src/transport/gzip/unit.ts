import { crc32 } from 'node:zlib'
import { ownBytes } from '../../memory/own-bytes.ts'
import { combine, shiftOf } from './crc.ts'

/** What the next unit may refer back to: half of the window (see deflate.ts). More finds hardly more, and takes longer. */
const DICTIONARY_BYTES = 4096
/** Never part of UTF-8 text: nothing refers back to it. */
const FILLER = 0xff
/** Dictionaries for which a unit is compressed, beside none: members that had no heartbeat since, and one, say. */
const MAX_FOLLOWED = 2

/** A unit compressed for members with one history. */
interface Followed {
  readonly history: Unit
  readonly gap: number
  readonly coded: Buffer
}

/**
 * Bytes of one write, the same for all members that are given them, and what they are compressed: alone, and with the
 * unit before as dictionary (RFC 1951: a block may refer back to whatever the stream has decoded to before).
 */
export class Unit {
  /** Length of the bytes. */
  readonly length: number
  alone: Buffer | undefined
  readonly #crc: number
  readonly #shift: number
  /** The end of its bytes, while it is a dictionary. */
  #tail: Buffer | undefined
  #former: Unit | undefined
  readonly #followed: Followed[] = []

  constructor(bytes: Buffer) {
    this.length = bytes.length
    this.#crc = crc32(bytes) | 0
    this.#shift = shiftOf(bytes.length)
  }

  /** Checksum of a stream with this one, from that of the stream before it. */
  crcAfter(crc: number): number {
    return combine(crc, this.#crc, this.#shift)
  }

  /** Compressed for members with this history; undefined: it has not been. */
  after(history: Unit, gap: number): Buffer | undefined {
    for (const each of this.#followed) if (each.history === history && each.gap === gap) return each.coded
    return undefined
  }

  get hasRoom(): boolean {
    return this.#followed.length < MAX_FOLLOWED
  }

  add(history: Unit, gap: number, coded: Buffer): void {
    this.#followed.push({ history, gap, coded })
  }

  /**
   * The dictionary for what follows this unit after `gap` other bytes, which members have had of their own: they are in
   * its place, and are not referred to. Undefined: it is none.
   */
  dictionary(gap: number): Buffer | undefined {
    if (!this.#tail || gap === 0) return this.#tail
    return Buffer.concat([this.#tail, Buffer.alloc(gap, FILLER)])
  }

  /**
   * Becomes a dictionary, in place of `former`, whose own one no flush needs any more: members that are stuck since then
   * would keep it. `bytes` are its own.
   */
  hold(bytes: Buffer, former: Unit | undefined): void {
    if (former) former.#former?.release()
    this.#former = former
    this.#tail = ownBytes(bytes.subarray(-DICTIONARY_BYTES))
  }

  /** Bytes of the dictionary. */
  get held(): number {
    return this.#tail?.length ?? 0
  }

  /** No longer a dictionary, and its compressed bytes are released. */
  release(): void {
    this.#tail = undefined
    this.#former = undefined
    this.#followed.length = 0
    this.alone = undefined
  }
}
