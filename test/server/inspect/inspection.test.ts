import { expect, test } from 'vitest'
import type { GroupInspection } from '../../../src/delivery/group/group-inspection.ts'
import type { Inspection } from '../../../src/server/inspect/inspection.ts'
import { startTestGateway, type TestGateway } from '../../kit/gateway.ts'
import { RawStream } from '../../kit/raw-stream.ts'
import { until } from '../../kit/until.ts'

async function inspect(gateway: TestGateway, query = ''): Promise<Inspection> {
  const response = await fetch(`${gateway.adminUrl}/inspect.json${query}`)
  expect([response.status, response.headers.get('content-type')]).toEqual([200, 'application/json; charset=utf-8'])
  return (await response.json()) as Inspection
}

async function groupOf(gateway: TestGateway, field: string): Promise<GroupInspection> {
  const { groups } = await inspect(gateway)
  return groups.largest.find((group) => group.field === field) as GroupInspection
}

test('the inspection has the topics, with positions and window', async () => {
  const gateway = await startTestGateway({ partitions: 2 })
  await gateway.produce({}, {}, {})
  await until('all is read', async () => (await gateway.metric('sluice_window_events', { topic: 'orders' })) === 3)
  const [orders] = (await inspect(gateway)).topics
  expect(orders).toMatchObject({ name: 'orders', state: 'ready', window: { events: 3 } })
  expect(orders?.window.bytes).toBeGreaterThan(100)
  expect(orders?.partitions.map(({ lag }) => lag)).toEqual([0, 0])
  expect(orders?.partitions.reduce((sum, { next }) => sum + next, 0)).toBe(3)
})

test('of a group it says what its filter became, and how many events that was asked about and took', async () => {
  const gateway = await startTestGateway({ partitions: 1 })
  const where = '{ total: { amount: { gte: "100" } }, city: { contains: "dam" } }'
  const query = `subscription { ordersByRegion(region: EUROPE, where: ${where}) { id } }`
  const streams = [await RawStream.subscribe(gateway.graphql, query), await RawStream.subscribe(gateway.graphql, query)]
  await gateway.produce(
    { amount: '100.00', city: 'Rotterdam' },
    { amount: '99.99', city: 'Rotterdam' },
    { amount: '500.00', city: 'Paris' },
    { amount: '500.00', city: 'Amsterdam', region: 'ASIA' },
    { amount: '101', city: 'Amsterdam' },
  )
  for (const stream of streams) await stream.untilResults(2)
  expect(await groupOf(gateway, 'ordersByRegion')).toMatchObject({
    key: expect.any(String),
    field: 'ordersByRegion',
    topic: 'orders',
    members: { live: 2 },
    filter: { lookups: [{ region: 'EUROPE', amount: { gte: '100' } }], tests: ['city contains "dam"'] },
    events: { asked: 3, taken: 2 },
  })
})

test('a group without a filter shows what its field looks up, and a contradiction that it costs nothing', async () => {
  const gateway = await startTestGateway({ partitions: 1 })
  const plain = await RawStream.subscribe(gateway.graphql, 'subscription { ordersByRegion(region: ASIA) { id } }')
  const never = '{ region: { eq: EUROPE, in: [ASIA, AFRICA] } }'
  await RawStream.subscribe(gateway.graphql, `subscription { orders(where: ${never}) { id } }`)
  await gateway.produce({ region: 'EUROPE' }, { region: 'ASIA' })
  await plain.untilResults(1)
  expect(await groupOf(gateway, 'ordersByRegion')).toMatchObject({
    filter: { lookups: [{ region: 'ASIA' }], tests: [] },
    events: { asked: 1, taken: 1 },
  })
  expect(await groupOf(gateway, 'orders')).toMatchObject({
    filter: { lookups: [], tests: [] },
    events: { asked: 0, taken: 0 },
  })
})

test('the largest groups are shown, as many as are asked for', async () => {
  const gateway = await startTestGateway({ partitions: 1 })
  const sizes = [2, 1, 4, 3, 1]
  for (const [i, size] of sizes.entries()) {
    const query = `subscription { orders(where: { city: { eq: "c_${i}" } }) { id } }`
    for (let n = 0; n < size; n++) await RawStream.subscribe(gateway.graphql, query)
  }
  const shown = async (query: string) => (await inspect(gateway, query)).groups
  const sizesOf = ({ largest }: Inspection['groups']) => largest.map(({ members }) => members.live)
  expect(sizesOf(await shown('?groups=3'))).toEqual([4, 3, 2])
  expect(sizesOf(await shown('?groups=100'))).toEqual([4, 3, 2, 1, 1])
  expect((await shown('')).largest[0]?.filter.tests).toEqual(['city in c_2'])
  expect(await shown('?groups=0')).toEqual({ count: 5, largest: [], costliest: [] })
})

test.each(['', 'x', '-1', '1.5', '101', '1e1', '999999999999'])(
  'a number of groups that is "%s" is refused',
  async (text) => {
    const gateway = await startTestGateway()
    const response = await fetch(`${gateway.adminUrl}/inspect.json?groups=${text}`)
    expect([response.status, await response.text()]).toEqual([400, '"groups" is a number of groups, from 0 to 100\n'])
  },
)
