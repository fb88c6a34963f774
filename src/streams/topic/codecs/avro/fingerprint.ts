/** The polynomial of CRC-64-AVRO, which is the fingerprint of an empty text too. */
const EMPTY = 0xc15d213aa4d7a795n
const TABLE = Array.from({ length: 256 }, (_, byte) => {
  let value = BigInt(byte)
  for (let bit = 0; bit < 8; bit++) value = (value >> 1n) ^ (EMPTY & -(value & 1n))
  return BigInt.asUintN(64, value)
})

/** CRC-64-AVRO of a schema's canonical form, by the Avro specification; its 8 bytes, little-endian. */
export function fingerprintOf(canonical: string): Buffer {
  let value = EMPTY
  for (const byte of Buffer.from(canonical)) {
    value = (value >> 8n) ^ (TABLE[Number((value ^ BigInt(byte)) & 0xffn)] as bigint)
  }
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64LE(BigInt.asUintN(64, value))
  return bytes
}
