import { ResumeError } from './resume-error.ts'

/** One block of an event stream: all its lines and the blank one that ends it. */
export interface Block {
  /** The block as it came, byte for byte. */
  readonly bytes: Uint8Array
  /** The last usable `id:` in it; '' takes the position back, undefined: it says nothing of the position. */
  readonly id: string | undefined
  /** The last usable `retry:` in it, ms. */
  readonly retryMs: number | undefined
  readonly event: string
  /** Whether any `data:` has a value. */
  readonly hasData: boolean
}

const LF = 10
const CR = 13
const SPACE = 32
const COLON = 58
const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf]

/** What is set aside for a block that has not ended; it doubles when that is too little. */
const FIRST_CAPACITY = 4 * 1024
/** A buffer that grew beyond this is let go of once its block has been given out. */
const KEPT_CAPACITY = 64 * 1024

/** A byte order mark within a value is a character of it. */
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

/**
 * Cuts an event stream into its blocks, by the WHATWG's rules for event streams: a line ends with LF, CR or CRLF, a
 * blank one ends a block, a byte order mark may come first. Each byte is looked at once, wherever the stream is cut.
 *
 * A CR may be the first half of a CRLF. Where the two come apart, the block ends at the CR, and the LF comes first in
 * the next one, where every parser has to pass it over.
 */
export class BlockReader {
  readonly #maxBytes: number
  #buffer = new Uint8Array(FIRST_CAPACITY)
  #length = 0
  #lineStart = 0
  #afterCr = false
  #atStart = true
  #id: string | undefined
  #retryMs: number | undefined
  #event = ''
  #hasData = false

  /** @param maxBytes the largest block that is taken, its blank line included */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  /**
   * The blocks that end within this chunk. Take them all before the next chunk is read.
   * @throws ResumeError BLOCK_TOO_LARGE, after all blocks before the one that is
   */
  *read(chunk: Uint8Array): Generator<Block, void> {
    let at = this.#length
    this.#append(chunk)
    const buffer = this.#buffer
    const length = this.#length
    let blockStart = 0
    for (; at < length; at++) {
      const byte = buffer[at]
      if (byte !== LF && byte !== CR) {
        this.#afterCr = false
        continue
      }
      const halfOfCrLf = byte === LF && this.#afterCr
      this.#afterCr = byte === CR
      if (halfOfCrLf) {
        this.#lineStart = at + 1
        continue
      }

      const line = this.#line(at)
      this.#lineStart = at + 1
      if (line.length > 0) {
        this.#field(line)
        continue
      }
      if (byte === CR && at + 1 < length && buffer[at + 1] === LF) {
        at++
        this.#lineStart++
        this.#afterCr = false
      }
      this.#check(at + 1 - blockStart)
      const bytes = buffer.slice(blockStart, at + 1)
      blockStart = at + 1
      yield this.#end(bytes)
    }
    this.#drop(blockStart)
    this.#check(this.#length)
  }

  #append(chunk: Uint8Array): void {
    const needed = this.#length + chunk.length
    if (needed > this.#buffer.length) this.#resize(Math.max(needed, this.#buffer.length * 2))
    this.#buffer.set(chunk, this.#length)
    this.#length = needed
  }

  /** Lets go of the bytes before this place. */
  #drop(start: number): void {
    if (start === 0) return
    this.#buffer.copyWithin(0, start, this.#length)
    this.#length -= start
    this.#lineStart -= start
    if (this.#buffer.length > KEPT_CAPACITY && this.#length <= KEPT_CAPACITY) this.#resize(KEPT_CAPACITY)
  }

  #resize(capacity: number): void {
    const buffer = new Uint8Array(capacity)
    buffer.set(this.#buffer.subarray(0, this.#length))
    this.#buffer = buffer
  }

  #check(bytes: number): void {
    if (bytes <= this.#maxBytes) return
    throw new ResumeError('BLOCK_TOO_LARGE', `A block of the stream is larger than ${this.#maxBytes} bytes`)
  }

  /** The line that ends at this place, without its end. */
  #line(end: number): Uint8Array {
    const line = this.#buffer.subarray(this.#lineStart, end)
    const marked = this.#atStart && BYTE_ORDER_MARK.every((byte, i) => line[i] === byte)
    this.#atStart = false
    return marked ? line.subarray(BYTE_ORDER_MARK.length) : line
  }

  #field(line: Uint8Array): void {
    const colon = line.indexOf(COLON)
    const nameEnd = colon < 0 ? line.length : colon
    const valueStart = nameEnd + (line[nameEnd + 1] === SPACE ? 2 : 1)
    if (nameEnd > 'event'.length) return // no name that matters; it may be a long line without a colon
    const name = decoder.decode(line.subarray(0, nameEnd))
    // The data are decoded by whoever reads the stream.
    if (name === 'data') this.#hasData ||= valueStart < line.length
    if (name !== 'id' && name !== 'event' && name !== 'retry') return
    const value = decoder.decode(line.subarray(valueStart))
    if (name === 'event') this.#event = value
    else if (name === 'retry') this.#retryMs = /^\d+$/.test(value) ? Number(value) : this.#retryMs
    else if (!value.includes('\0')) this.#id = value
  }

  #end(bytes: Uint8Array): Block {
    const block = { bytes, id: this.#id, retryMs: this.#retryMs, event: this.#event, hasData: this.#hasData }
    this.#id = this.#retryMs = undefined
    this.#event = ''
    this.#hasData = false
    return block
  }
}

/** The data of a block: the values of its `data:` lines. @throws SyntaxError or TypeError where it is no JSON object */
export function dataOf({ bytes }: Block): unknown {
  const lines = decoder.decode(bytes).split(/\r\n|\r|\n/)
  const data = lines.filter((line) => line.startsWith('data:'))
  const value = JSON.parse(data.map((line) => line.slice(line[5] === ' ' ? 6 : 5)).join('\n'))
  if (typeof value === 'object' && value !== null) return value
  throw new TypeError('The data of a block are no JSON object')
}
