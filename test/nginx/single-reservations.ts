import { expect } from 'vitest'
import type { TestNginx } from '../kit/nginx.ts'
import { until } from '../kit/until.ts'
import type { Instances } from './single-instances.ts'
import { forEach, SingleSession, tally } from './single-session.ts'

const ASIA = 'subscription { ordersByRegion(region: ASIA) { id } }'
/** More than there are instances, so that their answers overlap. */
const AT_ONCE = 16
/** Of a reservation: PUT, POST, GET of the stream, GET of an operation, DELETE. */
const REQUESTS = 5

/**
 * Reserves that many streams, one after the other with a header or a parameter for its token; opens each, runs two
 * operations on it, and ends one of them, every request over a new connection. Expects each request to have reached the
 * instance that the token names, by what the instances answer and count, and by Nginx's log.
 */
export async function reachEachInstance(front: TestNginx, instances: Instances, count: number): Promise<void> {
  const sessions = await forEach(count, AT_ONCE, async (i) => {
    const session = await SingleSession.reserve(front.graphql, i % 2 ? 'header' : 'query')
    const before = await session.start('POST', 'first', ASIA)
    const opened = await session.open()
    expect([before, opened, await session.start('GET', 'second', ASIA)]).toEqual([202, 200, 202])
    return session
  })
  const counts = tally(sessions.map(({ instance }) => instance))
  const none = Object.fromEntries(instances.addresses.map(({ name }) => [name, 0]))
  for (const { name } of instances.addresses) expect(counts[name], name).toBeGreaterThan(count / 4)
  expect(await instances.metric('sluice_single_streams')).toEqual(counts)
  expect(await instances.metric('sluice_reserved_streams')).toEqual(none)
  const twice = Object.fromEntries(Object.entries(counts).map(([name, streams]) => [name, 2 * streams]))
  expect(await instances.metric('sluice_subscribers')).toEqual(twice)

  await instances.produce({ id: 'a', region: 'ASIA' })
  await until('all have it twice', () => sessions.every(({ orders }) => orders.length >= 2))
  const deleted = await forEach(count, AT_ONCE, (i) => (sessions[i] as SingleSession).delete('first'))
  expect(tally(deleted)).toEqual({ 200: count })
  expect(await instances.metric('sluice_subscribers')).toEqual(counts)
  await instances.produce({ id: 'b', region: 'ASIA' })
  await until('all have it', () => sessions.every(({ orders }) => orders.includes('second b')))
  for (const { orders } of sessions) {
    expect(orders.slice(0, 2).sort()).toEqual(['first a', 'second a'])
    expect(orders.slice(2)).toEqual(['second b'])
  }

  for (const session of sessions) session.close()
  for (const metric of ['sluice_single_streams', 'sluice_subscribers']) {
    await until(`${metric} is 0`, async () =>
      Object.values(await instances.metric(metric)).every((value) => value === 0),
    )
  }
  await expectOwnConnections(front, instances, sessions)
  console.log(`${count * REQUESTS} requests of ${count} reservations: ${JSON.stringify(counts)}`)
}

/** By the log: each request came over a connection of its own, and went to the one instance that its token names. */
async function expectOwnConnections(front: TestNginx, instances: Instances, sessions: readonly SingleSession[]) {
  await until('Nginx has logged all', () => front.accessLog().length >= sessions.length * REQUESTS)
  const lines = front.accessLog()
  expect(new Set(lines.map(({ connection }) => connection)).size).toBe(sessions.length * REQUESTS)
  const upstreams = new Map(lines.map((line) => [line.request_id, line.upstream]))
  const addresses = new Map(instances.addresses.map(({ name, address }) => [name, address]))
  const went = sessions.flatMap(({ instance, requestIds }) =>
    requestIds.map((id) => (upstreams.get(id) === addresses.get(instance) ? 'to its instance' : 'elsewhere')),
  )
  expect(tally(went)).toEqual({ 'to its instance': sessions.length * (REQUESTS - 1) })
}
