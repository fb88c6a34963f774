const LF = 10
const CR = 13

/** A line, without its end, and its number from 1 on. */
export interface Line {
  readonly number: number
  readonly bytes: Buffer
  /** Longer than the limit: `bytes` is its beginning. */
  readonly isTooLong: boolean
}

/**
 * The lines of a stream of bytes: for each chunk those that end in it, so that a source that pauses holds nothing back. No
 * more than one line and one chunk is held. The rest of a line that is too long is skipped. A last line needs no end.
 */
export async function* linesOf(chunks: AsyncIterable<Uint8Array>, maxBytes: number): AsyncGenerator<Line[], void> {
  let number = 1
  let parts: Buffer[] = []
  let length = 0
  const add = (part: Buffer) => {
    const room = maxBytes + 1 - length
    if (room > 0 && part.length > 0) parts.push(part.subarray(0, room))
    length += part.length
  }
  const take = (): Line => {
    const all = Buffer.concat(parts)
    const isTooLong = length > maxBytes
    const bytes = isTooLong ? all.subarray(0, maxBytes) : all.at(-1) === CR ? all.subarray(0, -1) : all
    parts = []
    length = 0
    return { number: number++, bytes, isTooLong }
  }
  for await (const chunk of chunks) {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    const lines: Line[] = []
    let from = 0
    for (let end = bytes.indexOf(LF); end >= 0; end = bytes.indexOf(LF, from)) {
      add(bytes.subarray(from, end))
      lines.push(take())
      from = end + 1
    }
    add(Buffer.from(bytes.subarray(from))) // a copy: the chunk may be used again
    if (lines.length > 0) yield lines
  }
  if (length > 0) yield [take()]
}
