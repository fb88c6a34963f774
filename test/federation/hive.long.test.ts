/** A subscription through a real federated router, with this gateway as its subgraph over server-sent events. */
import { describe, expect, test } from 'vitest'
import { startTestGateway, type TestGateway } from '../kit/gateway.ts'
import { RawStream } from '../kit/raw-stream.ts'
import { startTapProxy } from '../kit/tap-proxy.ts'
import { until } from '../kit/until.ts'
import { startHive } from './hive.ts'

const QUERY =
  'subscription ($city: String!) { ordersByRegion(region: EUROPE, where: { city: { eq: $city } }) { id total { amount } } }'
const variables = { city: 'Delft' }

const idsOf = (stream: RawStream) =>
  stream.results.map(({ data }) => (data?.ordersByRegion as { id: string } | undefined)?.id)

async function untilHeartbeats(gateway: TestGateway, count: number): Promise<void> {
  const written = await gateway.metric('sluice_writes_total')
  await until('heartbeats went out', async () => (await gateway.metric('sluice_writes_total')) >= written + count)
}

describe('through Hive Gateway', () => {
  test('events arrive from the opening on, over heartbeats and quiet times, each once', async () => {
    const gateway = await startTestGateway({ env: { HEARTBEAT_MS: '100', COMPRESSION: 'off' } })
    const proxy = await startTapProxy(gateway.graphql)
    const router = await startHive(proxy.url)
    const streams = [
      await RawStream.subscribe(router.graphql, QUERY, { variables }),
      await RawStream.subscribe(router.graphql, QUERY, { variables }),
    ]
    await until('both are subscribed', () => gateway.engine.subscribers === 2)
    // The router's clients ask the same thing.
    expect(gateway.engine.groups).toBe(1)
    await untilHeartbeats(gateway, 30)
    const ids = Array.from({ length: 20 }, (_, i) => `o${i}`)
    for (const id of ids) {
      await gateway.produce({ id: 'other' }, { id, city: 'Delft' })
      await untilHeartbeats(gateway, 3)
    }
    for (const stream of streams) {
      await stream.untilResults(ids.length)
      expect(idsOf(stream)).toEqual(ids)
      expect(stream.ended).toBe(false)
    }
    // What the router took them from: positions without data.
    expect(proxy.answers.join('')).toMatch(/\n\nid: \S+\n\nid: \S+\n/)
    expect(proxy.answers.join('')).not.toMatch(/^data:\s*$/m)
    for (const stream of streams) await stream.close()
    await until('the router has let both go', () => gateway.engine.subscribers === 0)
  })

  test('a planned end is told to the router’s client as complete: it has to subscribe again', async () => {
    const gateway = await startTestGateway({ env: { STREAM_MAX_AGE_MS: '2000' } })
    const router = await startHive(gateway.graphql)
    const stream = await RawStream.subscribe(router.graphql, QUERY, { variables })
    await until('it is subscribed', () => gateway.engine.subscribers === 1)
    await gateway.produce({ id: 'a', city: 'Delft' })
    await stream.untilResults(1)
    await until('the stream has ended by its age', () => (gateway.engine.stats.closes.age ?? 0) > 0)
    await stream.untilWhole()
    expect(stream.body).toContain('event: complete')
    const again = await RawStream.subscribe(router.graphql, QUERY, { variables })
    await until('it is subscribed', () => gateway.engine.subscribers === 1)
    await gateway.produce({ id: 'b', city: 'Delft' })
    await again.untilResults(1)
    expect([...idsOf(stream), ...idsOf(again)]).toEqual(['a', 'b'])
  })

  test('a refusal is told with its message', async () => {
    const gateway = await startTestGateway()
    const router = await startHive(gateway.graphql)
    const query = 'subscription { orders(after: "damaged") { id } }'
    const stream = await RawStream.subscribe(router.graphql, query)
    await stream.untilWhole()
    expect(stream.body).toContain('CURSOR_INVALID')
  })
})
