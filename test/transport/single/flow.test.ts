import { describe, expect, test } from 'vitest'
import { anOrder, startTestGateway, type TestGateway } from '../../kit/gateway.ts'
import { RawStream, requestBytes } from '../../kit/raw-stream.ts'
import { until } from '../../kit/until.ts'
import { probeSchema } from '../probe-schema.ts'
import { SingleClient, type Told } from './client.ts'

const EUROPE = 'subscription { ordersByRegion(region: EUROPE) { id city } }'
const ASIA = 'subscription { ordersByRegion(region: ASIA) { id city } }'

const idOf = ({ payload }: Told) => (payload?.data?.ordersByRegion as { id: string } | undefined)?.id
const idsOf = (client: SingleClient, operation: string) => client.told(operation).flatMap((told) => idOf(told) ?? [])

/** Produces orders of 10 KB with these numbers, to both regions. */
async function produceLarge(gateway: TestGateway, from: number, to: number): Promise<void> {
  const city = 'x'.repeat(10_000)
  for (let n = from; n < to; n++) {
    await gateway.produce(
      anOrder({ id: `${n}`, region: 'EUROPE', city }),
      anOrder({ id: `${n}`, region: 'ASIA', city: 'small' }),
    )
  }
}
const numbers = (from: number, to: number) => Array.from({ length: to - from }, (_each, n) => `${from + n}`)

describe('sharing', () => {
  test('equal operations share one execution, on one stream and on several, and with distinct connections', async () => {
    const gateway = await startTestGateway()
    const clients = await Promise.all(Array.from({ length: 3 }, () => SingleClient.open(gateway.graphql)))
    for (const client of clients) for (const id of ['1', '2']) await client.start(id, EUROPE)
    const distinct = await RawStream.subscribe(gateway.graphql, EUROPE)
    expect(await gateway.metric('sluice_groups')).toBe(1)
    await gateway.produce({ id: 'a' }, { id: 'b' })
    for (const client of clients) await client.untilTold(4)
    await distinct.untilResults(2)
    expect(await gateway.metric('sluice_executions_total')).toBe(2)
    expect(await gateway.metric('sluice_deliveries_total')).toBe(14)
  })

  test('what all operations of a stream get at once goes out in few writes', async () => {
    const gateway = await startTestGateway()
    const client = await SingleClient.open(gateway.graphql)
    for (let id = 0; id < 50; id++) await client.start(`${id}`, EUROPE)
    let chunks = 0
    client.stream.socket.on('data', () => chunks++)
    await gateway.produce({ id: 'a' })
    await client.untilTold(50)
    expect(chunks).toBeLessThanOrEqual(3)
  })
})

describe('slowness', () => {
  test('of one stream is its own: others go on, and it gets everything in the end, in order and once', async () => {
    const gateway = await startTestGateway()
    const slow = await SingleClient.open(gateway.graphql)
    const fast = await SingleClient.open(gateway.graphql)
    for (const client of [slow, fast]) {
      await client.start('europe', EUROPE)
      await client.start('asia', ASIA)
      await client.start('europe again', EUROPE)
    }
    slow.stream.socket.pause()
    await produceLarge(gateway, 0, 500)
    for (const id of ['europe', 'asia', 'europe again']) {
      await until('the fast one has all', () => idsOf(fast, id).length === 500)
      expect(idsOf(fast, id)).toEqual(numbers(0, 500))
    }
    expect(await gateway.metric('sluice_lagging_subscribers')).toBeGreaterThan(1)
    // What it holds is in its socket, and one piece for each of its operations.
    slow.stream.socket.resume()
    await until(
      'the slow one has all',
      () => idsOf(slow, 'europe').length === 500 && idsOf(slow, 'europe again').length === 500,
    )
    await until('also of the other', () => idsOf(slow, 'asia').length === 500)
    for (const id of ['europe', 'asia', 'europe again']) expect(idsOf(slow, id)).toEqual(numbers(0, 500))
    expect(await gateway.metric('sluice_lagging_subscribers')).toBe(0)
    await gateway.produce({ id: 'last' })
    await until('it is live again', () => idsOf(slow, 'europe').at(-1) === 'last')
  })

  test('of a stream does not let one operation starve another', async () => {
    const gateway = await startTestGateway()
    await produceLarge(gateway, 0, 500)
    await until('all are in the window', async () => (await gateway.metric('sluice_events_total')) === 1_000)
    const client = await SingleClient.reserve(gateway.graphql)
    await client.start('1', 'subscription { ordersByRegion(region: EUROPE, last: 400) { id city } }')
    await client.start('2', 'subscription { ordersByRegion(region: EUROPE, last: 300) { id city } }')
    await client.start('3', 'subscription { ordersByRegion(region: EUROPE, last: 200) { id city } }')
    await client.openStream()
    await until('all came', () => client.told().length === 900)
    expect([idsOf(client, '1'), idsOf(client, '2'), idsOf(client, '3')]).toEqual([
      numbers(100, 500),
      numbers(200, 500),
      numbers(300, 500),
    ])
    // They took turns: before the longest was half through, each had its share.
    const half = client
      .told()
      .slice(0, 450)
      .map(({ id }) => id)
    for (const id of ['1', '2', '3']) expect(half.filter((each) => each === id).length).toBeGreaterThan(75)
  })

  test('holds back a source that pulls: one result waits, and no more', async () => {
    const probe = probeSchema()
    const gateway = await startTestGateway({ schema: probe.schema })
    const client = await SingleClient.open(gateway.graphql)
    client.stream.socket.pause()
    await client.start('1', 'subscription { endless }')
    await client.start('2', 'subscription { endless }')
    // While another stream is served well, nothing more is pulled for this one.
    const other = await SingleClient.open(gateway.graphql)
    let before = -1
    await until('it stands still', async () => {
      before = probe.pulled
      for (let id = 0; id < 10; id++) await other.start(`${before} ${id}`, '{ hello }')
      return probe.pulled === before
    })
    client.stream.socket.resume()
    await until('it goes on', () => probe.pulled > before + 10)
    await client.stop('1')
    await client.stop('2')
    await until('the sources have ended', () => probe.open === 0)
  })
})

