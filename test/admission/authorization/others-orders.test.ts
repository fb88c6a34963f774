import { expect, test } from 'vitest'
import type { OrderEvent } from '../../../src/streams/topics/orders.ts'
import { anOrder, startTestGateway, type TestGateway } from '../../kit/gateway.ts'
import { as, knowPrincipals } from '../../kit/principals.ts'
import { RawStream } from '../../kit/raw-stream.ts'
import { until } from '../../kit/until.ts'
import { SingleClient } from '../../transport/single/client.ts'

/** A partner that is bound to one merchant, beside a hundred thousand orders of others, and clients without bounds. */
const OTHERS = 100_000
const OWN_EVERY = 1_000
const OWN = 'm_own'
const BATCH = 1_000

/** What a bound client may ask for, which others ask for too: the very same documents. */
const DOCUMENTS: Readonly<Record<string, string>> = {
  plain: 'subscription { orders { id merchantId } }',
  region: 'subscription { ordersByRegion(region: EUROPE) { id merchantId } }',
  filtered: 'subscription { orders(where: { itemCount: { gte: 0 } }) { id merchantId } }',
  negated: 'subscription { orders(where: { not: { merchantId: { eq: "m_1" } } }) { id merchantId } }',
  others:
    'subscription { orders(where: { or: [{ merchantId: { ne: "m_own" } }, { country: { eq: "NL" } }] }) { id merchantId } }',
  ranged: 'subscription { orders(where: { total: { amount: { gt: "0" } } }) { id merchantId } }',
  throttled: 'subscription { orders(throttle: { everyMs: 50, by: "merchantId" }) { id merchantId } }',
}

const PAST: Readonly<Record<string, string>> = {
  since: 'subscription { orders(since: "2020-01-01T00:00:00Z") { id merchantId } }',
  last: 'subscription { orders(last: 10000) { id merchantId } }',
  'since, filtered':
    'subscription { orders(since: "2020-01-01T00:00:00Z", where: { merchantId: { notIn: ["m_own"] } }) { id merchantId } }',
  'since, throttled':
    'subscription { orders(since: "2020-01-01T00:00:00Z", throttle: { everyMs: 50, by: "merchantId" }) { id merchantId } }',
}

const merchantsIn = (text: string) => new Set(Array.from(text.matchAll(/"merchantId":"(\w+)"/g), ([, id]) => id))
const idsIn = (text: string) => new Set(Array.from(text.matchAll(/"id":"(own_\w+)"/g), ([, id]) => id))

/** Orders of many merchants, and now and then one of the partner's. */
async function produceAll({ produce }: TestGateway): Promise<readonly string[]> {
  const own: string[] = []
  for (let from = 0; from < OTHERS; from += BATCH) {
    const batch: Partial<OrderEvent>[] = Array.from({ length: BATCH }, (_, index) => ({
      id: `ord_${from + index}`,
      merchantId: `m_${(from + index) % 97}`,
    }))
    if (from % OWN_EVERY === 0) {
      own.push(`own_${from}`)
      batch.push({ id: `own_${from}`, merchantId: OWN })
    }
    await produce(...batch)
  }
  return own
}

test('of 100,000 orders of others not one reaches a partner that is bound to a merchant, live or replayed', async () => {
  knowPrincipals({ partner: { bounds: { merchantId: [OWN] } } })
  // Less than all of them: the rest is read from the log.
  const gateway = await startTestGateway({ env: { WINDOW_BYTES: String(8 * 1024 * 1024) } })
  const open = (query: string, id?: string, headers: Record<string, string> = {}) =>
    RawStream.subscribe(gateway.graphql, query, { headers: { ...as(id), ...headers } })
  const first = await open('subscription { orders { id merchantId } }', 'partner')
  await first.untilBlocks(1)
  const start = first.blocks[0]?.id ?? ''

  const bound: Record<string, RawStream> = {}
  const single = await SingleClient.open(gateway.graphql, as('partner'))
  for (const [index, [name, query]] of Object.entries(DOCUMENTS).entries()) {
    // Who comes first makes the group, if there were one for both.
    if (index % 2 === 0) bound[name] = await open(query, 'partner')
    const other = await open(query)
    if (index % 2 === 1) bound[name] = await open(query, 'partner')
    expect((await single.start(name, query)).status).toBe(202)
    if (name !== 'plain') await other.close()
  }
  const unbound = await open(DOCUMENTS.plain as string)

  const own = await produceAll(gateway)
  await until('all orders were read', () => [...gateway.streams.feeds][0]?.events === OTHERS + own.length)
  await until('who is not bound has all of them', () => unbound.received.includes(`"ord_${OTHERS - 1}"`))

  for (const [name, query] of Object.entries(PAST)) bound[name] = await open(query, 'partner')
  bound.resumed = await open(DOCUMENTS.plain as string, 'partner', { 'last-event-id': start })
  bound['resumed, filtered'] = await open(DOCUMENTS.negated as string, 'partner', { 'last-event-id': start })
  const last = { id: 'own_last', merchantId: OWN }
  await gateway.produce({ id: 'ord_last', merchantId: 'm_2' }, last)

  for (const [name, stream] of Object.entries(bound)) {
    if (name === 'since, filtered') continue
    await until(`the last order reached ${name}`, () => stream.received.includes('"own_last"'))
    expect([...merchantsIn(stream.received)], name).toEqual([OWN])
    // A throttle shows the latest; `last` what the window has.
    if (!/throttled|last/.test(name)) expect(idsIn(stream.received).size, name).toBe(own.length + 1)
  }
  await until('the last order was sent', () => unbound.received.includes('"own_last"'))
  expect(bound['since, filtered']?.results).toEqual([])
  for (const name of Object.keys(DOCUMENTS)) {
    await until(`the last order reached ${name}`, () => JSON.stringify(single.told(name)).includes('"own_last"'))
    expect([...merchantsIn(JSON.stringify(single.told(name)))], name).toEqual([OWN])
  }
  expect(merchantsIn(unbound.received).size).toBe(98)

  const query = async (text: string, id?: string) => {
    const headers = { 'content-type': 'application/json', ...as(id) }
    return await (
      await fetch(gateway.graphql, { method: 'POST', headers, body: JSON.stringify({ query: text }) })
    ).text()
  }
  for (const text of [
    '{ recentOrders(last: 1000) { id merchantId } }',
    '{ recentOrders(last: 1000, region: EUROPE, where: { not: { id: { eq: "" } } }) { id merchantId } }',
  ]) {
    expect([...merchantsIn(await query(text, 'partner'))]).toEqual([OWN])
    expect(merchantsIn(await query(text)).size).toBeGreaterThan(9)
  }
  // Digests of the past are cached by who may see it.
  expect(await query('{ recentOrders(where: { merchantId: { ne: "m_own" } }) { id } }', 'partner')).toBe(
    '{"data":{"recentOrders":[]}}',
  )
}, 120_000)

