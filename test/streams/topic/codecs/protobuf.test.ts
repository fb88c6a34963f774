import protobuf from 'protobufjs'
import { describe, expect, it } from 'vitest'
import { CodecFailure, protobufCodec } from '../../../../src/index.ts'
import { RECORD } from './records.ts'

const SHOP = `
syntax = "proto3";
package shop;
import "google/protobuf/timestamp.proto";
import "google/protobuf/duration.proto";
import "google/protobuf/wrappers.proto";
import "google/protobuf/struct.proto";
message Order {
  string order_id = 1;
  int64 total = 2;
  uint64 serial = 3;
  sint32 change = 4;
  fixed64 mark = 5;
  double ratio = 6;
  bool open = 7;
  bytes raw = 8;
  State state = 9;
  repeated string tags = 10;
  repeated int32 counts = 11;
  map<string, int64> sums = 12;
  map<int32, Line> lines = 13;
  optional int32 maybe = 14;
  Line line = 15;
  oneof payment { string card = 16; Line cash = 17; }
  google.protobuf.Timestamp at = 18;
  google.protobuf.Duration took = 19;
  google.protobuf.StringValue note = 20;
  google.protobuf.Int64Value big = 21;
  google.protobuf.Struct any = 22;
  Node tree = 23;
  enum State { UNKNOWN = 0; OPEN = 1; CLOSED = 2; }
  message Line { int32 n = 1; string text = 2; }
}
message Node { Node next = 1; }
`
const root = protobuf.parse(SHOP, { keepCase: true }).root
for (const name of ['timestamp', 'duration', 'wrappers', 'struct']) {
  root.addJSON(protobuf.common.get(`google/protobuf/${name}.proto`)?.nested ?? {})
}
const Order = root.lookupType('shop.Order')
const codec = protobufCodec(SHOP, { message: 'Order' })

/** What the bytes of a message of protobufjs decode to. */
function decoded(fields: object, options: { longs?: 'text' } = {}): unknown {
  const bytes = Buffer.from(Order.encode(Order.fromObject(fields)).finish())
  return protobufCodec(SHOP, { message: 'shop.Order', ...options })(bytes, RECORD)
}

const EMPTY = {
  order_id: '',
  total: 0,
  serial: 0,
  change: 0,
  mark: 0,
  ratio: 0,
  open: false,
  raw: '',
  state: 'UNKNOWN',
  tags: [],
  counts: [],
  sums: {},
  lines: {},
}

