import { type IncomingMessage, request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { expect, onTestFinished } from 'vitest'
import { as, at, believePrincipals } from '../../kit/believed-principals.ts'
import { anOrder, startTestGateway, type TestGateway } from '../../kit/gateway.ts'
import { until } from '../../kit/until.ts'

/** Who attacks: one principal at all its limits, or addresses without credentials at theirs. */
export type Hostile = 'a principal' | 'addresses without credentials'

export interface Attack {
  readonly hostile: Hostile
  /** Clients that must not notice. */
  readonly friendly: number
  /** Orders that they get, one after the other, with and without the attack. */
  readonly orders: number
  /** Puts something in front of the gateway, and returns the URL of GraphQL there. */
  readonly inFront?: (gateway: TestGateway) => Promise<string>
}

const ENV = {
  TRUSTED_PROXIES: '127.0.0.1',
  // Most of the past has to be read from the log.
  WINDOW_BYTES: String(1024 * 1024),
  MAX_STREAMS_PER_PRINCIPAL: '12',
  NEW_STREAMS_PER_PRINCIPAL: '3',
  MAX_STREAMS_PER_ADDRESS: '12',
  NEW_STREAMS_PER_ADDRESS: '3',
  MAX_GROUPS_PER_PRINCIPAL: '3',
}
const PAST = 20_000
const HOSTILE_ADDRESSES = 2
/** Not a target, but a hang: the machine that tests run on is busy with others. */
const HANG_MS = 60_000

const LIVE = 'subscription { ordersByRegion(region: ASIA) { id } }'
interface Way {
  /** What it runs into. */
  readonly limit: string
  /** Its streams are kept open. */
  readonly isKept: boolean
  /** Attempts under way at once, by each of the hostile. */
  readonly atOnce: number
  readonly queryOf: (n: number) => string
}

/** Streams that are closed at once. */
const FLOOD: Way = { limit: 'new_streams', isKept: false, atOnce: 2, queryOf: () => LIVE }
/** As many streams as there may be, of all of the past. They join the group of the friendly, so that none is a new one. */
const PAST_STREAMS: Way = {
  limit: 'streams',
  isKept: true,
  atOnce: 2,
  queryOf: () => 'subscription { ordersByRegion(region: ASIA, since: "2020-01-01T00:00:00Z") { id } }',
}
/** Filters of which no two are equal. */
const FILTERS: Way = {
  limit: 'groups',
  isKept: true,
  atOnce: 2,
  queryOf: (n) => `subscription { ordersByMerchant(merchantId: "m_${n}") { id } }`,
}
const FIELDS = Array.from({ length: 900 }, (_, field) => `f${field}: __typename`).join(' ')
/** Documents that are expensive to validate, and new. */
const DOCUMENTS: Way = { limit: 'preparing', isKept: false, atOnce: 16, queryOf: (n) => `query q${n} { ${FIELDS} }` }

/**
 * What begins when all before it has run into its limits, and goes on until the end: so that no limit hides another. A
 * client without room for streams is not told that it opens too many.
 */
const STEPS = [[FLOOD], [FILTERS], [PAST_STREAMS], [DOCUMENTS]]

interface Opened {
  readonly response: IncomingMessage
  close(): void
}

/** Opens a stream, or gets a refusal. */
function ask(url: string, headers: Record<string, string>, query: string): Promise<Opened> {
  const request = url.startsWith('https') ? requestHttps : requestHttp
  const all = { accept: 'text/event-stream', 'content-type': 'application/json', ...headers }
  return new Promise((resolve, reject) => {
    const asked = request(url, { method: 'POST', headers: all, agent: false })
    asked.on('response', (response) => {
      response.on('error', () => {})
      resolve({ response, close: () => asked.destroy() })
    })
    asked.on('error', reject)
    asked.end(JSON.stringify({ query }))
  })
}

/** A friendly client: what it got, and when. */
class Listener {
  readonly ids: string[] = []
  readonly latencies: number[] = []
  #text = ''

  constructor({ response }: Opened, sentAt: ReadonlyMap<string, number>) {
    response.setEncoding('utf8')
    response.on('data', (text: string) => {
      const now = performance.now()
      const blocks = (this.#text + text).split('\n\n')
      this.#text = blocks.pop() ?? ''
      for (const block of blocks) {
        const id = block.match(/"id":"(\w+)"/)?.[1]
        if (id === undefined) continue
        this.ids.push(id)
        this.latencies.push(now - (sentAt.get(id) ?? Number.NaN))
      }
    })
  }
}

/** Friendly clients beside hostile ones: nothing is lost, others get in, and the hostile are refused by each limit. */
export async function attack({ hostile, friendly, orders, inFront }: Attack): Promise<void> {
  believePrincipals()
  const gateway = await startTestGateway({ env: ENV })
  const url = (await inFront?.(gateway)) ?? gateway.graphql
  await fill(gateway)

  const sentAt = new Map<string, number>()
  const headersOf = (n: number) =>
    hostile === 'a principal' ? as(`friendly-${n}`, `203.0.113.${n}`) : at(`203.0.113.${n}`)
  const listeners: Listener[] = []
  for (let n = 0; n < friendly; n++) {
    const opened = await ask(url, headersOf(n), LIVE)
    expect(opened.response.statusCode).toBe(200)
    onTestFinished(opened.close)
    listeners.push(new Listener(opened, sentAt))
  }
  await until('they are subscribed', () => gateway.engine.subscribers === friendly)
  const before = gateway.engine.groups

  const sent: string[] = []
  const sendOne = async (): Promise<void> => {
    const id = `live${sent.length}`
    sent.push(id)
    sentAt.set(id, performance.now())
    await gateway.produce({ id, region: 'ASIA' })
    await until(`all got ${id}`, () => listeners.every(({ ids }) => ids.length === sent.length), HANG_MS)
  }
  for (let count = 0; count < orders; count++) await sendOne()
  const calm = listeners.flatMap(({ latencies }) => latencies.splice(0))

  const side = hostile === 'a principal' ? 'principal' : 'address'
  const limits = new Set<string>()
  const attackers = new Attackers(url, limits)
  onTestFinished(() => attackers.stop())
  const hosts =
    hostile === 'a principal'
      ? [as('greedy', '198.51.100.1')]
      : Array.from({ length: HOSTILE_ADDRESSES }, (_, n) => at(`198.51.100.${n}`))
  for (const ways of STEPS) {
    // Several at once would share what CPU time there is, so that none of them used up its own.
    const all = ways[0] === DOCUMENTS ? hosts.slice(0, 1) : hosts
    for (const headers of all) for (const way of ways) attackers.start(headers, way)
    const missing = () => ways.map(({ limit }) => `${side}_${limit}`).filter((limit) => !limits.has(limit))
    const began = performance.now()
    for (let count = 0; count < orders / STEPS.length || missing().length > 0; count++) {
      await sendOne()
      if (performance.now() - began > HANG_MS) throw new Error(`Nobody was refused by the limits ${missing()}`)
    }
  }
  // Others get in.
  const another = await ask(url, headersOf(friendly), LIVE)
  expect(another.response.statusCode).toBe(200)
  another.close()
  const attacked = listeners.flatMap(({ latencies }) => latencies)
  await attackers.stop()

  for (const { ids } of listeners) expect(ids).toEqual(sent)
  const figures = [calm, attacked].map((all) => `p50 ${quantile(all, 0.5)} ms, p99 ${quantile(all, 0.99)} ms`)
  console.log(`${friendly} friendly, ${hostile}: without ${figures[0]}; with ${figures[1]}; ${attackers.counts}`)
  expect(quantile(attacked, 0.99)).toBeLessThan(HANG_MS)
  await until('the streams of the hostile have ended', () => gateway.engine.subscribers === friendly)
  // Groups linger for some seconds.
  await until('so have their groups', () => gateway.engine.groups === before)
}

async function fill(gateway: TestGateway): Promise<void> {
  const regions = ['EUROPE', 'ASIA', 'OCEANIA'] as const
  for (let from = 0; from < PAST; from += 1_000) {
    const some = Array.from({ length: 1_000 }, (_, n) =>
      anOrder({ id: `past${from + n}`, region: regions[n % 3] ?? 'EUROPE' }),
    )
    await gateway.produce(...some)
  }
  const read = () => gateway.metric('sluice_events_total', { topic: 'orders' })
  await until('they are the past', async () => (await read()) === PAST)
}

/** Clients that do what they can, until they are stopped. */
class Attackers {
  readonly #url: string
  readonly #limits: Set<string>
  readonly #open = new Set<Opened>()
  readonly #running: Promise<void>[] = []
  #isStopped = false
  #number = 0
  #attempts = 0
  #refused = 0

  constructor(url: string, limits: Set<string>) {
    this.#url = url
    this.#limits = limits
  }

  get counts(): string {
    return `${this.#attempts} attempts, of which ${this.#refused} were refused`
  }

  start(headers: Record<string, string>, way: Way): void {
    for (let count = 0; count < way.atOnce; count++) this.#running.push(this.#run(headers, way))
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    for (const { close } of this.#open) close()
    await Promise.all(this.#running)
    for (const { close } of this.#open) close()
  }

  async #run(headers: Record<string, string>, { queryOf, isKept }: Way): Promise<void> {
    while (!this.#isStopped) {
      await nextTurn()
      this.#attempts++
      let opened: Opened
      try {
        opened = await ask(this.#url, headers, queryOf(this.#number++))
      } catch {
        // A connection beyond the limits of those: it tries again, as they do.
        continue
      }
      const { response } = opened
      if (response.statusCode === 429) {
        this.#refused++
        let text = ''
        for await (const chunk of response.setEncoding('utf8')) text += chunk
        this.#limits.add(JSON.parse(text).errors[0].extensions.limit)
        continue
      }
      response.resume()
      if (isKept && String(response.headers['content-type']).startsWith('text/event-stream')) {
        this.#open.add(opened)
        response.on('close', () => this.#open.delete(opened))
      } else opened.close()
    }
  }
}

function quantile(all: readonly number[], part: number): number {
  const sorted = [...all].sort((a, b) => a - b)
  return Math.round((sorted[Math.floor(sorted.length * part)] ?? Number.NaN) * 10) / 10
}
