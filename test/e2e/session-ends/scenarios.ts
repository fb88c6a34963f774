import { setTimeout as delay } from 'node:timers/promises'
import { expect, onTestFinished } from 'vitest'
import { anOrder, metricIn } from '../../kit/gateway.ts'
import type { TestKafka } from '../../kit/kafka.ts'
import { addressOf, type NginxKit, type TestNginx } from '../../kit/nginx.ts'
import { until } from '../../kit/until.ts'
import { type Credentials, DistinctWatcher, type Region, SingleWatcher, type Watcher } from './watcher.ts'

const REGIONS: readonly Region[] = ['ASIA', 'EUROPE']

/** A gateway, wherever it runs. */
export interface Place {
  readonly name: string
  readonly url: string
  readonly adminUrl: string
}

/** What signs tokens that the gateways believe. */
export type Sign = (claims: { sub: string; expiresAt: number }) => Promise<Record<string, string>>

export interface World {
  readonly places: readonly [Place, Place]
  readonly kafka: TestKafka
  readonly front: TestNginx
  readonly sign: Sign
  /** Starts one that was not there before, and resolves when it is ready. */
  startAnother(): Promise<Place>
}

export async function startFront(nginx: NginxKit, places: readonly Place[]): Promise<TestNginx> {
  const instances = places.map(({ name, url }) => ({ name, address: addressOf(url) }))
  // All clients have one address here.
  return await nginx.start({ instances, streamsPerAddress: 10_000 })
}

const HOUR_MS = 3_600_000

async function metric({ adminUrl }: Place, name: string, labels: Record<string, string> = {}): Promise<number> {
  return metricIn(await (await fetch(`${adminUrl}/metrics`)).text(), name, labels)
}

async function post({ adminUrl }: Place, path: string, body: object): Promise<Record<string, unknown>> {
  const headers = { 'content-type': 'application/json' }
  const response = await fetch(`${adminUrl}${path}`, { method: 'POST', headers, body: JSON.stringify(body) })
  const text = await response.text()
  if (response.status !== 200) throw new Error(`${path} was answered ${response.status}: ${text}`)
  return JSON.parse(text)
}

/** Opens so many watchers, some at a time; they are closed when the test ends. */
async function watch(front: TestNginx, count: number, credentials: (index: number) => Credentials): Promise<Watcher[]> {
  const watchers = Array.from({ length: count }, (_, index) => {
    const Mode = index % 10 < 8 ? DistinctWatcher : SingleWatcher
    return new Mode(front.graphql, REGIONS[index % 2] as Region, credentials(index))
  })
  onTestFinished(() => {
    for (const watcher of watchers) watcher.close()
  })
  const waiting = watchers.values()
  const open = async () => {
    for (const watcher of waiting) await watcher.open()
  }
  await Promise.all(Array.from({ length: 32 }, open))
  return watchers
}

let produced = 0

/** Orders of each region, all of a region by one merchant, so that they have one order. */
async function produce({ kafka }: World, ids: Record<Region, string[]>): Promise<void> {
  const messages = REGIONS.map((region) => {
    const id = `${region} ${++produced}`
    ids[region].push(id)
    const merchantId = `m_${region}`
    return { key: merchantId, value: JSON.stringify(anOrder({ id, region, merchantId })) }
  })
  await kafka.produce('orders', messages)
}

