/** Reads a response of Kafka's protocol (see ByteWriter). @throws RangeError where the response ends too early. */
export class ByteReader {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  int8(): number {
    return this.#bytes.readInt8(this.#pass(1))
  }

  int16(): number {
    return this.#bytes.readInt16BE(this.#pass(2))
  }

  int32(): number {
    return this.#bytes.readInt32BE(this.#pass(4))
  }

  /** Exact up to 2^53. */
  int64(): number {
    const at = this.#pass(8)
    return this.#bytes.readInt32BE(at) * 2 ** 32 + this.#bytes.readUInt32BE(at + 4)
  }

  bigint64(): bigint {
    return this.#bytes.readBigInt64BE(this.#pass(8))
  }

  string(): string {
    return this.nullableString() ?? ''
  }

  nullableString(): string | null {
    return this.#text(this.int16())
  }

  /** Bytes with their length in front; a view. Null becomes empty. */
  bytes(): Buffer {
    const length = Math.max(0, this.int32())
    const at = this.#pass(length)
    return this.#bytes.subarray(at, at + length)
  }

  array<T>(read: () => T): T[] {
    return this.#list(this.int32(), read)
  }

  compactString(): string {
    return this.compactNullableString() ?? ''
  }

  compactNullableString(): string | null {
    return this.#text(this.#uvarint() - 1)
  }

  compactArray<T>(read: () => T): T[] {
    return this.#list(this.#uvarint() - 1, read)
  }

  /** A 16-byte id in hexadecimal. */
  uuid(): string {
    const at = this.#pass(16)
    return this.#bytes.toString('hex', at, at + 16)
  }

  skipTags(): void {
    for (let left = this.#uvarint(); left > 0; left--) {
      this.#uvarint()
      this.#pass(this.#uvarint())
    }
  }

  #text(length: number): string | null {
    if (length < 0) return null
    const at = this.#pass(length)
    return this.#bytes.toString('utf8', at, at + length)
  }

  #list<T>(length: number, read: () => T): T[] {
    const items: T[] = []
    for (let left = length; left > 0; left--) items.push(read())
    return items
  }

  #uvarint(): number {
    let value = 0
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.#bytes.readUInt8(this.#pass(1))
      value += (byte & 0x7f) * 2 ** shift
      if (byte < 0x80) return value
    }
    throw new RangeError('A number of the response is too long')
  }

  #pass(count: number): number {
    const at = this.#at
    if (count < 0 || at + count > this.#bytes.length) throw new RangeError('The response ends too early')
    this.#at += count
    return at
  }
}
