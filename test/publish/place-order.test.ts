import { describe, expect, onTestFinished, test } from 'vitest'
import { MAX_PUBLISHED } from '../../src/schema/publish-field.ts'
import { createEmbeddedLog } from '../../src/streams/source/embedded/embedded.ts'
import { keysFile } from '../kit/api-keys.ts'
import { startTestGateway, type TestGateway } from '../kit/gateway.ts'
import { until } from '../kit/until.ts'
import { AN_INPUT, PLACE_ORDER, place } from './orders.ts'

const ANYBODY = { ANONYMOUS_SCOPES: 'orders:write' }
const keys = () =>
  keysFile([
    { id: 'shop', key: 'k-shop', scopes: ['orders:write'], bounds: { merchantId: ['m_0001'] } },
    { id: 'acme', key: 'k-acme', scopes: ['orders:write'] },
    { id: 'reader', key: 'k-reader' },
    { id: 'eu', key: 'k-eu', scopes: ['orders:write'], bounds: { currency: ['EUR'] } },
  ])
const by = (key: string) => ({ headers: { 'x-api-key': key } })

/** The orders that are in the log, by id. */
async function logged({ embedded }: TestGateway): Promise<string[]> {
  const ids: string[] = []
  for (const { partition, next } of await embedded.source.ranges('orders')) {
    if (next === 0) continue
    const fetched = await embedded.source.fetch('orders', partition, 0, 1e9, new AbortController().signal)
    if (fetched.kind === 'records') for (const { value } of fetched.records) ids.push(JSON.parse(String(value)).id)
  }
  return ids
}

test('an order that is placed is what its answer says, and everybody who subscribes sees it', async () => {
  const gateway = await startTestGateway({ env: ANYBODY })
  const abort = new AbortController()
  onTestFinished(() => abort.abort())
  const query = 'subscription { ordersByMerchant(merchantId: "m_0042") { id city total { amount } status } }'
  const { body } = await fetch(gateway.graphql, {
    method: 'POST',
    headers: { accept: 'text/event-stream', 'content-type': 'application/json' },
    body: JSON.stringify({ query }),
    signal: abort.signal,
  })
  await until('the stream is open', () => gateway.engine.subscribers === 1)
  const before = Date.now()
  const { status, order, id } = await place(gateway.graphql)
  expect(status).toBe(200)
  expect(id).toMatch(/^ord_[0-9a-f]{32}$/)
  expect(order).toEqual({ ...AN_INPUT, id, status: 'PLACED', placedAt: expect.any(String) })
  expect(Date.parse(String(order?.placedAt))).toBeGreaterThanOrEqual(before)
  const reader = (body as ReadableStream<BufferSource>).pipeThrough(new TextDecoderStream()).getReader()
  let seen = ''
  while (!seen.includes('event: next')) seen += (await reader.read()).value
  const data = /event: next\ndata: (.*)/.exec(seen)?.[1] ?? ''
  expect(JSON.parse(data)).toEqual({
    data: { ordersByMerchant: { id, city: 'Utrecht', total: { amount: '12.50' }, status: 'PLACED' } },
  })
})

test('the record has the topic key, and says which instance has published it', async () => {
  const gateway = await startTestGateway({ env: { ...ANYBODY, INSTANCE_ID: 'gw-7' }, partitions: 1 })
  await place(gateway.graphql)
  await place(gateway.graphql, { idempotencyKey: 'a key' })
  const fetched = await gateway.embedded.source.fetch('orders', 0, 0, 1e6, new AbortController().signal)
  if (fetched.kind !== 'records') throw new Error('There are no records')
  const [plain, keyed] = fetched.records
  expect(plain?.key?.toString()).toBe('m_0042')
  expect(Object.keys(plain?.headers ?? {})).toEqual(['sluice-origin'])
  expect(String(keyed?.headers?.['sluice-origin'])).toBe('gw-7')
  expect(String(keyed?.headers?.['sluice-id'])).toMatch(/^[0-9a-f]{32}$/)
})

