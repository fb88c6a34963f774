import { CodecFailure } from '../codec.ts'

/** Limit of an unscaled value, in bytes: some 600 digits. Conversion to text takes the square of the length. */
const MAX_BYTES = 256
/** Limit of a scale, either way: each step is a digit. */
const MAX_SCALE = 1_000
/** So many bytes are read as a number at once. */
const NUMBER_BYTES = 6

/**
 * Decimal text of an unscaled two's-complement integer, big-endian, as Avro, Connect and Debezium have it. All digits of
 * the scale are kept: `1.50` at a scale of 2.
 * @throws CodecFailure for a longer one than the limits allow.
 */
export function decimalText(bytes: Buffer, scale: number): string {
  if (bytes.length > MAX_BYTES) throw new CodecFailure(`A decimal has ${bytes.length} bytes, more than ${MAX_BYTES}`)
  if (bytes.length === 0) return scaled('0', scale)
  if (bytes.length <= NUMBER_BYTES) return scaled(String(bytes.readIntBE(0, bytes.length)), scale)
  return scaled(String(BigInt.asIntN(bytes.length * 8, BigInt(`0x${bytes.toString('hex')}`))), scale)
}

/** The decimal point is set into an integer's text, or zeros are added for a negative scale. */
function scaled(integer: string, scale: number): string {
  if (scale === 0) return integer
  if (!Number.isInteger(scale) || Math.abs(scale) > MAX_SCALE) {
    throw new CodecFailure(`The scale of a decimal is not between -${MAX_SCALE} and ${MAX_SCALE}`)
  }
  if (scale < 0) return integer === '0' ? integer : integer + '0'.repeat(-scale)
  const sign = integer.startsWith('-') ? '-' : ''
  const digits = integer.slice(sign.length).padStart(scale + 1, '0')
  return `${sign}${digits.slice(0, -scale)}.${digits.slice(-scale)}`
}