describe('before the stream opens', () => {
  test('operations of topics wait in their groups’ logs: nothing is lost, however much comes', async () => {
    const gateway = await startTestGateway()
    const client = await SingleClient.reserve(gateway.graphql)
    await client.start('europe', EUROPE)
    await client.start('asia', ASIA)
    await produceLarge(gateway, 0, 300)
    expect(await gateway.metric('sluice_lagging_subscribers')).toBe(2)
    await client.openStream()
    await until('all came', () => client.told().length === 600)
    expect([idsOf(client, 'europe'), idsOf(client, 'asia')]).toEqual([numbers(0, 300), numbers(0, 300)])
    await gateway.produce({ id: 'last' })
    await until('it is live', () => idsOf(client, 'europe').at(-1) === 'last')
  })

  test('results that nobody else keeps wait up to 256 KiB, and then no more operations are begun', async () => {
    const gateway = await startTestGateway()
    await produceLarge(gateway, 0, 30)
    const query = '{ recentOrders(last: 30) { id city } }'
    const client = await SingleClient.reserve(gateway.graphql)
    let held = 0
    for (let id = 0; held < 256 * 1024; id++) {
      expect((await client.start(`${id}`, query)).status).toBe(202)
      held = await gateway.metric('sluice_answer_bytes')
    }
    const refused = await client.start('more', query)
    expect([refused.status, refused.json.errors[0].extensions.code]).toEqual([429, 'TOO_MANY_OPERATIONS'])
    await client.openStream()
    await until('all have come', async () => (await gateway.metric('sluice_answer_bytes')) === 0)
    expect((await client.start('more', query)).status).toBe(202)
  })

  test('hand-written subscriptions have pulled one item each, and no result of it waits', async () => {
    const probe = probeSchema()
    const gateway = await startTestGateway({ schema: probe.schema })
    const client = await SingleClient.reserve(gateway.graphql)
    const ids = numbers(0, 50)
    for (const id of ids) expect((await client.start(id, 'subscription { endless }')).status).toBe(202)
    await until('all have pulled', () => probe.pulled === ids.length)
    expect(await gateway.metric('sluice_answer_bytes')).toBe(0)
    await client.openStream()
    // There is much of it, so that each part is looked at once.
    const counts = new Map<string, number>()
    let seen = 0
    await until('all of them go on', () => {
      const { received } = client.stream
      const end = received.lastIndexOf('\n')
      for (const [, id] of received.slice(seen, end).matchAll(/^data: {"id":"(\d+)"/gm))
        counts.set(id as string, (counts.get(id as string) ?? 0) + 1)
      seen = end
      return ids.every((id) => (counts.get(id) ?? 0) > 1)
    })
    await client.stream.close()
  })

  test('there is room for 5,000 reservations, and the next is refused with 503 and Retry-After', async () => {
    const gateway = await startTestGateway()
    const put = requestBytes(gateway.graphql, { method: 'PUT' })
    const pipelined = await RawStream.write(gateway.graphql, put.repeat(5_000))
    await until('all are reserved', async () => (await gateway.metric('sluice_reserved_streams')) === 5_000)
    pipelined.socket.destroy()
    const refused = await RawStream.answer(gateway.graphql, { method: 'PUT' })
    expect([refused.status, refused.json.errors[0].extensions.code]).toEqual([503, 'TOO_MANY_STREAMS'])
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0)
  })
})

