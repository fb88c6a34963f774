/**
 * The soak: twenty healthy clients of one gateway with little memory and few descriptors, and every attack there is, in
 * turn and then at random. Healthy clients lose nothing, get nothing twice and are not late; afterwards everything that
 * the gateway holds has gone back to what it was.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { Attackers } from './attackers.ts'
import { ATTACKS } from './attacks/all.ts'
import { GatewayProcess, type State } from './child.ts'
import { Failures } from './failures.ts'
import { Feed } from './feed.ts'
import { HealthyClient, type Way } from './healthy.ts'
import { HEALTHY_REGIONS } from './orders.ts'
import { Random } from './random.ts'
import { percentile, table, Watch, watchMemory } from './watch.ts'

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
const P99_LIMIT_MS = 1_000
/** Beyond what was there before the attacks: keep-alive connections of late requests, and the metrics' own. */
const MORE_FILES = 15
const MORE_TIMERS = 15
/** After a collection, beside what has a bound and a metric of its own. */
const MORE_HEAP_BYTES = 64 * 1024 * 1024
/** Resident memory does not come back as a heap does: V8 and malloc keep pages. It must not grow without end. */
const RSS_FACTOR = 2
const MORE_RSS_BYTES = 128 * 1024 * 1024
/** At any time: a full heap of 512 MiB, and as much again for code, buffers and what malloc keeps. */
const MAX_RSS_BYTES = 1024 * 1024 * 1024
/** What goes wrong again and again is logged at a limited rate. */
const LOG_LINES_A_SECOND = 20

export interface SoakOptions {
  readonly seconds: number
  readonly seed: number
  /** Only attacks whose name matches this regular expression. */
  readonly only?: string | undefined
}

export interface SoakReport {
  readonly table: string
  /** What must not be; none: it passed. */
  readonly failures: readonly string[]
}

export async function soak({ seconds, seed, only = '' }: SoakOptions): Promise<SoakReport> {
  const random = new Random(seed)
  const failures = new Failures()
  const attacks = ATTACKS.filter(({ name }) => new RegExp(only).test(name))
  const watches = new Map(
    ['none', ...attacks.map(({ name }) => name), 'none again'].map((name) => [name, new Watch(name)]),
  )
  const now = new Set<Watch>()
  const all = new Watch('all attacks')

  const gateway = await GatewayProcess.start()
  const feed = new Feed(gateway)
  const attackers = new Attackers(feed)
  for (let i = 0; i < WARM_UP_BURSTS; i++) await feed.burst(WARM_UP_RECORDS)
  const clients = healthyClients(gateway.port, (latencyMs, silentMs) => {
    for (const watch of now) watch.event(latencyMs, silentMs)
  })
  const alive = () => gateway.ended === undefined
  const ticking = new AbortController()
  const memory = watchMemory(gateway.pid)

  /** Watches while `work` runs; a gateway that ends, ends it. */
  const during = async (names: readonly string[], work: () => Promise<void>): Promise<void> => {
    const watched = names.map((name) => watches.get(name) as Watch)
    const before = gateway.log.lines
    for (const watch of watched) now.add(watch)
    // Without attacks the gateway's memory is looked at, and a collection of it takes a while.
    if (attacks.some(({ name }) => names.includes(name))) now.add(all)
    await Promise.race([work(), gateway.untilEnded()])
    for (const watch of watched) {
      now.delete(watch)
      now.delete(all)
      watch.logLines += gateway.log.lines - before
    }
    if (!alive()) failures.add(`The gateway ended during ${names.join(' + ')}: ${gateway.ended}\n${gateway.log.tail()}`)
  }
  const attack = async (name: string, ms: number): Promise<void> => {
    const { port, adminPort } = gateway
    const { counts, faults } = await attackers.run({ attack: name, port, adminPort, seed: random.int(2 ** 32), ms })
    const state = await Promise.race([gateway.state(false), gateway.untilEnded()])
    watches.get(name)?.ended(counts, faults, state)
  }

  const judgeAll = (): void => {
    for (const [i, client] of clients.entries())
      judge(feed, client, `Healthy client ${i} (${client.way}, ${client.region})`, failures)
    const p99 = percentile(all.latencies, 0.99)
    if (!(p99 <= P99_LIMIT_MS)) failures.add(`99 % of events arrived within ${p99} ms, and not ${P99_LIMIT_MS}`)
    if (gateway.log.lines > LOG_LINES_A_SECOND * seconds) failures.add(`It logged ${gateway.log.lines} lines`)
    if (memory.peak > MAX_RSS_BYTES) failures.add(`It had ${memory.peak} resident bytes, and not ${MAX_RSS_BYTES}`)
    for (const { text } of gateway.log.kept.filter(({ level }) => !(level < 60))) failures.add(`It said: ${text}`)
  }

  try {
    await Promise.all(clients.map((client) => client.start()))
    const ticker = tick(feed, ticking.signal)
    await during(['none'], () => delay(QUIET_MS))
    const before = await look(gateway)
    watches.get('none')?.ended(new Map(), [], before)

    const begin = performance.now()
    const turnMs = Math.round((seconds * 1000 * IN_TURN) / attacks.length)
    const beside = attacks.flatMap(({ name, besideMs }) =>
      besideMs && besideMs < seconds * 1000 ? attack(name, besideMs) : [],
    )
    for (const { name, minMs = 0, besideMs } of attacks) {
      if (alive() && !besideMs) await during([name], () => attack(name, Math.max(minMs, turnMs)))
    }
    while (alive() && performance.now() - begin < seconds * 1000) {
      const pair = random.shuffled(attacks.filter(({ besideMs }) => !besideMs)).slice(0, 2)
      await during(
        pair.map(({ name }) => name),
        async () => void (await Promise.all(pair.map(({ name, minMs = RANDOM_MS }) => attack(name, minMs)))),
      )
    }
    await Promise.race([Promise.all(beside), gateway.untilEnded()])
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
      for (const each of wrong) failures.add(each)
    }
    ticking.abort()
    await ticker
    if (alive()) await untilAllArrived(feed, clients)
    for (const { name, faults } of watches.values()) for (const fault of faults) failures.add(`${name}: ${fault}`)
    // If the gateway has ended, everything else is only that.
    if (alive()) judgeAll()
  } finally {
    memory.stop()
    attackers.stop()
    await Promise.all(clients.map((client) => client.stop()))
    await gateway.stop()
  }

  return { table: table([...watches.values(), all]), failures: failures.shown }
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

