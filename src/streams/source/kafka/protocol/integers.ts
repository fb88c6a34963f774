import { Corrupt } from './undecodable.ts'

/** Offsets within a batch are larger by less than 2^31, and so are exact. */
const MAX_OFFSET = 2 ** 53 - 2 ** 31

/** A signed integer of 64 bits. Exact up to 2^53. */
export function int64At(bytes: Buffer, at: number): number {
  return bytes.readInt32BE(at) * 2 ** 32 + bytes.readUInt32BE(at + 4)
}

export function offsetAt(bytes: Buffer, at: number): number {
  const offset = int64At(bytes, at)
  if (offset < 0 || offset >= MAX_OFFSET) throw new Corrupt('its offset is negative or too large')
  return offset
}