describe('resume', () => {
  test('goes by operation, over cuts: each goes on behind the cursor it was told last, nothing lost and nothing twice', async () => {
    const gateway = await startTestGateway()
    const queries = { europe: EUROPE, asia: ASIA }
    const got: Record<string, string[]> = { europe: [], asia: [] }
    const cursors: Record<string, string | undefined> = {}
    let produced = 0
    for (let round = 0; round < 5; round++) {
      const client = await SingleClient.open(gateway.graphql)
      for (const [id, query] of Object.entries(queries)) {
        await client.start(id, query, { extensions: { cursor: true, lastEventId: cursors[id] ?? null } })
      }
      await produceLarge(gateway, produced, produced + 20)
      produced += 20
      // The last round reads everything; the others are cut somewhere.
      const enough = round === 4 ? 0 : 5
      await until('some came', () =>
        Object.keys(queries).every((id) => got[id]!.length + idsOf(client, id).length >= produced - enough),
      )
      client.stream.socket.destroy()
      for (const id of Object.keys(queries)) {
        for (const told of client.told(id)) {
          const order = idOf(told)
          if (order !== undefined) got[id]!.push(order)
          cursors[id] = told.payload?.extensions?.cursor ?? cursors[id]
        }
      }
      // Comes while nobody is there.
      await produceLarge(gateway, produced, produced + 10)
      produced += 10
    }
    const client = await SingleClient.open(gateway.graphql)
    for (const [id, query] of Object.entries(queries)) {
      await client.start(id, query, { extensions: { cursor: true, lastEventId: cursors[id] } })
    }
    await until('the rest came', () =>
      Object.keys(queries).every((id) => got[id]!.length + idsOf(client, id).length >= produced),
    )
    for (const id of Object.keys(queries)) expect([...got[id]!, ...idsOf(client, id)]).toEqual(numbers(0, produced))
  })

  test('does not go by Last-Event-ID, which would be the stream’s and not one operation’s', async () => {
    const gateway = await startTestGateway()
    const first = await RawStream.subscribe(gateway.graphql, EUROPE)
    await gateway.produce({ id: 'a' }, { id: 'b' })
    await first.untilResults(2)
    const cursor = first.blocks[0]?.id ?? ''
    const client = await SingleClient.reserve(gateway.graphql, { 'last-event-id': cursor })
    await client.start('header', EUROPE)
    await client.start('own', EUROPE, { extensions: { lastEventId: cursor } })
    const search = new URLSearchParams({ query: EUROPE, extensions: '{"operationId":"URL"}', lastEventId: cursor })
    await client.ask({ search: `?${search}` })
    await client.openStream()
    await gateway.produce({ id: 'c' })
    await client.untilTold(5)
    expect(idsOf(client, 'own')).toEqual(['a', 'b', 'c'])
    expect([idsOf(client, 'header'), idsOf(client, 'URL')]).toEqual([['c'], ['c']])
  })

  test('says where the past ends, to who asks', async () => {
    const gateway = await startTestGateway()
    await gateway.produce({ id: 'a' }, { id: 'b' })
    const client = await SingleClient.reserve(gateway.graphql)
    const query = 'subscription { ordersByRegion(region: EUROPE, last: 2) { id } }'
    await client.start('1', query, { extensions: { markers: true } })
    await client.start('2', EUROPE, { extensions: { markers: true } })
    await client.openStream()
    await client.untilTold(4)
    expect(client.told('1')[2]?.payload).toEqual({ extensions: { caughtUp: true, cursor: expect.any(String) } })
    expect(client.told('2')[0]?.payload).toMatchObject({ extensions: { caughtUp: true } })
  })
})

test('a thousand streams with operations, opened and closed, leave nothing behind', async () => {
  const probe = probeSchema()
  const gateway = await startTestGateway({ schema: probe.schema })
  const kinds = ['{ hello }', 'subscription { orderIds }', 'subscription { silent }', 'subscription { count(to: 3) }']
  const once = async (n: number): Promise<void> => {
    const client = await SingleClient.reserve(gateway.graphql)
    if (n % 3 === 0) await client.openStream()
    for (const [id, query] of kinds.entries()) await client.start(`${id}`, query)
    if (n % 3 === 1) await client.openStream()
    if (n % 2 === 0) await client.stop('2')
    // Those that were never opened are closed on their first moment.
    if (n % 3 === 2) await client.openStream()
    await client.stream.close()
  }
  for (let n = 0; n < 1000; n += 20) await Promise.all(Array.from({ length: 20 }, (_each, index) => once(n + index)))
  await until('all are gone', async () => (await gateway.metric('sluice_single_streams')) === 0)
  expect(await gateway.metric('sluice_reserved_streams')).toBe(0)
  expect(await gateway.metric('sluice_subscribers')).toBe(0)
  expect(await gateway.metric('sluice_lagging_subscribers')).toBe(0)
  expect(await gateway.metric('sluice_streams')).toBe(0)
  expect(probe.open).toBe(0)
  await gateway.close()
}, 60_000)
