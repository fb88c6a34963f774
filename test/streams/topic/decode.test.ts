import fc from 'fast-check'
import { expect, test } from 'vitest'
import { z } from 'zod'
import type { EventRecord, RawRecord, StreamEvent } from '../../../src/streams/event.ts'
import { decode, MAX_EVENT_BYTES } from '../../../src/streams/topic/decode.ts'
import { defineTopic } from '../../../src/streams/topic/topic.ts'
import { orders } from '../../../src/streams/topics/orders.ts'
import { anOrder } from '../../kit/gateway.ts'
import { STAMPS } from '../../kit/stamps.ts'
import { Statistics } from '../../kit/statistics.ts'

function record(value: string | Buffer | null, more: Partial<RawRecord> = {}): RawRecord {
  return {
    partition: 3,
    offset: 41,
    timestamp: 1_800_000_000_000,
    key: null,
    value: typeof value === 'string' ? Buffer.from(value) : value,
    headers: undefined,
    ...more,
  }
}

const good = (more: Partial<RawRecord> = {}) => record(JSON.stringify(anOrder({ id: 'ord_1' })), more)

function decoded(raw: RawRecord): StreamEvent<ReturnType<typeof anOrder>> {
  const event = decode(orders, raw)
  if (!('kind' in event)) throw new Error(`No event: ${JSON.stringify(event)}`)
  return event
}

function nested(depth: number): string {
  return `${'['.repeat(depth)}${']'.repeat(depth)}`
}

test('a valid record becomes a typed event with its place, time, key and headers', () => {
  expect(decoded(good({ key: Buffer.from('m_0042'), headers: { source: 'till' } }))).toEqual({
    kind: 'event',
    topic: 'orders',
    partition: 3,
    offset: 41,
    timestamp: 1_800_000_000_000,
    key: 'm_0042',
    headers: { source: 'till' },
    value: anOrder({ id: 'ord_1' }),
  })
})

test('properties that the schema does not know are dropped', () => {
  const text = JSON.stringify({ ...anOrder({ id: 'ord_1' }), cardNumber: '4111' })
  expect(decoded(record(text)).value).toEqual(anOrder({ id: 'ord_1' }))
})

test.each([
  ['empty', record(''), 'codec', 'The value is not valid JSON'],
  ['text', record('hello'), 'codec', 'The value is not valid JSON'],
  ['half a JSON object', record('{"id": "ord_1"'), 'codec', 'The value is not valid JSON'],
  ['invalid UTF-8', record(Buffer.from([0x22, 0xff, 0xfe, 0x22])), 'codec', 'The value is not valid UTF-8'],
  ['JSON null', record('null'), 'schema', 'value: '],
  ['a number', record('7'), 'schema', 'value: '],
  ['a list', record('[]'), 'schema', 'value: '],
  ['an object without properties', record('{}'), 'schema', 'id: '],
  ['an unknown region', record(JSON.stringify({ ...anOrder(), region: 'MOON' })), 'schema', 'region: '],
  ['a wrong type', record(JSON.stringify({ ...anOrder(), itemCount: '3' })), 'schema', 'itemCount: '],
  ['too deep for a call stack', record(nested(100_000)), 'schema', 'value: '],
  ['2 MiB', record('x'.repeat(2 * 1024 * 1024)), 'too_large', 'The value has 2097152 bytes'],
  ['a byte too large', record('x'.repeat(MAX_EVENT_BYTES + 1)), 'too_large', `more than ${MAX_EVENT_BYTES}`],
] as const)('a value that is %s is no event, and the reason is told', (_what, raw, reason, detail) => {
  const failure = decode(orders, raw)
  expect(failure).toMatchObject({ reason, detail: expect.stringContaining(detail) })
})

test('the limit of a value is a setting, in bytes of the record, and by default what Kafka takes by default', () => {
  const text = JSON.stringify(anOrder({ city: 'ü'.repeat(100) }))
  const bytes = Buffer.byteLength(text)
  expect(decode(orders, record(text), { maxBytes: bytes })).toHaveProperty('kind', 'event')
  expect(decode(orders, record(text), { maxBytes: bytes - 1 })).toEqual({
    reason: 'too_large',
    detail: `The value has ${bytes} bytes, more than ${bytes - 1}`,
  })
  expect(MAX_EVENT_BYTES).toBe(1_048_588)
})

