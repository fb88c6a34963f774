const INITIAL_BYTES = 256

/** Writes a request of Kafka's protocol: big-endian numbers, strings and arrays with their length in front. */
export class ByteWriter {
  #bytes = Buffer.allocUnsafe(INITIAL_BYTES)
  #length = 0

  get buffer(): Buffer {
    return this.#bytes.subarray(0, this.#length)
  }

  int8(value: number): this {
    const at = this.#reserve(1)
    this.#bytes.writeInt8(value, at)
    return this
  }

  int16(value: number): this {
    const at = this.#reserve(2)
    this.#bytes.writeInt16BE(value, at)
    return this
  }

  int32(value: number): this {
    const at = this.#reserve(4)
    this.#bytes.writeInt32BE(value, at)
    return this
  }

  /** Any integer up to 2^53 in size. */
  int64(value: number): this {
    const at = this.#reserve(8)
    this.#bytes.writeInt32BE(Math.floor(value / 2 ** 32), at)
    this.#bytes.writeUInt32BE(value >>> 0, at + 4)
    return this
  }

  string(text: string): this {
    return this.int16(Buffer.byteLength(text)).#text(text)
  }

  array<T>(items: readonly T[], write: (item: T) => void): this {
    this.int32(items.length)
    for (const item of items) write(item)
    return this
  }

  /** Forms of the "flexible" versions: the length plus one, as an unsigned varint. */
  compactString(text: string): this {
    return this.#uvarint(Buffer.byteLength(text) + 1).#text(text)
  }

  compactArray<T>(items: readonly T[], write: (item: T) => void): this {
    this.#uvarint(items.length + 1)
    for (const item of items) write(item)
    return this
  }

  noTags(): this {
    return this.int8(0)
  }

  bytes(bytes: Buffer): this {
    const at = this.#reserve(bytes.length)
    bytes.copy(this.#bytes, at)
    return this
  }

  #text(text: string): this {
    const at = this.#reserve(Buffer.byteLength(text))
    this.#bytes.write(text, at)
    return this
  }

  #uvarint(value: number): this {
    let rest = value
    for (; rest >= 0x80; rest >>>= 7) this.#byte((rest & 0x7f) | 0x80)
    return this.#byte(rest)
  }

  #byte(value: number): this {
    const at = this.#reserve(1)
    this.#bytes[at] = value
    return this
  }

  /** Position of the next `count` bytes. To be called before `#bytes` is read, which it may replace. */
  #reserve(count: number): number {
    const at = this.#length
    this.#length += count
    if (this.#length > this.#bytes.length) {
      const larger = Buffer.allocUnsafe(Math.max(this.#length, this.#bytes.length * 2))
      this.#bytes.copy(larger, 0, 0, at)
      this.#bytes = larger
    }
    return at
  }
}
