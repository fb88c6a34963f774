/**
 * Combination of CRC-32 checksums (the polynomial of gzip, RFC 1952), as in zlib's `crc32_combine`: that of two texts in
 * a row follows from those of both and the length of the second. Polynomials over GF(2) are integers, with the
 * coefficient of x^0 in the highest bit.
 */
const POLYNOMIAL = 0xed_b8_83_20
/** The polynomial 1. */
const ONE = 0x80_00_00_00

/** Product of two polynomials, modulo the CRC's. */
function multiply(one: number, other: number): number {
  let product = 0
  let shifted = other
  for (let mask = ONE; mask !== 0; mask >>>= 1) {
    if (one & mask) product ^= shifted
    shifted = shifted & 1 ? (shifted >>> 1) ^ POLYNOMIAL : shifted >>> 1
  }
  return product
}

/** x^(8 · 2^k), for each bit of a length in bytes. */
const POWERS: readonly number[] = (() => {
  let power = ONE >>> 8
  return Array.from({ length: 31 }, () => {
    const current = power
    power = multiply(power, power)
    return current
  })
})()

/** The factor by which so many further bytes (less than 2^31) shift a checksum. */
export function shiftOf(length: number): number {
  let shift = ONE
  for (let k = 0; length >>> k !== 0; k++) if ((length >>> k) & 1) shift = multiply(POWERS[k] as number, shift)
  return shift
}

/** The checksum of two texts in a row, as a signed 32-bit integer. `shift` is that of the second's length. */
export function combine(first: number, second: number, shift: number): number {
  return multiply(shift, first) ^ second
}