test.each([
  ['an argument', 'subscription { ordersByMerchant(merchantId: "m_1") { id } }', '"merchantId" asks for a value'],
  [
    'a literal',
    'subscription { orders(where: { merchantId: { eq: "m_1" } }) { id } }',
    '"where" asks for a value of "merchantId"',
  ],
  ['a list', 'subscription { orders(where: { merchantId: { in: ["m_own", "m_1"] } }) { id } }', '"where" asks for'],
  [
    'an alternative',
    '{ recentOrders(where: { or: [{ id: { eq: "1" } }, { merchantId: { eq: "m_1" } }] }) { id } }',
    '"where" asks for',
  ],
  [
    'an exception of an exception',
    '{ recentOrders(where: { not: { merchantId: { ne: "m_1" } } }) { id } }',
    '"where" asks for',
  ],
  ['a topic that has no merchants', 'subscription { regionSales { op } }', '"region-sales" are not told apart by it'],
  ['its rows', '{ regionSales { orders } }', '"region-sales" are not told apart by it'],
  ['the figures of topics', '{ streams { topic } }', 'The figures of topics tell of all'],
])('%s that asks for what is of others is refused, and nothing of them is told', async (_what, query, message) => {
  knowPrincipals({ partner: { bounds: { merchantId: [OWN] } } })
  const gateway = await startTestGateway()
  const stream = await RawStream.subscribe(gateway.graphql, query, { headers: as('partner') })
  await stream.untilWhole()
  expect(stream.status).toBe(200)
  expect(stream.results).toMatchObject([{ errors: [{ extensions: { code: 'FORBIDDEN' } }] }])
  expect(stream.results[0]?.errors?.[0]?.message).toContain(message)
  expect(stream.body).not.toContain('m_1')
  expect(gateway.engine.groups).toBe(0)
})

test('who has the same bounds shares a group, and nobody else does', async () => {
  const partner = { bounds: { merchantId: ['m_1', 'm_2'] } }
  knowPrincipals({
    one: partner,
    two: { bounds: { merchantId: ['m_2', 'm_1', 'm_1'] }, scopes: new Set(['of.others']) },
    three: { bounds: { merchantId: ['m_1'] } },
    four: { bounds: { region: ['EUROPE'] } },
    five: { historyMs: 1000 },
    six: { scopes: new Set(['orders:pii']) },
    seven: {},
  })
  const gateway = await startTestGateway()
  const groups: number[] = []
  for (const id of ['one', 'two', 'three', 'four', 'five', 'six', 'seven', undefined]) {
    const stream = await RawStream.subscribe(gateway.graphql, 'subscription { orders { id } }', { headers: as(id) })
    await stream.untilBlocks(1)
    groups.push(gateway.engine.groups)
  }
  expect(groups).toEqual([1, 1, 2, 3, 4, 5, 6, 6])
})

test('a customer cannot be learned by filtering, sorting or an error', async () => {
  knowPrincipals({ partner: {}, insider: { scopes: new Set(['orders:pii']) } })
  const gateway = await startTestGateway()
  await gateway.produce({ ...anOrder(), customer: { id: 'c_1', email: 'secret@example.com' } })
  await until('it was read', () => [...gateway.streams.feeds][0]?.events === 1)
  const asked = [
    'subscription { orders(last: 9) { customer { email } } }',
    'subscription { orders(last: 9, where: { customer: { email: { startsWith: "s" } } }) { id } }',
    'subscription { orders(last: 9, where: { not: { customer: { isNull: true } } }) { id } }',
    'subscription { orders(last: 9, throttle: { everyMs: 1000, by: "customer.id" }) { id } }',
    '{ recentOrders(where: { customer: { id: { in: ["c_1"] } } }) { id } }',
  ]
  for (const query of asked) {
    const refused = await RawStream.subscribe(gateway.graphql, query, { headers: as('partner') })
    await refused.untilWhole()
    expect(refused.results).toMatchObject([{ errors: [{ extensions: { code: 'FORBIDDEN' } }] }])
    expect(refused.body).toContain('orders:pii')
    expect(refused.body).not.toMatch(/secret|c_1/)
    const allowed = await RawStream.subscribe(gateway.graphql, query, { headers: as('insider') })
    await allowed.untilResults(1)
    expect(allowed.results[0]).not.toHaveProperty('errors')
  }
  expect(gateway.engine.groups).toBe(4)
})