/** A revocation at one of two gateways ends what is open on both, in both modes, and is known to one that starts. */
export async function revokeEverywhere(world: World): Promise<void> {
  const { places, front, sign } = world
  const [here, there] = places
  const of = (sub: string) => () => sign({ sub, expiresAt: Date.now() + HOUR_MS })
  const acme = await watch(front, 40, () => of('acme'))
  const friends = await watch(front, 40, () => of('friend'))
  const open = await Promise.all(places.map((place) => metric(place, 'sluice_subscribers')))
  expect([Math.min(...open) > 0, open.reduce((sum, each) => sum + each, 0)]).toEqual([true, 80])

  const begin = Date.now()
  const { revoked, streams } = await post(here, '/revoke', { principal: 'acme', reason: 'test' })
  const answered = Date.now() - begin
  await until('all of its streams have ended, on both', () => acme.every(({ isOver }) => isOver))
  const last = Math.max(...acme.flatMap(({ told }) => told.map(({ at }) => at))) - begin
  console.log(
    `A revocation was answered after ${answered} ms (${streams} streams ended there), and the last of 40 streams on two gateways was told ${last} ms after it was asked for`,
  )
  expect(revoked).toEqual({ principal: 'acme' })
  for (const { codes, refused } of acme) expect([codes, refused]).toEqual([['REVOKED'], []])
  const closed = await Promise.all(places.map((place) => metric(place, 'sluice_closes_total', { reason: 'revoked' })))
  expect(closed.reduce((sum, each) => sum + each, 0)).toBe(40)
  expect(closed.every((count) => count > 0)).toBe(true)

  const ids = { ASIA: [], EUROPE: [] }
  await produce(world, ids)
  await until('all others got an order', () => friends.every(({ received }) => received.length === 1))
  expect(friends.flatMap(({ codes }) => codes)).toEqual([])

  const started = await world.startAnother()
  const headers = { 'content-type': 'application/json', ...(await of('acme')()) }
  const ask = async ({ url }: Place) =>
    (await fetch(`${url}/graphql`, { method: 'POST', headers, body: '{"query":"{__typename}"}' })).status
  expect(await Promise.all([here, there, started].map(ask))).toEqual([403, 403, 403])

  expect(await post(there, '/block', { operation: 'Watch' })).toMatchObject({ blocked: { operation: 'Watch' } })
  await until('the others have ended, on both', () => friends.every(({ isOver }) => isOver))
  for (const { codes } of friends) expect(codes).toEqual(['OPERATION_BLOCKED'])

  await post(there, '/block', { operation: 'Watch', undo: true })
  await post(started, '/revoke', { principal: 'acme', undo: true })
  await until('it is let in again', async () =>
    (await Promise.all([here, there, started].map(ask))).every((s) => s === 200),
  )
  await until('nothing is blocked', async () => {
    const blocked = await Promise.all([here, there, started].map((place) => metric(place, 'sluice_blocked_operations')))
    return blocked.every((count) => count === 0)
  })
  const again = await watch(front, 10, () => of('acme'))
  await produce(world, ids)
  await until('all got an order', () => again.every(({ received }) => received.length === 1))
}

/** How long it may take until all streams are open, beside a part for each. */
const OPENING_MS = 10_000
const OPENING_STREAM_MS = 25
/** Between two orders of a region. */
const PACE_MS = 250

/** Streams whose tokens end in the same moment come back spread, with new tokens, and lose nothing. */
export async function expireTogether(world: World, count: number): Promise<void> {
  const { front, sign, places } = world
  const openingMs = OPENING_MS + OPENING_STREAM_MS * count
  const expiresAt = Math.ceil((Date.now() + openingMs) / 1_000) * 1_000
  const watchers = await watch(front, count, (index) => {
    // Clients know when their tokens expire, and have a new one by then.
    return () =>
      sign({ sub: `client ${index}`, expiresAt: Date.now() < expiresAt - 1_000 ? expiresAt : expiresAt + HOUR_MS })
  })
  expect(Date.now(), 'All have to be open before their tokens expire').toBeLessThan(expiresAt - 2_000)
  const ids: Record<Region, string[]> = { ASIA: [], EUROPE: [] }
  const isBack = ({ opened, codes }: Watcher) => opened === 2 && codes.length === 1
  let rounds = 0
  while (!watchers.every(isBack)) {
    await produce(world, ids)
    await delay(PACE_MS)
    if (++rounds * PACE_MS > openingMs + 60_000) break
  }
  await produce(world, ids)
  await until(
    'all have the last order',
    () => watchers.every((w) => w.received.at(-1) === ids[w.region].at(-1)),
    60_000,
  )
  const wrong = watchers.filter(({ received, region }) => received.join() !== ids[region].join())
  expect(wrong.map(({ received, region }) => [received, ids[region]])).toEqual([])
  for (const { codes, opened, refused } of watchers) {
    expect([codes, opened, refused]).toEqual([['SESSION_EXPIRED'], 2, []])
  }
  const late = watchers.flatMap(({ told }) => told.map(({ at }) => at - expiresAt))
  const perSecond = new Map<number, number>()
  for (const ms of late.sort((one, other) => one - other))
    perSecond.set(Math.floor(ms / 1_000), (perSecond.get(Math.floor(ms / 1_000)) ?? 0) + 1)
  const expired = await Promise.all(places.map((place) => metric(place, 'sluice_closes_total', { reason: 'expired' })))
  console.log(
    `${count} streams of one moment were told from ${late[0]} to ${late.at(-1)} ms after it, by second ${[...perSecond.values()].join(', ')}; on each gateway ${expired.join(', ')}; ${ids.ASIA.length} orders of a region meanwhile, each once`,
  )
  expect(Math.max(...perSecond.values())).toBeLessThan(count / 2)
  expect(expired.reduce((sum, each) => sum + each, 0)).toBe(count)
}
