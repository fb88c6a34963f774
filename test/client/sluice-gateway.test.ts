import { expect, onTestFinished, test } from 'vitest'
import { createSluiceClient, type Result, type SluiceClientOptions } from '../../packages/client/src/index.ts'
import { startTestGateway, type TestGateway } from '../kit/gateway.ts'
import { bearer, believeTokens } from '../kit/pretended-tokens.ts'
import { until } from '../kit/until.ts'
import { calmFetch } from './calm-fetch.ts'
import { startCutProxy } from './cut-proxy.ts'

interface Data {
  readonly ordersByRegion: { readonly id: string }
}

const QUERY = 'subscription ($region: Region!) { ordersByRegion(region: $region) { id } }'
const REGIONS = ['EUROPE', 'ASIA', 'AFRICA'] as const
const MODES = [false, true]
const ORDERS = 600
const CHANGES = 200
const BURST = 10
const turn = () => new Promise<void>((resolve) => setImmediate(resolve))
/** Bytes that get through: one stream carries the orders of all, in the other mode each its own, compressed. */
const THROUGH = { true: { begun: 4_000, most: 8_000 }, false: { begun: 1_000, most: 1_500 } }

function clientOf(url: string, singleConnection: boolean, options: Partial<SluiceClientOptions> = {}) {
  const client = createSluiceClient({ url, singleConnection, baseWaitMs: 10, fetch: calmFetch, ...options })
  onTestFinished(() => client.dispose())
  return client
}

/** Waits until so many subscriptions run on the gateway, on so many streams. */
async function untilRunning(gateway: TestGateway, subscribers: number, streams: number): Promise<void> {
  const names = ['sluice_subscribers', 'sluice_streams', 'sluice_reserved_streams']
  let counts: number[] = []
  const isRight = async () => {
    counts = await Promise.all(names.map((name) => gateway.metric(name)))
    return counts.join() === [subscribers, streams, 0].join()
  }
  await until(`${names.join(', ')} are ${subscribers}, ${streams}, 0`, isRight).catch((error) => {
    throw new Error(`${error.message}; they are ${counts.join(', ')}`)
  })
}

test.each(MODES)('every order arrives once over cuts of the connections (single connection: %s)', async (single) => {
  const gateway = await startTestGateway()
  const { begun, most } = THROUGH[`${single}`]
  let connections = 0
  // A cut is often within the head of an answer, often within a few blocks. The subscriptions have begun before the first.
  const cutBytes = () => 300 + Math.floor(Math.random() * (Math.random() < 0.2 ? 300 : most))
  const proxy = await startCutProxy(gateway.graphql, () => (connections++ < 12 ? begun : 0) + cutBytes())
  const client = clientOf(proxy.url, single)
  const received = [...REGIONS, ...REGIONS].map((region) => {
    const ids: string[] = []
    client.subscribe<Data, { region: string }>(
      { query: QUERY, variables: { region } },
      {
        next: ({ data, errors }) => ids.push(data?.ordersByRegion.id ?? JSON.stringify(errors)),
        error: (error) => ids.push(String(error)),
        complete: () => ids.push('complete'),
      },
    )
    return ids
  })
  await until('all are subscribed', async () => (await gateway.metric('sluice_subscribers')) === received.length)
  const orders = Array.from({ length: ORDERS }, (_, i) => ({ id: `o${i}`, region: REGIONS[i % 3]!, merchantId: 'm' }))
  for (let i = 0; i < ORDERS; i += BURST) await gateway.produce(...orders.slice(i, i + BURST))
  await until('all came', () => received.every((ids) => ids.length >= ORDERS / 3), 40_000).catch(() => {})
  console.log(
    `single connection: ${single}: ${ORDERS} orders to ${received.length} subscriptions, ${proxy.cuts()} cuts`,
  )
  const wanted = REGIONS.map((region) => orders.filter((order) => order.region === region).map(({ id }) => id))
  expect(received.map(({ length }) => length)).toEqual(received.map(() => ORDERS / 3))
  expect(received).toEqual([...wanted, ...wanted])
  expect(proxy.cuts()).toBeGreaterThan(5)
})

test.each(MODES)(
  '200 quick changes of a filter leave one subscription on the gateway (single connection: %s)',
  async (single) => {
    const gateway = await startTestGateway()
    const client = clientOf(gateway.graphql, single)
    const errors: unknown[] = []
    const ids: string[] = []
    const subscribe = (where: object, next: (result: Result<Data>) => void) =>
      client.subscribe<Data, object>(
        {
          query: 'subscription ($where: OrderFilter) { ordersByRegion(region: ASIA, where: $where) { id } }',
          variables: { where },
        },
        { next, error: (error) => errors.push(error) },
      )
    let last = subscribe({}, () => {})
    for (let change = 1; change <= CHANGES; change++) {
      last.unsubscribe()
      last = subscribe({ total: { amount: { gte: String(change) } } }, ({ data }) => ids.push(data!.ordersByRegion.id))
      // Within a turn, within a round trip, and after one.
      if (change % 3 > 0) await turn()
      if (change % 20 === 0) await until('it is live', () => last.state.status === 'live')
    }
    await until('the last one is live', () => last.state.status === 'live')
    await untilRunning(gateway, 1, 1)
    await gateway.produce(
      { region: 'ASIA', id: 'little', amount: '199.99' },
      { region: 'ASIA', id: 'enough', amount: '200' },
    )
    await until('its order came', () => ids.length > 0)
    expect(ids).toEqual(['enough'])
    last.unsubscribe()
    expect(last.state).toEqual({ status: 'ended', why: 'stopped' })
    await untilRunning(gateway, 0, 0)
    expect(errors).toEqual([])
  },
)

