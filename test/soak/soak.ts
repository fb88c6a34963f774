/**
 * The soak: twenty healthy clients of one gateway with little memory and few descriptors, and every attack there is, in
 * turn and then at random. Healthy clients lose nothing, get nothing twice and are not late; afterwards everything that
 * the gateway holds has gone back to what it was.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { Attackers } from './attackers.ts'
import { ATTACKS } from './attacks/all.ts'
import { GatewayProcess, type State } from './child.ts'
import { Feed } from './feed.ts'
import { HealthyClient, type Way } from './healthy.ts'
import { HEALTHY_REGIONS } from './orders.ts'
import { Random } from './random.ts'
import { percentile, table, Watch } from './watch.ts'

/** 20 ticks a second of one order a region: enough to see a silence, and nothing that two cores notice. */
const TICK_MS = 50
const QUIET_MS = 3_000
const CLIENTS = 20
/** Fills the window and what compiles itself, so that memory is level before it is looked at. */
const WARM_UP_RECORDS = 60_000
const WARM_UP_BURSTS = 3
/** Part of the time in which each attack runs by itself. */
const IN_TURN = 0.7
const RANDOM_MS = 1_500
/** A reservation lasts 20 s, a slow request 30 s, and what is cached of the past may stay for as long. */
const SETTLE_MS = 45_000
const LAST_EVENTS_MS = 20_000

/**
 * Both processes and a third one with the attackers share two cores with whatever else runs there: a turn of any of
 * them may wait for some hundred milliseconds. A gateway that an attack blocks is late by seconds.
 */
export const P99_LIMIT_MS = 1_000
/** Beyond what was there before the attacks: keep-alive connections of late requests, and the metrics' own. */
const MORE_FILES = 15
const MORE_TIMERS = 15
/** After a collection. Caches may be fuller than before, each within its bound: 64 MiB are twice their sum. */
const MORE_HEAP_BYTES = 64 * 1024 * 1024
/** Resident memory does not come back as a heap does: V8 and malloc keep pages. It must not grow without end. */
const RSS_FACTOR = 2
const MORE_RSS_BYTES = 128 * 1024 * 1024
/** What goes wrong again and again is logged at a limited rate. */
const LOG_LINES_A_SECOND = 20

export interface SoakOptions {
  readonly seconds: number
  readonly seed: number
  /** Only attacks whose name contains this. */
  readonly only?: string | undefined
}

export interface SoakReport {
  readonly table: string
  /** What must not be; none: it passed. */
  readonly failures: readonly string[]
}

export async function soak({ seconds, seed, only = '' }: SoakOptions): Promise<SoakReport> {
  const random = new Random(seed)
  const failures: string[] = []
  const attacks = ATTACKS.filter(({ name }) => name.includes(only))
  const watches = new Map(['none', ...attacks.map(({ name }) => name), 'none again'].map((name) => [name, new Watch(name)]))
  const now = new Set<Watch>()
  const all = new Watch('all')

  const gateway = await GatewayProcess.start()
  const feed = new Feed(gateway)
  const attackers = new Attackers(feed)
  for (let i = 0; i < WARM_UP_BURSTS; i++) await feed.burst(WARM_UP_RECORDS)
  const clients = healthyClients(gateway.port, (latencyMs, silentMs) => {
    for (const watch of [all, ...now]) watch.event(latencyMs, silentMs)
  })
  const alive = () => gateway.ended === undefined
  const ticking = new AbortController()

  /** Watches while `work` runs; a gateway that ends, ends it. */
  const during = async (names: readonly string[], work: () => Promise<void>): Promise<void> => {
    const watched = names.map((name) => watches.get(name) as Watch)
    const before = gateway.log.lines
    for (const watch of watched) now.add(watch)
    await Promise.race([work(), gateway.untilEnded()])
    for (const watch of watched) {
      now.delete(watch)
      watch.logLines += gateway.log.lines - before
    }
    if (!alive()) failures.push(`The gateway ended during ${names.join(' + ')}: ${gateway.ended}\n${gateway.log.tail()}`)
  }
  const attack = async (name: string, ms: number): Promise<void> => {
    const { port, adminPort } = gateway
    const { counts, faults } = await attackers.run({ attack: name, port, adminPort, seed: random.int(2 ** 32), ms })
    const state = await Promise.race([gateway.state(false), gateway.untilEnded()])
    watches.get(name)?.ended(counts, faults, state)
  }

  try {
    await Promise.all(clients.map((client) => client.start()))
    const ticker = tick(feed, ticking.signal)
    await during(['none'], () => delay(QUIET_MS))
    const before = await look(gateway)
    watches.get('none')?.ended(new Map(), [], before)

    const begin = performance.now()
    const turnMs = (seconds * 1000 * IN_TURN) / attacks.length
    for (const { name } of attacks) if (alive()) await during([name], () => attack(name, turnMs))
    while (alive() && performance.now() - begin < seconds * 1000) {
      const pair = random.shuffled(attacks).slice(0, 2)
      await during(
        pair.map(({ name }) => name),
        async () => void (await Promise.all(pair.map(({ name }) => attack(name, RANDOM_MS)))),
      )
    }
    if (alive()) {
      let wrong: string[] = []
      await during(['none again'], async () => {
        const end = performance.now() + SETTLE_MS
        do {
          await delay(QUIET_MS)
          const after = await look(gateway)
          watches.get('none again')?.ended(new Map(), [], after)
          wrong = notReturned(before, after)
        } while (wrong.length > 0 && performance.now() < end)
      })
      failures.push(...wrong)
    }
    ticking.abort()
    await ticker
    if (alive()) await untilAllArrived(feed, clients)
  } finally {
    attackers.stop()
    await Promise.all(clients.map((client) => client.stop()))
    await gateway.stop()
  }

  for (const [i, client] of clients.entries()) {
    const { lost, twice, disordered, inGaps } = feed.judge(client)
    const who = `Healthy client ${i} (${client.way}, ${client.region})`
    const sum = `${client.count()} events, ${client.reconnects} reconnects, ${client.refusals} refusals, ${inGaps} in gaps`
    if (lost + twice + disordered > 0) failures.push(`${who}: ${lost} lost, ${twice} twice, ${disordered} disordered; ${sum}`)
    if (client.count() === 0) failures.push(`${who} got nothing`)
    for (const fault of new Set(client.faults)) failures.push(`${who}: ${fault}`)
  }
  const p99 = percentile(all.latencies, 0.99)
  if (!(p99 <= P99_LIMIT_MS)) failures.push(`99 % of events arrived within ${p99} ms, and not ${P99_LIMIT_MS}`)
  for (const { name, faults } of watches.values()) for (const fault of faults) failures.push(`${name}: ${fault}`)
  if (gateway.log.lines > LOG_LINES_A_SECOND * seconds) failures.push(`It logged ${gateway.log.lines} lines`)
  for (const { text } of gateway.log.kept.filter(({ level }) => Number.isNaN(level) || level >= 60)) failures.push(`It said: ${text}`)
  return { table: table([...watches.values(), all]), failures }
}

