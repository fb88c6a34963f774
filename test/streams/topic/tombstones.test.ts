import { expect, test } from 'vitest'
import { z } from 'zod'
import { createBuilder } from '../../../src/schema/builder.ts'
import type { EventRecord, RawRecord } from '../../../src/streams/event.ts'
import { Feed } from '../../../src/streams/feed/feed.ts'
import { createEmbeddedLog } from '../../../src/streams/source/embedded/embedded.ts'
import type { OutgoingRecord } from '../../../src/streams/source/port.ts'
import { decode } from '../../../src/streams/topic/decode.ts'
import { defineTopic, type Topic } from '../../../src/streams/topic/topic.ts'
import { batchOf, paintFeed, ROOMY, recordOf } from '../../kit/feeds.ts'
import { startTestGateway } from '../../kit/gateway.ts'
import { recordedLog, silentLog } from '../../kit/log-lines.ts'
import { RawStream } from '../../kit/raw-stream.ts'
import { until } from '../../kit/until.ts'

const Account = z.object({ id: z.string().min(1), closed: z.boolean().default(false) })
/** Accounts by key: a tombstone closes one. */
const accounts = defineTopic('accounts', {
  schema: Account,
  index: ['id'],
  tombstones: ({ key }) => ({ id: key ?? '', closed: true }),
  deadLetterTopic: 'accounts-dead',
})

const boom = (): never => {
  throw new Error('boom')
}

function tombstoneOf(key: string | null, more: Partial<RawRecord> = {}): RawRecord {
  return { ...recordOf(2, 7, null), key: key === null ? null : Buffer.from(key), ...more }
}

/** A feed of one empty partition. */
function feedOf<V>(topic: Topic<V>, log = silentLog): Feed<V> {
  const feed = new Feed(topic, { limits: ROOMY, log })
  feed.begin([{ partition: 0, earliest: 0, next: 0 }], new Map([[0, 0]]))
  return feed
}

test('a tombstone is skipped, counted by itself, and no line is logged of it', () => {
  const { log, lines } = recordedLog()
  const feed = paintFeed({ log })
  const told: number[] = []
  feed.add({}, { onEvent: ({ offset }) => void told.push(offset), onGap: boom, failed: boom })
  const red = (offset: number) => recordOf(0, offset, { n: offset, color: 'red' })
  void feed.onBatch(batchOf(0, [red(0), recordOf(0, 1, null), recordOf(0, 2, null), red(3), recordOf(0, 4, null)]))
  expect(told).toEqual([0, 3])
  expect([feed.tombstones, feed.events, feed.poison.failures.size, feed.faults.count]).toEqual([3, 2, 0, 0])
  expect(feed.head).toEqual([5])
  expect(lines).toEqual([])
})

test('a function makes an event of a tombstone, from its key, headers, timestamp, partition and offset', () => {
  const given: EventRecord[] = []
  const topic = defineTopic('accounts', {
    schema: Account,
    tombstones({ key, headers, timestamp, partition, offset }) {
      given.push({ key, headers, timestamp, partition, offset })
      return { id: key ?? '', closed: true }
    },
  })
  const raw = tombstoneOf('a_1', { timestamp: 1234, headers: { by: Buffer.from('admin') } })
  const record = { key: 'a_1', headers: { by: 'admin' }, timestamp: 1234, partition: 2, offset: 7 }
  const value = { id: 'a_1', closed: true }
  expect(decode(topic, raw)).toEqual({ kind: 'event', topic: 'accounts', ...record, value })
  expect(given).toEqual([record])
})

test('the schema sees to the value of a tombstone as to any other: defaults apply, what it does not know is dropped', () => {
  const topic = defineTopic('accounts', { schema: Account, tombstones: () => ({ id: 'a', more: 1 }) })
  expect(decode(topic, tombstoneOf(null))).toMatchObject({ value: { id: 'a', closed: false } })
  expect(decode(topic, tombstoneOf(null))).not.toHaveProperty('value.more')
})

const circle: Record<string, unknown> = {}
circle.self = circle

test.each<[how: string, tombstones: () => unknown, detail: string]>([
  ['throws', boom, 'The function for tombstones failed on it'],
  ['returns nothing', () => undefined, 'value: '],
  ['returns null', () => null, 'value: '],
  ['returns what the schema refuses', () => ({ id: '' }), 'id: '],
  ['returns a promise', async () => ({ id: 'a' }), 'The function for tombstones failed on it'],
  ['returns a promise that rejects', async () => boom(), 'The function for tombstones failed on it'],
  ['returns what has no end', () => circle, 'id: Invalid input'],
  [
    'returns what cannot be read',
    () => ({
      get id() {
        return boom()
      },
    }),
    '',
  ],
])('a function that %s makes a failure of its own reason', (_how, tombstones, detail) => {
  const topic = defineTopic('accounts', { schema: Account, tombstones: tombstones as never })
  expect(decode(topic, tombstoneOf('a'))).toEqual({ reason: 'tombstone', detail: expect.stringContaining(detail) })
})