test.each<[string, Record<string, unknown>, string]>([
  ['a latitude beyond the pole', { location: { lat: 90.01, lon: 0 } }, 'input.location.lat'],
  ['a longitude beyond the date line', { location: { lat: 0, lon: -180.01 } }, 'input.location.lon'],
  ['a country in small letters', { country: 'nl' }, 'input.country'],
  ['a country that there is not', { country: 'XX' }, 'input.country'],
  ['a name of an object as a country', { country: 'toString' }, 'input.country'],
  ['nothing to pay', { total: { amount: '0.00', currency: 'EUR' } }, 'input.total.amount'],
  ['less than nothing to pay', { total: { amount: '-1', currency: 'EUR' } }, 'input.total.amount'],
  ['more digits than events have', { total: { amount: '1234567890123456', currency: 'EUR' } }, 'input.total.amount'],
  ['more decimals than currencies have', { total: { amount: '1.0001', currency: 'EUR' } }, 'input.total.amount'],
  ['a currency that there is not', { total: { amount: '1', currency: 'QQQ' } }, 'input.total.currency'],
  ['a currency that nobody pays in', { total: { amount: '1', currency: 'CLF' } }, 'input.total.currency'],
  ['no items', { itemCount: 0 }, 'input.itemCount'],
  ['too many items', { itemCount: 10_001 }, 'input.itemCount'],
  ['a merchant without a name', { merchantId: ' ' }, 'input.merchantId'],
  ['a merchant with a long name', { merchantId: 'm'.repeat(101) }, 'input.merchantId'],
  ['a city with a line break', { city: 'A\nB' }, 'input.city'],
  ['a city with half a character', { city: 'A\ud800' }, 'input.city'],
  ['a city of a novel', { city: 'A'.repeat(201) }, 'input.city'],
])('%s is refused by the name of its field, and nothing is published', async (_name, differences, field) => {
  const gateway = await startTestGateway({ env: ANYBODY })
  const { code, message } = await place(gateway.graphql, differences)
  expect(code).toBe('BAD_USER_INPUT')
  expect(message).toContain(`"${field}"`)
  expect(await logged(gateway)).toEqual([])
})

test.each(['', 'x'.repeat(201)])('an idempotency key of a wrong length is refused', async (idempotencyKey) => {
  const gateway = await startTestGateway({ env: ANYBODY })
  expect(await place(gateway.graphql, { idempotencyKey })).toMatchObject({ code: 'BAD_USER_INPUT' })
  expect(await logged(gateway)).toEqual([])
})

describe('who may place an order', () => {
  test('nobody without the scope, which anonymous clients have only where it is named', async () => {
    const open = await startTestGateway()
    expect(await place(open.graphql)).toMatchObject({ code: 'FORBIDDEN' })
    const keyed = await startTestGateway({ env: { API_KEYS_FILE: keys() } })
    expect(await place(keyed.graphql, {}, by('k-reader'))).toMatchObject({ code: 'FORBIDDEN' })
    expect(await place(keyed.graphql)).toMatchObject({ status: 401 })
    expect(await place(keyed.graphql, {}, by('k-acme'))).toMatchObject({ status: 200, code: undefined })
    expect([await logged(open), (await logged(keyed)).length]).toEqual([[], 1])
  })

  test('who is bound to a merchant places orders of this merchant only', async () => {
    const gateway = await startTestGateway({ env: { API_KEYS_FILE: keys() } })
    const other = await place(gateway.graphql, {}, by('k-shop'))
    expect(other).toMatchObject({ code: 'FORBIDDEN' })
    expect(other.message).toContain('merchantId')
    const own = await place(gateway.graphql, { merchantId: 'm_0001' }, by('k-shop'))
    expect(own.code).toBeUndefined()
    expect(await logged(gateway)).toEqual([own.id])
  })

  test('who is bound by what the topic is not told apart by places none', async () => {
    const gateway = await startTestGateway({ env: { API_KEYS_FILE: keys() } })
    expect(await place(gateway.graphql, {}, by('k-eu'))).toMatchObject({ code: 'FORBIDDEN' })
    expect(await logged(gateway)).toEqual([])
  })
})