test.each(MODES)(
  'a refused operation ends with its code, and the others go on (single connection: %s)',
  async (single) => {
    const gateway = await startTestGateway()
    const client = clientOf(gateway.graphql, single)
    const ids: string[] = []
    const good = client.subscribe<Data, object>(
      { query: QUERY, variables: { region: 'ASIA' } },
      { next: ({ data }) => ids.push(data!.ordersByRegion.id) },
    )
    const codes: string[] = []
    const refused = [
      { query: 'subscription { nothing }' },
      { query: 'subscription {' },
      { query: QUERY, variables: { region: 'ATLANTIS' } },
      { query: QUERY, variables: { region: 'ASIA' }, operationName: 'Another' },
    ].map((operation) =>
      client.subscribe<Data, object>(operation, {
        next: (result) => codes.push(JSON.stringify(result)),
        error: ({ code }) => codes.push(code),
      }),
    )
    refused.push(
      client.subscribe<Data, object>(
        { query: QUERY, variables: { region: 'ASIA' } },
        { next: (result) => codes.push(JSON.stringify(result)), error: ({ code }) => codes.push(code) },
        { from: 'no cursor' },
      ),
    )
    await until('all are refused', () => refused.every(({ state }) => state.status === 'ended'))
    expect(codes.toSorted()).toEqual([
      'BAD_USER_INPUT',
      'CURSOR_INVALID',
      'GRAPHQL_PARSE_FAILED',
      'GRAPHQL_VALIDATION_FAILED',
      'OPERATION_NAME_INVALID',
    ])
    expect(refused[0]!.state).toMatchObject({ why: 'refused', error: { code: 'GRAPHQL_VALIDATION_FAILED' } })
    await until('the good one is live', () => good.state.status === 'live')
    await gateway.produce({ region: 'ASIA', id: 'o' })
    await until('its order came', () => ids.length > 0)
    await untilRunning(gateway, 1, 1)
  },
)

test.each(MODES)(
  'a subscription goes on over the end of its token, with the next one (single connection: %s)',
  async (single) => {
    believeTokens()
    const gateway = await startTestGateway()
    let tokens = 0
    // The first one expires soon, and a request is still made with it then: the function is asked again.
    const auth = () => bearer({ id: 'somebody', ...(tokens++ < 3 ? { expiresAt: Date.now() + 1_500 } : {}) })
    const ids: string[] = []
    const states: string[] = []
    const client = clientOf(gateway.graphql, single, { auth })
    const subscription = client.subscribe<Data, object>(
      { query: QUERY, variables: { region: 'ASIA' } },
      {
        next: ({ data, errors }) => ids.push(data?.ordersByRegion.id ?? JSON.stringify(errors)),
        onState: ({ status }) => states.push(status),
      },
    )
    await until('it is live', () => subscription.state.status === 'live')
    await gateway.produce({ region: 'ASIA', id: 'before' })
    await until('its session has ended', () => states.includes('reconnecting'))
    await gateway.produce({ region: 'ASIA', id: 'between' })
    await until('it is live again', () => subscription.state.status === 'live')
    await gateway.produce({ region: 'ASIA', id: 'after' })
    await until('all came', () => ids.length >= 3)
    expect(ids).toEqual(['before', 'between', 'after'])
    expect(states).toEqual(['live', 'reconnecting', 'replaying', 'live'])
  },
)

test.each(MODES)(
  'a stalled iterator costs the others nothing, and has everything when it goes on (single connection: %s)',
  async (single) => {
    const gateway = await startTestGateway()
    const client = clientOf(gateway.graphql, single)
    const operation = { query: QUERY, variables: { region: 'ASIA' } }
    const iterator = client.iterate<Data, object>(operation)
    const idOf = ({ value }: IteratorResult<Result<Data>>) => (value as Result<Data>).data?.ordersByRegion.id
    const first = iterator.next()
    const others: string[] = []
    client.subscribe<Data, object>(operation, { next: ({ data }) => others.push(data!.ordersByRegion.id) })
    await untilRunning(gateway, 2, single ? 1 : 2)
    const wanted = Array.from({ length: ORDERS }, (_, i) => `o${i}`)
    for (let i = 0; i < ORDERS; i += BURST) {
      await gateway.produce(...wanted.slice(i, i + BURST).map((id) => ({ id, region: 'ASIA' as const })))
    }
    await until('the other one has all', () => others.length >= ORDERS)
    expect(others).toEqual(wanted)
    const ids = [idOf(await first)]
    while (ids.length < ORDERS) ids.push(idOf(await iterator.next()))
    expect(ids).toEqual(wanted)
    await iterator.return?.()
    await untilRunning(gateway, 1, 1)
  },
)