describe('Protobuf', () => {
  it('keeps the names of the definition; messages and optional fields that are not there are absent', () => {
    expect(codec(Buffer.alloc(0), RECORD)).toEqual(EMPTY)
    expect(decoded({ order_id: 'a', maybe: 0, line: {} })).toEqual({
      ...EMPTY,
      order_id: 'a',
      maybe: 0,
      line: { n: 0, text: '' },
    })
  })

  it('decodes scalars, enums, lists, maps and oneofs', () => {
    const fields = {
      order_id: 'höchst 💶',
      total: -5,
      serial: 7,
      change: -3,
      mark: 2 ** 40,
      ratio: 0.1,
      open: true,
      raw: Buffer.from([255, 0]).toString('base64'),
      state: 'CLOSED',
      tags: ['', 'b'],
      counts: [1, -1, 2 ** 31 - 1],
      sums: { a: 1, b: 2 ** 52 },
      lines: { 5: { n: 1, text: 'x' } },
      card: 'c',
    }
    expect(decoded(fields)).toEqual({ ...fields })
  })

  it('decodes well-known types to the forms of the API', () => {
    const decodedOf = (fields: object) => decoded(fields) as Record<string, unknown>
    expect(decodedOf({ at: { seconds: 1_732_702_530, nanos: 0 } }).at).toBe('2024-11-27T10:15:30Z')
    expect(decodedOf({ at: { seconds: 1_732_702_530, nanos: 120_000_000 } }).at).toBe('2024-11-27T10:15:30.120Z')
    expect(decodedOf({ at: { seconds: -1, nanos: 1 } }).at).toBe('1969-12-31T23:59:59.000000001Z')
    expect(decodedOf({ took: { seconds: 1, nanos: 500_000_000 } }).took).toBe('1.500s')
    expect(decodedOf({ took: { seconds: 0, nanos: -1_000 } }).took).toBe('-0.000001s')
    expect(decodedOf({ note: {} }).note).toBe('')
    expect(decodedOf({ note: { value: 'n' }, big: { value: 3 } })).toMatchObject({ note: 'n', big: 3 })
    const any = {
      fields: {
        a: { numberValue: 1 },
        b: { listValue: { values: [{ stringValue: 'x' }, { boolValue: false }] } },
        c: { nullValue: 0 },
      },
    }
    expect(decodedOf({ any }).any).toEqual({ a: 1, b: ['x', false], c: null })
  })

  it('does not round 64-bit integers: it refuses the record, or decodes all to text', () => {
    const big = '8180808080808010' // 2^53 + 1
    const min = '80808080808080808001' // -2^63
    const read = (hex: string, options: { longs?: 'text' } = {}) =>
      protobufCodec(SHOP, { message: 'Order', ...options })(Buffer.from(hex, 'hex'), RECORD)
    for (const hex of [`10${big}`, `18${big}`, '290100000000002000', `aa010908${big}`, `620e0a016110${min}`]) {
      expect(() => read(hex), hex).toThrow("`longs: 'text'`")
    }
    expect(read(`10${min}18${big}620e0a016110${min}`, { longs: 'text' })).toMatchObject({
      total: '-9223372036854775808',
      serial: '9007199254740993',
      sums: { a: '-9223372036854775808' },
      mark: '0',
    })
    expect(decoded({ total: 5 }, { longs: 'text' })).toMatchObject({ total: '5' })
  })

  it('takes the last of several values, merges messages in parts, and clears the rest of a oneof', () => {
    const parts = [
      { card: 'x', line: { n: 1 } },
      { line: { text: 't' }, order_id: 'a' },
      { cash: { n: 2 }, order_id: 'b' },
    ]
    const bytes = Buffer.concat(parts.map((part) => Order.encode(Order.fromObject(part)).finish()))
    expect(codec(bytes, RECORD)).toEqual({
      ...EMPTY,
      order_id: 'b',
      line: { n: 1, text: 't' },
      cash: { n: 2, text: '' },
    })
  })

  it('reads lists packed and not, and passes fields that it does not know', () => {
    const unpacked = Buffer.from('580158020a0161', 'hex')
    expect(codec(unpacked, RECORD)).toMatchObject({ counts: [1, 2], order_id: 'a' })
    const unknown = Buffer.from('c03e01ca3e0161cd3e00000000d13e0000000000000000d33e0801d43e', 'hex')
    expect(codec(unknown, RECORD)).toEqual(EMPTY)
  })

  it('resolves imports that it is given, and says which is missing', () => {
    const text = 'syntax = "proto3"; import "lib/money.proto"; message A { lib.Money m = 1; }'
    const money = { name: 'lib/money.proto', text: 'syntax = "proto3"; package lib; message Money { int32 n = 1; }' }
    expect(protobufCodec(text, { message: 'A', imports: [money] })(Buffer.from('0a020805', 'hex'), RECORD)).toEqual({
      m: { n: 5 },
    })
    expect(() => protobufCodec(text, { message: 'A' })).toThrow('The import "lib/money.proto" is missing')
    expect(() => protobufCodec('message A {', { message: 'A' })).toThrow(/cannot be used/)
    expect(() => protobufCodec(SHOP, { message: 'Nothing' })).toThrow(/Nothing/)
  })

  it('reads groups and required fields of proto2', () => {
    const text =
      'syntax = "proto2"; message A { required int32 n = 1; optional group Inner = 2 { optional string s = 3; } }'
    const old = protobufCodec(text, { message: 'A' })
    expect(old(Buffer.from('0805131a016114', 'hex'), RECORD)).toEqual({ n: 5, inner: { s: 'a' } })
    expect(() => old(Buffer.from('0805131a0161', 'hex'), RECORD)).toThrow('does not end')
  })

  it('ends hostile bytes as a failure, in bounded time and memory', () => {
    const fails = (hex: string) =>
      expect(() => codec(Buffer.from(hex, 'hex'), RECORD), hex.slice(0, 40)).toThrow(CodecFailure)
    fails('0a') // no length
    fails('0a05') // beyond the end
    fails('0affffffffffffffffff01') // 2^64 - 1 bytes
    fails('10ffffffffffffffffffffff01') // an integer of more than 64 bits
    fails('0001') // field 0
    fails('0e') // a wire type that is none
    fails('d33e') // a group without an end
    fails('d43e') // an end without a group
    fails('0a02c328') // no UTF-8
    fails('4863') // an enum of no name
    fails('31000000000000f07f') // infinity
    fails('9a010408ffffff') // an inner message that is cut
    // Nested deeper than any stack.
    let nested = Buffer.alloc(0)
    for (let level = 0; level < 200; level++)
      nested = Buffer.concat([Buffer.from([0x0a]), varint(nested.length), nested])
    fails(Buffer.concat([Buffer.from('ba01', 'hex'), varint(nested.length), nested]).toString('hex'))
    fails('d33e'.repeat(100_000))
    // Half a million parts of one message are read twice, not half a million times.
    const parts = Buffer.from('7a00'.repeat(500_000), 'hex')
    expect(codec(parts, RECORD)).toMatchObject({ line: { n: 0 } })
  })
})

function varint(value: number): Buffer {
  const bytes: number[] = []
  let rest = value
  for (; rest >= 0x80; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80)
  bytes.push(rest)
  return Buffer.from(bytes)
}