test('a value as large as allowed is an event', () => {
  const empty = JSON.stringify({ ...anOrder({ id: 'ord_1' }), city: '' })
  const text = JSON.stringify({ ...anOrder({ id: 'ord_1' }), city: 'x'.repeat(MAX_EVENT_BYTES - empty.length) })
  expect(text.length).toBeGreaterThanOrEqual(MAX_EVENT_BYTES - 8)
  expect(decoded(record(text)).value.city).toHaveLength(MAX_EVENT_BYTES - empty.length)
})

test('what is wrong is told without the value itself', () => {
  const secret = 'hunter2'
  const failures = [
    record(secret),
    record(JSON.stringify({ ...anOrder(), region: secret })),
    record(JSON.stringify(secret)),
  ].map((raw) => decode(orders, raw))
  expect(JSON.stringify(failures)).not.toContain(secret)
})

test('a schema that throws makes no event, and does no harm', () => {
  const throwing = defineTopic('throwing', {
    schema: z.object({ n: z.string().transform((text) => Number(BigInt(text))) }),
  })
  expect(decode(throwing, record('{"n":"7"}'))).toMatchObject({ value: { n: 7 } })
  expect(decode(throwing, record('{"n":"seven"}'))).toMatchObject({ reason: 'schema' })
})

test('a value nested deeper than 100 levels is no event where the schema takes anything', () => {
  const anything = defineTopic('anything', { schema: z.unknown() })
  expect(decode(anything, record(nested(100)))).toHaveProperty('kind', 'event')
  expect(decode(anything, record(nested(101)))).toMatchObject({ reason: 'schema' })
  expect(decode(anything, record(nested(200_000)))).toMatchObject({ reason: 'schema' })
  const tree: z.ZodType<unknown> = z.lazy(() => z.array(tree))
  expect(decode(defineTopic('tree', { schema: tree }), record(nested(200_000)))).toMatchObject({ reason: 'schema' })
})

test('what is nested deeper is dropped where the schema has a depth of its own', () => {
  const text = `{"more":${nested(200_000)},${JSON.stringify(anOrder({ id: 'ord_1' })).slice(1)}`
  expect(decoded(record(text)).value).toEqual(anOrder({ id: 'ord_1' }))
  expect(decode(orders, record(`{"more":${nested(200_000)}}`))).toMatchObject({
    reason: 'schema',
    detail: expect.stringContaining('id: '),
  })
  const some = z.object({ id: z.string(), some: z.unknown().optional() })
  expect(decode(defineTopic('some', { schema: some }), record(text))).toMatchObject({ reason: 'schema' })
})

test('zod has the last word: it takes a value that the compiled schema refuses', () => {
  let calls = 0
  const fickle = z.object({ id: z.string().refine(() => calls++ % 2 === 1) })
  expect(decode(defineTopic('fickle', { schema: fickle }), record('{"id":"a"}'))).toMatchObject({ value: { id: 'a' } })
})

test('a property named __proto__ pollutes nothing', () => {
  const text = `{"__proto__":{"admin":true},"constructor":{"prototype":{"admin":true}},${JSON.stringify(anOrder()).slice(1)}`
  const event = decoded(record(text, { headers: { ['__proto__']: 'x' } }))
  for (const object of [{}, event, event.value, event.headers]) expect(object).not.toHaveProperty('admin')
  expect(Object.keys(event.value)).toEqual(Object.keys(anOrder()))
})

/** kafkajs gives null for a header without a value, whatever its types say, also within a list. */
const header = fc.oneof(
  fc.constantFrom(null, undefined, ''),
  fc.string(),
  fc.uint8Array({ maxLength: 9 }).map((bytes) => Buffer.from(bytes)),
)
const records: fc.Arbitrary<RawRecord> = fc.record({
  partition: fc.oneof(fc.nat(11), fc.double()),
  offset: fc.oneof(fc.nat(), fc.double()),
  timestamp: fc.oneof(fc.constantFrom(...Object.values(STAMPS)), fc.double()),
  key: fc.option(fc.uint8Array().map((bytes) => Buffer.from(bytes))),
  headers: fc.option(
    fc.dictionary(
      fc.oneof(fc.constantFrom('__proto__', 'constructor'), fc.string()),
      fc.oneof(header, fc.array(header)),
    ),
    { nil: undefined },
  ) as fc.Arbitrary<RawRecord['headers']>,
  value: fc.oneof(
    fc.constantFrom(null, Buffer.from('null'), Buffer.from(JSON.stringify(anOrder()))),
    fc.json().map((text) => Buffer.from(text)),
    fc.uint8Array().map((bytes) => Buffer.from(bytes)),
  ),
})