describe('a repeat with the same idempotency key', () => {
  test('gets the same order, and places none: after it, while it is under way, and at another instance', async () => {
    const embedded = createEmbeddedLog()
    for (const topic of ['orders', 'region-sales']) embedded.createTopic(topic, 6)
    const gateway = await startTestGateway({ env: ANYBODY, embedded })
    const other = await startTestGateway({ env: { ...ANYBODY, INSTANCE_ID: 'other' }, embedded })
    const idempotencyKey = 'my order'
    const [first, ...repeats] = await Promise.all(
      Array.from({ length: 20 }, () => place(gateway.graphql, { idempotencyKey })),
    )
    repeats.push(await place(gateway.graphql, { idempotencyKey }), await place(other.graphql, { idempotencyKey }))
    expect(first?.code).toBeUndefined()
    expect(repeats.map(({ order }) => order)).toEqual(repeats.map(() => first?.order))
    expect(await logged(gateway)).toEqual([first?.id])
    expect(await gateway.metric('sluice_published_total', { outcome: 'published' })).toBe(1)
    expect(await gateway.metric('sluice_published_total', { outcome: 'repeated' })).toBe(20)
  })

  test('that asks for something else is refused', async () => {
    const gateway = await startTestGateway({ env: ANYBODY })
    const both = await Promise.all([
      place(gateway.graphql, { idempotencyKey: 'k' }),
      place(gateway.graphql, { idempotencyKey: 'k', city: 'Delft' }),
    ])
    both.push(await place(gateway.graphql, { idempotencyKey: 'k', city: 'Gouda' }))
    expect(both.map(({ code }) => code)).toEqual([undefined, 'BAD_USER_INPUT', 'BAD_USER_INPUT'])
    expect(await logged(gateway)).toHaveLength(1)
  })

  test('of another principal is no repeat', async () => {
    const gateway = await startTestGateway({ env: { API_KEYS_FILE: keys() } })
    const order = { idempotencyKey: 'k', merchantId: 'm_0001' }
    const one = await place(gateway.graphql, order, by('k-acme'))
    const two = await place(gateway.graphql, order, by('k-shop'))
    expect(new Set([one.id, two.id]).size).toBe(2)
    expect(await logged(gateway)).toHaveLength(2)
  })
})

test('one mutation places as many orders as it may, and one with more places none', async () => {
  const gateway = await startTestGateway({ env: ANYBODY })
  const many = (count: number) =>
    `mutation($input: PlaceOrderInput!) { ...F ${Array.from({ length: count - 1 }, (_, i) => `a${i}: placeOrder(input: $input) { id }`).join(' ')} }
    fragment F on Mutation { ... { z: placeOrder(input: $input) { id } } }`
  expect(await place(gateway.graphql, {}, { query: many(MAX_PUBLISHED + 1) })).toMatchObject({
    code: 'OPERATION_TOO_COMPLEX',
  })
  expect(await logged(gateway)).toEqual([])
  expect(await place(gateway.graphql, {}, { query: many(MAX_PUBLISHED) })).toMatchObject({ code: undefined })
  expect(await logged(gateway)).toHaveLength(MAX_PUBLISHED)
})

test('a mutation by GET is refused, and publishes nothing', async () => {
  const gateway = await startTestGateway({ env: ANYBODY })
  const url = new URL(gateway.graphql)
  url.searchParams.set('query', PLACE_ORDER)
  url.searchParams.set('variables', JSON.stringify({ input: AN_INPUT }))
  const response = await fetch(url)
  expect([response.status, response.headers.get('allow')]).toEqual([405, 'POST'])
  await response.body?.cancel()
  expect(await logged(gateway)).toEqual([])
})

test('a topic that is gone is told, and the order is certainly not placed', async () => {
  const embedded = createEmbeddedLog()
  for (const topic of ['orders', 'region-sales']) embedded.createTopic(topic, 6)
  const sink = { ...embedded.sink, send: (_topic: string, records: never) => embedded.sink.send('nowhere', records) }
  const gateway = await startTestGateway({ env: ANYBODY, embedded: { ...embedded, sink } })
  expect(await place(gateway.graphql)).toMatchObject({ code: 'PUBLISH_FAILED' })
})