function judge(feed: Feed, client: HealthyClient, who: string, failures: Failures): void {
  const { lost, twice, disordered, inGaps } = feed.judge(client)
  const sum = `${client.count()} events, ${client.reconnects} reconnects, ${client.refusals} refusals, ${inGaps} in gaps`
  if (lost + twice + disordered > 0)
    failures.add(`${who}: ${lost} lost, ${twice} twice, ${disordered} disordered; ${sum}`)
  if (client.count() === 0) failures.add(`${who} got nothing`)
  for (const fault of new Set(client.faults)) failures.add(`${who}: ${fault}`)
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
  /** What is kept of frames and of the past, within bounds, whether clients come back for it or not. */
  readonly cachedBytes: number
  /** Cached documents and operations, and the events of the windows and of replays, within bounds: objects in the heap. */
  readonly heldBytes: number
}

async function look(gateway: GatewayProcess): Promise<Look> {
  const state = await gateway.state(true)
  if (!state) throw new Error(`The gateway does not say how it is: ${gateway.log.tail()}`)
  const metrics = await gateway.metrics()
  const metric = (name: string) => metrics.get(`sluice_${name}`) ?? Number.NaN
  return {
    ...state,
    groups: metric('groups'),
    streams: metric('streams'),
    reserved: metric('reserved_streams'),
    cachedBytes: metric('frame_log_bytes') + metric('history_bytes'),
    heldBytes: metric('document_cache_bytes') + metric('window_bytes') + metric('past_bytes'),
  }
}

/** What has not gone back to where it was. */
function notReturned(before: Look, after: Look): string[] {
  const none = Number.NaN
  const rows: [string, number | undefined, number][] = [
    // Clients that ask for the same share a group, and there are two ways of asking for each region.
    ['groups', after.groups, 2 * HEALTHY_REGIONS.length],
    ['streams', after.streams, CLIENTS],
    ['reserved streams', after.reserved, CLIENTS / 2],
    ['open files', after.files, (before.files ?? none) + MORE_FILES],
    ['timers', after.resources.Timeout ?? 0, (before.resources.Timeout ?? 0) + MORE_TIMERS],
    ['bytes of heap', inHeap(after), inHeap(before) + MORE_HEAP_BYTES],
    ['bytes outside of the heap', outside(after), outside(before) + MORE_HEAP_BYTES],
    [
      'resident bytes',
      (after.rss ?? none) - after.cachedBytes - after.heldBytes,
      (before.rss ?? none) * RSS_FACTOR + MORE_RSS_BYTES,
    ],
  ]
  return rows
    .filter(([, value, limit]) => !((value ?? none) <= limit))
    .map(([what, value, limit]) => `${what} did not return: ${value}, and not at most ${limit}`)
}

function inHeap({ heapUsed, heldBytes }: Look): number {
  return (heapUsed ?? Number.NaN) - heldBytes
}

function outside({ external, cachedBytes }: Look): number {
  return (external ?? Number.NaN) - cachedBytes
}

async function untilAllArrived(feed: Feed, clients: readonly HealthyClient[]): Promise<void> {
  const end = performance.now() + LAST_EVENTS_MS
  while (clients.some((client) => feed.judge(client).lost > 0) && performance.now() < end) await delay(100)
}