test('whatever a record is made of, it is an event or a failure that says why', () => {
  const anything = defineTopic('anything', { schema: z.unknown() })
  const statistics = new Statistics('records', [
    'event',
    'failure',
    'tombstone',
    'header without a value, in a list',
    'odd timestamp',
  ])
  fc.assert(
    fc.property(records, (raw) => {
      const decoded = decode(anything, raw)
      statistics.count('kind' in decoded ? 'event' : 'skipped' in decoded ? 'tombstone' : 'failure')
      if (Object.values(raw.headers ?? {}).some((each) => Array.isArray(each) && each.at(-1) === null))
        statistics.count('header without a value, in a list')
      if (!(raw.timestamp >= 0 && raw.timestamp < 2 ** 48)) statistics.count('odd timestamp')
      if (!('kind' in decoded)) return
      expect(decoded.timestamp).toBe(raw.timestamp)
      for (const text of Object.values(decoded.headers)) expect(typeof text).toBe('string')
    }),
    { numRuns: 2000 },
  )
  statistics.report()
})

test('a codec gets the record beside the bytes: key, headers, timestamp, partition and offset', () => {
  const given: EventRecord[] = []
  const codec = (bytes: Buffer, { key, headers, timestamp, partition, offset }: EventRecord) => {
    given.push({ key, headers, timestamp, partition, offset })
    return headers.encoding === 'text' ? { text: String(bytes) } : JSON.parse(String(bytes))
  }
  const notes = defineTopic('notes', { schema: z.object({ text: z.string() }), codec })
  const raw = record('{"text":"a"}', { key: Buffer.from('k'), headers: { encoding: Buffer.from('text') } })
  expect(decode(notes, raw)).toMatchObject({ value: { text: '{"text":"a"}' } })
  expect(decode(notes, record('{"text":"a"}'))).toMatchObject({ value: { text: 'a' } })
  const place = { timestamp: 1_800_000_000_000, partition: 3, offset: 41 }
  expect(given).toEqual([
    { key: 'k', headers: { encoding: 'text' }, ...place },
    { key: null, headers: {}, ...place },
  ])
})

const boom = (): never => {
  throw new TypeError('boom')
}

test.each([
  ['throws', boom],
  ['returns a promise', async () => ({ text: 'a' })],
  ['returns a promise that rejects', async () => boom()],
])('a codec that %s makes no event, and is told of as a codec, not as JSON', (_how, codec) => {
  const notes = defineTopic('notes', { schema: z.object({}), codec })
  expect(decode(notes, record('x'))).toEqual({ reason: 'codec', detail: 'The codec failed on it' })
})

test('a codec whose values cannot be looked into makes no event, and does no harm', () => {
  const codec = () => ({
    get trap() {
      throw new Error('No')
    },
  })
  expect(decode(defineTopic('traps', { schema: z.unknown(), codec }), record('x'))).toMatchObject({ reason: 'codec' })
})

test('headers are text, and one sent several times keeps its last value', () => {
  const { headers } = decoded(
    good({
      headers: {
        one: Buffer.from('1'),
        several: [Buffer.from('a'), 'b', Buffer.from('c')],
        none: [],
        missing: undefined,
        binary: Buffer.from([0xff, 0x00]),
      },
    }),
  )
  expect(headers).toEqual({ one: '1', several: 'c', binary: '\ufffd\0' })
})

test('events without headers share one empty object that nobody can change', () => {
  const { headers } = decoded(good())
  expect(decoded(good({ headers: {} })).headers).toBe(headers)
  expect(Object.isFrozen(headers)).toBe(true)
})

test('a key is text, an empty one is empty, and no key is null', () => {
  expect(decoded(good({ key: Buffer.from('m_ü') })).key).toBe('m_ü')
  expect(decoded(good({ key: Buffer.alloc(0) })).key).toBe('')
  expect(decoded(good()).key).toBeNull()
})

test("nothing of the record's buffers is kept", () => {
  const response = Buffer.from(`m_0042|till|${JSON.stringify(anOrder({ id: 'ord_1' }))}`)
  const event = decoded(
    record(response.subarray(12), { key: response.subarray(0, 6), headers: { source: response.subarray(7, 11) } }),
  )
  response.fill(0)
  expect(event).toMatchObject({ key: 'm_0042', headers: { source: 'till' }, value: anOrder({ id: 'ord_1' }) })
  const parts = [event, event.headers, event.value, ...Object.values(event.value)]
  expect(parts.some((part) => ArrayBuffer.isView(part))).toBe(false)
})
