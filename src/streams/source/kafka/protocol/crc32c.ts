/** Castagnoli's polynomial (RFC 3720, appendix B.4), with the coefficient of x^0 in the highest bit. */
const POLYNOMIAL = 0x82_f6_3b_78
/** Bytes that are looked up at once. */
const SLICES = 16

/**
 * For each byte of a slice the checksums of all its 256 values, shifted by the number of bytes after it: the checksum
 * of the slice is their sum ("slicing by 16").
 */
const TABLE = (() => {
  const table = new Int32Array(SLICES * 256)
  for (let value = 0; value < 256; value++) {
    let crc = value
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1
    table[value] = crc
  }
  for (let at = 256; at < table.length; at++) {
    const crc = table[at - 256] as number
    table[at] = (crc >>> 8) ^ (table[crc & 255] as number)
  }
  return table
})()

/** CRC-32C of a part of the bytes, unsigned. node:zlib has another CRC-32, that of gzip. */
export function crc32c(bytes: Buffer, from: number, end: number): number {
  const table = TABLE
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  let crc = -1
  let at = from
  for (; at + SLICES <= end; at += SLICES) {
    const a = view.getInt32(at, true) ^ crc
    const b = view.getInt32(at + 4, true)
    const c = view.getInt32(at + 8, true)
    const d = view.getInt32(at + 12, true)
    crc =
      (table[0xf00 | (a & 255)] as number) ^
      (table[0xe00 | ((a >>> 8) & 255)] as number) ^
      (table[0xd00 | ((a >>> 16) & 255)] as number) ^
      (table[0xc00 | (a >>> 24)] as number) ^
      (table[0xb00 | (b & 255)] as number) ^
      (table[0xa00 | ((b >>> 8) & 255)] as number) ^
      (table[0x900 | ((b >>> 16) & 255)] as number) ^
      (table[0x800 | (b >>> 24)] as number) ^
      (table[0x700 | (c & 255)] as number) ^
      (table[0x600 | ((c >>> 8) & 255)] as number) ^
      (table[0x500 | ((c >>> 16) & 255)] as number) ^
      (table[0x400 | (c >>> 24)] as number) ^
      (table[0x300 | (d & 255)] as number) ^
      (table[0x200 | ((d >>> 8) & 255)] as number) ^
      (table[0x100 | ((d >>> 16) & 255)] as number) ^
      (table[d >>> 24] as number)
  }
  for (; at < end; at++) crc = (crc >>> 8) ^ (table[(crc ^ (bytes[at] as number)) & 255] as number)
  return ~crc >>> 0
}
