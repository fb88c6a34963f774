import { finite, type LongOptions, longOf } from '../longs.ts'
import { DELIMITED, FIXED32, FIXED64, type ProtoReader, VARINT } from './proto-reader.ts'

export interface Scalar {
  readonly wireType: number
  readonly read: (reader: ProtoReader) => unknown
  /** Of a field without presence that is not there. */
  readonly initial: unknown
}

/** How the scalar types are read, by their names in a definition. */
export function scalars({ longs }: LongOptions): Readonly<Record<string, Scalar>> {
  const long = (wireType: number, read: (reader: ProtoReader) => number | bigint): Scalar => ({
    wireType,
    read: (reader) => longOf(read(reader), longs),
    initial: longOf(0, longs),
  })
  const number = (wireType: number, read: (reader: ProtoReader) => number): Scalar => ({ wireType, read, initial: 0 })
  return {
    double: number(FIXED64, (reader) => finite(reader.bytes.readDoubleLE(reader.skip(8)))),
    float: number(FIXED32, (reader) => finite(reader.bytes.readFloatLE(reader.skip(4)))),
    int32: number(VARINT, (reader) => reader.uint32() | 0),
    uint32: number(VARINT, (reader) => reader.uint32()),
    sint32: number(VARINT, (reader) => zigzag(reader.uint32())),
    fixed32: number(FIXED32, (reader) => reader.bytes.readUInt32LE(reader.skip(4))),
    sfixed32: number(FIXED32, (reader) => reader.bytes.readInt32LE(reader.skip(4))),
    int64: long(VARINT, (reader) => reader.int64()),
    uint64: long(VARINT, (reader) => reader.uint64()),
    sint64: long(VARINT, (reader) => reader.sint64()),
    fixed64: long(FIXED64, (reader) => reader.fixed64(false)),
    sfixed64: long(FIXED64, (reader) => reader.fixed64(true)),
    bool: { wireType: VARINT, read: (reader) => Number(reader.varint()) !== 0, initial: false },
    string: { wireType: DELIMITED, read: (reader) => reader.text(), initial: '' },
    bytes: { wireType: DELIMITED, read: (reader) => reader.base64(), initial: '' },
  }
}

function zigzag(value: number): number {
  return (value >>> 1) ^ -(value & 1)
}
