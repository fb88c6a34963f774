import { type ExecutionResult, parse, subscribe } from 'graphql'
import { describe, expect, test } from 'vitest'
import { schema } from '../../../src/resolvers/schema.ts'
import { ANONYMOUS } from '../../../src/schema/context.ts'
import type { OrderEvent } from '../../../src/streams/topics/orders.ts'
import { startTestGateway, type TestGateway } from '../../kit/gateway.ts'
import { RawStream } from '../../kit/raw-stream.ts'
import { until } from '../../kit/until.ts'

/** Orders that differ in what they are filtered by: half of them in Asia, amounts 0.50, 10.50, … */
function orderNumber(n: number): Partial<OrderEvent> {
  return {
    id: `o${n}`,
    region: n % 2 ? 'ASIA' : 'EUROPE',
    merchantId: `m_${n % 3}`,
    amount: `${n}0.50`,
    city: n % 4 ? 'Utrecht' : 'Amsterdam',
    itemCount: n,
    placedAt: new Date(Date.UTC(2026, 10, 27, 10, n)).toISOString(),
  }
}

const numbers = (count: number, from = 0) => Array.from({ length: count }, (_, n) => from + n)
const orderNumbers = (count: number, from = 0) => numbers(count, from).map(orderNumber)

async function startWith(count: number): Promise<TestGateway> {
  const gateway = await startTestGateway({ partitions: 1 })
  await gateway.produce(...orderNumbers(count))
  await until('the orders were read', () => [...gateway.streams.feeds][0]?.events === count)
  return gateway
}

function idsOf(results: readonly { data?: Record<string, unknown> | null }[]): string[] {
  return results.map(({ data }) => (Object.values(data ?? {})[0] as { id: string }).id)
}

async function post(gateway: TestGateway, query: string, variables?: object) {
  const response = await fetch(gateway.graphql, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json' },
    body: JSON.stringify({ query, variables }),
  })
  return (await response.json()) as {
    data?: { recentOrders: { id: string }[] }
    errors?: { message: string; path?: string[]; extensions: { code: string } }[]
  }
}

/** With it, `expected` are the numbers of the orders among 0 to 19. */
const FILTERS: [where: string, expected: (n: number) => boolean][] = [
  ['{}', () => true],
  ['{ region: { eq: ASIA } }', (n) => n % 2 === 1],
  ['{ region: { in: [ASIA, EUROPE] }, total: { amount: { gte: "100.5" } } }', (n) => n >= 10],
  ['{ total: { amount: { gt: "100.500", lt: "150.5" } } }', (n) => n > 10 && n < 15],
  ['{ merchantId: { eq: "m_1" }, not: { region: { eq: ASIA } } }', (n) => n % 3 === 1 && n % 2 === 0],
  ['{ city: { startsWith: "Amst" } }', (n) => n % 4 === 0],
  ['{ city: { contains: "trec" }, itemCount: { notIn: [1, 2] } }', (n) => n % 4 !== 0 && n !== 1 && n !== 2],
  ['{ placedAt: { gte: "2026-11-27T12:05:00+02:00" } }', (n) => n >= 5],
  ['{ or: [{ merchantId: { eq: "m_0" } }, { itemCount: { lt: 3 } }] }', (n) => n % 3 === 0 || n < 3],
  ['{ and: [{ region: { eq: ASIA } }, { region: { eq: EUROPE } }] }', () => false],
  ['{ or: [] }', () => false],
]

