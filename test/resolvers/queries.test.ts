import { expect, test } from 'vitest'
import { anOrder, startTestGateway, type TestGateway } from '../kit/gateway.ts'
import { STAMP_NAMES, STAMPS } from '../kit/stamps.ts'
import { until } from '../kit/until.ts'

async function ask(gateway: TestGateway, query: string) {
  const response = await fetch(gateway.graphql, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json' },
    body: JSON.stringify({ query }),
  })
  return (await response.json()) as {
    data?: Record<string, { id: string }[]>
    errors?: { message: string; extensions: { code: string } }[]
  }
}

const ORDER = JSON.stringify(anOrder())

/** Orders o0, o1, …, of Europe and Asia in turns, read by the gateway. */
async function startWithOrders(count: number): Promise<TestGateway> {
  const gateway = await startTestGateway({ partitions: 1 })
  await gateway.produce(
    ...Array.from({ length: count }, (_, n) => ({
      id: `o${n}`,
      region: n % 2 ? ('ASIA' as const) : ('EUROPE' as const),
    })),
  )
  await until('the orders were read', () => [...gateway.streams.feeds][0]?.events === count)
  return gateway
}

test('recentOrders gives the newest, the oldest of them first, twenty unless told', async () => {
  const gateway = await startWithOrders(30)
  const ids = async (query: string) => (await ask(gateway, query)).data?.recentOrders?.map(({ id }) => id)
  expect(await ids('{ recentOrders(last: 3) { id } }')).toEqual(['o27', 'o28', 'o29'])
  expect(await ids('{ recentOrders(region: ASIA, last: 2) { id } }')).toEqual(['o27', 'o29'])
  expect(await ids('{ recentOrders(region: AFRICA) { id } }')).toEqual([])
  expect(await ids('{ recentOrders { id } }')).toHaveLength(20)
  expect(await ids('{ recentOrders(last: null) { id } }')).toHaveLength(20)
  expect(await ids('{ recentOrders(last: 0) { id } }')).toEqual([])
  expect(await ids('{ recentOrders(last: 1000) { id } }')).toHaveLength(30)
})

test.each([-1, 1001])('recentOrders refuses %i orders', async (last) => {
  const gateway = await startTestGateway()
  const { errors } = await ask(gateway, `{ recentOrders(last: ${last}) { id } }`)
  expect(errors?.[0]).toMatchObject({
    message: `"last" takes 0 to 1000, and got ${last}`,
    extensions: { code: 'BAD_USER_INPUT' },
  })
})

test('streams tells of each topic its partitions, offsets, window and rate', async () => {
  const gateway = await startTestGateway({ partitions: 2 })
  const query = `{ streams {
    topic eventsPerSecond partitions { partition newestOffset passedOffset } window { events bytes oldest newest }
  } }`
  expect(await ask(gateway, query)).toEqual({
    data: {
      streams: ['orders', 'region-sales'].map((topic) => ({
        topic,
        eventsPerSecond: 0,
        partitions: [0, 1].map((partition) => ({ partition, newestOffset: null, passedOffset: null })),
        window: { events: 0, bytes: 0, oldest: null, newest: null },
      })),
    },
  })
  await gateway.produceRaw(...Array.from({ length: 3 }, () => JSON.stringify({ poison: true })))
  await gateway.embedded.sink.send('orders', [
    { key: null, partition: 0, value: ORDER, timestamp: Date.now() - 2000 },
    { key: null, partition: 0, value: ORDER, timestamp: Date.now() - 1000 },
  ])
  await until('the orders were read', () => [...gateway.streams.feeds][0]?.events === 2)
  const { data } = await ask(gateway, query)
  const stream = data?.streams?.[0] as unknown as {
    eventsPerSecond: number
    window: { bytes: number; oldest: string; newest: string }
  }
  expect(stream).toMatchObject({
    partitions: [
      { partition: 0, newestOffset: 4, passedOffset: 4 },
      { partition: 1, newestOffset: null, passedOffset: null },
    ],
    window: { events: 2 },
    eventsPerSecond: 0.5,
  })
  expect(stream.window.bytes).toBeGreaterThan(500)
  expect(Date.parse(stream.window.newest) - Date.parse(stream.window.oldest)).toBe(1000)
})

test.each(STAMP_NAMES)('streams tells a date or null where the newest record has the timestamp %s', async (name) => {
  const gateway = await startTestGateway({ partitions: 1 })
  const first = { key: null, partition: 0, value: ORDER, timestamp: 0 }
  await gateway.embedded.sink.send('orders', [first, { ...first, timestamp: STAMPS[name] }])
  await until('the orders were read', () => [...gateway.streams.feeds][0]?.events === 2)
  const { data, errors } = await ask(gateway, '{ streams { window { oldest newest } } recentOrders { id } }')
  expect(errors).toBeUndefined()
  const stream = data?.streams?.[0] as unknown as { window: { oldest: string; newest: string | null } }
  expect(stream.window.oldest).toBe('1970-01-01T00:00:00.000Z')
  expect(stream.window.newest ?? '1970-01-01T00:00:00.000Z').toMatch(/^\d{4}-\d\d-\d\dT/)
  expect(data?.recentOrders).toHaveLength(2)
})

test('a window of more than 2 GiB has a size that can be told', async () => {
  const gateway = await startTestGateway()
  const feed = [...gateway.streams.feeds][0]
  Object.defineProperty(feed?.window, 'bytes', { value: 2 ** 34 })
  expect(await ask(gateway, '{ streams { window { bytes } } }')).toEqual({
    data: { streams: [{ window: { bytes: 2 ** 34 } }, { window: { bytes: 0 } }] },
  })
})
