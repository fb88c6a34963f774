/*
 * Node allocates small Buffers from a pool of 8 KiB, which is shared with bytes of all kinds: one that is kept for long
 * holds on to the memory of all that were made around it. These have memory of their own, for what is kept and small.
 */

/** The bytes, or a copy where they are a part of other memory. */
export function ownBytes(bytes: Buffer): Buffer {
  if (bytes.buffer.byteLength === bytes.length) return bytes
  const own = Buffer.allocUnsafeSlow(bytes.length)
  bytes.copy(own)
  return own
}

/** A text in UTF-8. */
export function ownText(text: string): Buffer {
  const own = Buffer.allocUnsafeSlow(Buffer.byteLength(text))
  own.write(text)
  return own
}