describe.each(FILTERS)('where: %s', (where, expected) => {
  const matching = (count: number, from = 0) =>
    numbers(count, from)
      .filter(expected)
      .map((n) => `o${n}`)

  test('selects what comes, what is resumed, and the last, the same', async () => {
    const gateway = await startWith(20)
    const query = `subscription { orders(where: ${where}) { id } }`
    const live = await RawStream.subscribe(gateway.graphql, query)
    const [{ id: start } = { id: undefined }] = await live.untilBlocks(1)
    const last = await RawStream.subscribe(gateway.graphql, query.replace('(', '(last: 5, '))
    await gateway.produce(...orderNumbers(20, 20), { ...orderNumber(0), id: 'unwanted', status: 'CANCELLED' })
    const coming = matching(20, 20)
    expect(idsOf(await live.untilResults(coming.length)).slice(0, coming.length)).toEqual(coming)

    const resumed = await RawStream.subscribe(gateway.graphql, query, { headers: { 'last-event-id': String(start) } })
    expect(idsOf(await resumed.untilResults(coming.length)).slice(0, coming.length)).toEqual(coming)

    const newest = matching(20).slice(-5)
    const expectedOfLast = [...newest, ...coming]
    expect(idsOf(await last.untilResults(expectedOfLast.length)).slice(0, expectedOfLast.length)).toEqual(
      expectedOfLast,
    )
  })

  test('selects the same of recentOrders', async () => {
    const gateway = await startWith(20)
    const { data } = await post(gateway, `{ recentOrders(where: ${where}, last: 7) { id } }`)
    expect(data?.recentOrders.map(({ id }) => id)).toEqual(matching(20).slice(-7))
    const inAsia = await post(gateway, `{ recentOrders(where: ${where}, region: ASIA, last: 7) { id } }`)
    const asian = matching(20).filter((id) => Number(id.slice(1)) % 2 === 1)
    expect(inAsia.data?.recentOrders.map(({ id }) => id)).toEqual(asian.slice(-7))
  })

  test('selects the same of an executor that knows nothing of the gateway', async () => {
    const gateway = await startWith(20)
    const results = await subscribe({
      schema,
      document: parse(`subscription { ordersByRegion(region: ASIA, last: 30, where: ${where}) { id } }`),
      contextValue: { audience: ANONYMOUS, streams: gateway.streams },
    })
    const opened = results as AsyncGenerator<ExecutionResult>
    for (const id of matching(20).filter((id) => Number(id.slice(1)) % 2 === 1)) {
      expect((await opened.next()).value).toEqual({ data: { ordersByRegion: { id } } })
    }
    await opened.return(undefined)
  })
})

describe('sharing', () => {
  async function open(gateway: TestGateway, where: string, variables?: object): Promise<RawStream> {
    const [first = ''] = Object.keys(variables ?? {})
    const declared = variables ? `($${first}: ${TYPES[first]})` : ''
    const query = `subscription${declared} { orders(where: ${where}) { id } }`
    const stream = await RawStream.subscribe(gateway.graphql, query, { ...(variables && { variables }) })
    await stream.untilBlocks(1)
    return stream
  }
  const TYPES: Readonly<Record<string, string>> = {
    where: 'OrderFilter',
    region: 'Region',
    regions: '[Region!]',
    amount: 'Decimal',
  }

  test('filters that are equal, however they are written, share a group', async () => {
    const gateway = await startWith(0)
    await open(gateway, '{ region: { eq: ASIA }, total: { amount: { gte: "10" } } }')
    await open(gateway, '{ total: { amount: { gte: "10.00" } }, region: { in: [ASIA] } }')
    await open(gateway, '{ and: [{ total: { amount: { gte: "10" } } }, { and: [{ region: { eq: ASIA } }] }] }')
    await open(gateway, '{ not: { not: { region: { in: [ASIA, ASIA] }, total: { amount: { gte: "10" } } } } }')
    await open(gateway, '{ region: { eq: $region }, total: { amount: { gte: "10" } } }', { region: 'ASIA' })
    await open(gateway, '{ region: { in: $regions }, total: { amount: { gte: "10" } } }', { regions: 'ASIA' })
    await open(gateway, '{ region: { eq: ASIA }, total: { amount: { gte: $amount } } }', { amount: '010' })
    await open(gateway, '$where', { where: { region: { eq: 'ASIA' }, total: { amount: { gte: '10.0' } } } })
    expect(await gateway.metric('sluice_groups')).toBe(1)
    await open(gateway, '{ region: { eq: ASIA }, total: { amount: { gt: "10" } } }')
    expect(await gateway.metric('sluice_groups')).toBe(2)
  })

  test('a filter that selects all is none', async () => {
    const gateway = await startWith(0)
    await open(gateway, 'null')
    await open(gateway, '{}')
    await open(gateway, '{ and: [], city: {} }')
    await open(gateway, '{ or: [{}] }')
    await open(gateway, '$where', { where: null })
    const none = await RawStream.subscribe(gateway.graphql, 'subscription { orders { id } }')
    await none.untilBlocks(1)
    expect(await gateway.metric('sluice_groups')).toBe(1)
  })

  test('groups that differ only in their filter share the body of an event', async () => {
    const gateway = await startWith(0)
    const streams = await Promise.all(numbers(10).map((n) => open(gateway, `{ itemCount: { gt: ${n} } }`)))
    expect(await gateway.metric('sluice_groups')).toBe(10)
    await gateway.produce(...orderNumbers(3, 100))
    for (const stream of streams) expect(idsOf(await stream.untilResults(3))).toEqual(['o100', 'o101', 'o102'])
    expect(await gateway.metric('sluice_executions_total')).toBe(3)
  })
})