test('a topic whose schema takes null has no event of a tombstone, unless a function makes one', () => {
  const schema = z.object({ n: z.int() }).nullable()
  expect(decode(defineTopic('numbers', { schema }), recordOf(0, 0, null))).toEqual({ skipped: 'tombstone' })
  const topic = defineTopic('numbers', { schema, index: ['n'] as never, tombstones: () => null })
  const feed = feedOf(topic as Topic)
  const told: unknown[] = []
  feed.add({}, { onEvent: ({ value }) => void told.push(value), onGap: boom, failed: boom })
  void feed.onBatch(batchOf(0, [recordOf(0, 0, null), recordOf(0, 1, Buffer.from('null'))]))
  expect(told).toEqual([null, null])
  expect(feed.tombstones).toBe(0)
})

test('a tombstone that makes no event is dead-lettered, with an empty value that compaction does not remove', async () => {
  const { log, lines } = recordedLog()
  const sent: OutgoingRecord[] = []
  const sink = { send: async (_topic: string, records: readonly OutgoingRecord[]) => void sent.push(...records) }
  const feed = new Feed(accounts, { limits: ROOMY, log, sink: { ...sink, close: async () => {} } })
  feed.begin([{ partition: 0, earliest: 0, next: 0 }], new Map([[0, 0]]))
  void feed.onBatch(
    batchOf(0, [
      { ...recordOf(0, 0, null), timestamp: 12 },
      { ...tombstoneOf('a'), offset: 1 },
    ]),
  )
  await until('the letter is sent', () => feed.poison.deadLetters.sent === 1)
  const headers = { reason: 'tombstone', detail: expect.stringMatching(/^id: /), timestamp: '12' }
  expect(sent).toEqual([{ key: 'accounts:0:0', value: Buffer.alloc(0), headers }])
  expect([feed.events, feed.tombstones, feed.poison.failures.get('tombstone')]).toEqual([1, 0, 1])
  expect(lines).toMatchObject([{ msg: 'A record is no event of its topic and was skipped', reason: 'tombstone' }])
})

function accountSchema() {
  const builder = createBuilder()
  builder.queryType({ fields: (t) => ({ ok: t.boolean({ resolve: () => true }) }) })
  const AccountType = builder.objectRef<z.output<typeof Account>>('Account').implement({
    fields: (t) => ({ id: t.exposeString('id'), closed: t.exposeBoolean('closed') }),
  })
  builder.subscriptionType({
    fields: (t) => ({
      account: t.stream({
        topic: accounts,
        type: AccountType,
        args: { id: t.arg.string({ required: true }) },
        where: ({ id }) => ({ id }),
      }),
    }),
  })
  return builder.toSchema()
}

test('a stream tells of a closed account in its place, live and to a client that comes back', async () => {
  const embedded = createEmbeddedLog()
  for (const name of ['accounts', 'accounts-dead']) embedded.createTopic(name, 1)
  const gateway = await startTestGateway({ schema: accountSchema(), topics: [accounts], embedded })
  const query = 'subscription { account(id: "a") { id closed } }'
  const stream = await RawStream.subscribe(gateway.graphql, query)
  const [{ id: start } = { id: undefined }] = await stream.untilBlocks(1)
  const account = (key: string) => ({ key, value: JSON.stringify({ id: key }) })
  const gone = (key: string | null) => ({ key, value: null })
  await embedded.sink.send('accounts', [account('a'), account('b'), gone('b'), gone(null), gone('a'), account('a')])
  const expected = [false, true, false].map((closed) => ({ data: { account: { id: 'a', closed } } }))
  expect(await stream.untilResults(3)).toEqual(expected)
  const again = await RawStream.subscribe(gateway.graphql, query, { headers: { 'last-event-id': String(start) } })
  expect(await again.untilResults(3)).toEqual(expected)
  expect(await gateway.metric('sluice_events_total', { topic: 'accounts' })).toBe(5)
  expect(await gateway.metric('sluice_tombstones_total', { topic: 'accounts' })).toBe(0)
  expect(await gateway.metric('sluice_decode_failures_total', { reason: 'tombstone' })).toBe(1)
})

test('tombstones that are skipped have a metric of their own, and a stream goes on over them', async () => {
  const { log, lines } = recordedLog()
  const gateway = await startTestGateway({ log })
  const stream = await RawStream.subscribe(gateway.graphql, 'subscription { ordersByRegion(region: EUROPE) { id } }')
  await gateway.produceRaw(null, null)
  await gateway.produce({ id: 'after' })
  expect(await stream.untilResults(1)).toEqual([{ data: { ordersByRegion: { id: 'after' } } }])
  expect(await gateway.metric('sluice_tombstones_total', { topic: 'orders' })).toBe(2)
  expect(await gateway.metric('sluice_events_total', { topic: 'orders' })).toBe(1)
  const text = await (await fetch(`${gateway.adminUrl}/metrics`)).text()
  expect(text).not.toMatch(/^sluice_decode_failures_total\{.*[1-9]\d*$/m)
  expect(lines.filter(({ level }) => level >= 40)).toEqual([])
})