function healthyClients(port: number, onEvent: (latencyMs: number, silentMs: number) => void): HealthyClient[] {
  const ways: Way[] = ['post', 'post', 'get', 'single']
  return Array.from({ length: CLIENTS }, (_, i) => {
    const comesBack = i % 5 === 4
    return new HealthyClient({
      port,
      way: ways[i % ways.length] as Way,
      region: HEALTHY_REGIONS[i % HEALTHY_REGIONS.length] as (typeof HEALTHY_REGIONS)[number],
      ...(comesBack && { comesBackMs: 3_000 }),
      // What waited for a client that was away says nothing of how late the gateway is.
      onEvent: comesBack ? () => {} : onEvent,
    })
  })
}

async function tick(feed: Feed, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    void feed.tick()
    await delay(TICK_MS, undefined, { signal }).catch(() => {})
  }
}

interface Look extends State {
  readonly groups: number
  readonly streams: number
  readonly reserved: number
}

async function look(gateway: GatewayProcess): Promise<Look> {
  const state = await gateway.state(true)
  if (!state) throw new Error(`The gateway does not say how it is: ${gateway.log.tail()}`)
  const metrics = await gateway.metrics()
  const metric = (name: string) => metrics.get(`sluice_${name}`) ?? Number.NaN
  return { ...state, groups: metric('groups'), streams: metric('streams'), reserved: metric('reserved_streams') }
}

/** What has not gone back to where it was. */
function notReturned(before: Look, after: Look): string[] {
  const rows: [string, number, number][] = [
    // Clients that ask for the same share a group, and there are two ways of asking for each region.
    ['groups', after.groups, 2 * HEALTHY_REGIONS.length],
    ['streams', after.streams, CLIENTS],
    ['reserved streams', after.reserved, CLIENTS / 2],
    ['open files', after.files, before.files + MORE_FILES],
    ['timers', after.resources.Timeout ?? 0, (before.resources.Timeout ?? 0) + MORE_TIMERS],
    ['bytes of heap', after.heapUsed, before.heapUsed + MORE_HEAP_BYTES],
    ['bytes outside of the heap', after.external, before.external + MORE_HEAP_BYTES],
    ['resident bytes', after.rss, before.rss * RSS_FACTOR + MORE_RSS_BYTES],
  ]
  return rows
    .filter(([, value, limit]) => !(value <= limit))
    .map(([what, value, limit]) => `${what} did not return: ${value}, and not at most ${limit}`)
}

async function untilAllArrived(feed: Feed, clients: readonly HealthyClient[]): Promise<void> {
  const end = performance.now() + LAST_EVENTS_MS
  while (clients.some((client) => feed.judge(client).lost > 0) && performance.now() < end) await delay(100)
}