test('times are compared to the last digit, beyond milliseconds', async () => {
  const gateway = await startWith(0)
  const at = (digits: string) => `2026-11-27T10:00:00.${digits}Z`
  const open = async (where: string) => {
    const query = `subscription { orders(where: { placedAt: ${where} }) { id } }`
    const stream = await RawStream.subscribe(gateway.graphql, query)
    await stream.untilBlocks(1)
    return stream
  }
  const equal = await open(`{ in: ["${at('123456')}", "${at('5')}"] }`)
  const after = await open(`{ gt: "${at('123456')}" }`)
  const placed = ['123', '123456', '123457', '500'].map((digits) => ({ id: digits, placedAt: at(digits) }))
  await gateway.produce(...placed)
  expect(idsOf(await equal.untilResults(2))).toEqual(['123456', '500'])
  expect(idsOf(await after.untilResults(2))).toEqual(['123457', '500'])
})

describe('errors', () => {
  test.each<[string, RegExp]>([
    ['{ colour: { eq: "red" } }', /"OrderFilter" not to include unknown field "colour"/],
    ['{ city: { like: "%" } }', /"StringFilter" not to include unknown field "like"/],
    ['{ region: { eq: "ASIA" } }', /Enum "Region" cannot represent non-enum value: "ASIA"/],
    ['{ region: { eq: MARS } }', /Value "MARS" does not exist in "Region" enum/],
    ['{ total: { amount: { gte: 1 } } }', /Decimal/],
    ['{ itemCount: { eq: "1" } }', /Int cannot represent non-integer value: "1"/],
    ['{ placedAt: { gte: "yesterday" } }', /DateTime/],
    ['{ region: { in: [null] } }', /Expected value of non-null type "Region!" not to be null/],
  ])('what does not fit a filter names it: %s', async (where, message) => {
    const gateway = await startTestGateway()
    const stream = await RawStream.subscribe(gateway.graphql, `subscription { orders(where: ${where}) { id } }`)
    await stream.untilResults(1)
    const [error] = stream.results[0]?.errors ?? []
    expect(error?.message).toMatch(message)
    expect(error?.extensions?.code).toMatch(/^(GRAPHQL_VALIDATION_FAILED|BAD_USER_INPUT)$/)
    const { errors } = await post(gateway, `{ recentOrders(where: ${where}) { id } }`)
    expect(errors?.[0]?.message).toMatch(message)
  })

  test('null where it means nothing is refused with its path, by streams and queries alike', async () => {
    const gateway = await startTestGateway()
    const where = '{ or: [{ total: { amount: { gte: null } } }] }'
    const stream = await RawStream.subscribe(gateway.graphql, `subscription { orders(where: ${where}) { id } }`)
    await stream.untilResults(1)
    const message = '"where.or[0].total.amount.gte" takes no null'
    expect(stream.results).toMatchObject([{ errors: [{ message, extensions: { code: 'BAD_USER_INPUT' } }] }])
    const { errors } = await post(gateway, `{ recentOrders(where: ${where}) { id } }`)
    expect(errors).toMatchObject([{ message, path: ['recentOrders'], extensions: { code: 'BAD_USER_INPUT' } }])
  })
})
