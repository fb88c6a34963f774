import { CodecFailure } from '../../codec.ts'
import type { ProtoReader } from './proto-reader.ts'

/** Depth limit of nested messages. */
const MAX_INDEXES = 32
const FIRST: readonly number[] = [0]

/**
 * The path of a record's message among those of its schema, in Confluent's wire format: a count and so many places, in
 * zigzag varints. A count of 0 stands for the first message.
 */
export function readMessageIndexes(reader: ProtoReader): readonly number[] {
  const count = small(reader.sint64())
  if (count === 0) return FIRST
  if (count > MAX_INDEXES) throw new CodecFailure('The path of its message is too long')
  return Array.from({ length: count }, () => small(reader.sint64()))
}

function small(value: number | bigint): number {
  if (typeof value === 'number' && value >= 0 && value < 2 ** 31) return value
  throw new CodecFailure('The path of its message is negative or too long')
}
