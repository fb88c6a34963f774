import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pino from 'pino'
import { readConfig } from '../../src/config.ts'
import { type Gateway, startGateway } from '../../src/gateway.ts'
import { createEmbeddedLog, type EmbeddedLog } from '../../src/streams/source/embedded/embedded.ts'
import { keysText } from '../kit/api-keys.ts'
import { testKafka } from '../kit/kafka.ts'
import type { LogLine } from '../kit/log-lines.ts'
import { makeIssuer } from '../kit/tokens.ts'
import { until } from '../kit/until.ts'
import { Client } from './client.ts'
import { incidentShop, type Payment, type Purchase, REGIONS, type Shop } from './shop.ts'

/** Limits of the gateways: small, so that the incident comes near them. */
const MAX_STREAMS = 20
const STREAMS_PER_PRINCIPAL = 6
/** A record beyond it is skipped as too large. */
const MAX_EVENT_BYTES = 100_000
/** Replays are slow, so that some are still on their way when one looks. */
const REPLAY_EVENTS_PER_SECOND = 100
/** Purchases before the incident, which late clients have still to read. */
const HISTORY = 16_000
/** Purchases of one request: less than a broker takes of one partition. */
const HISTORY_AT_ONCE = 4_000
/** Size and number of the notes that fill the socket of who does not read. */
const NOTE_BYTES = 50_000
const NOTES = 160
/** Few at a time: a write that a slow client has not taken within the stall timeout would end it. */
const NOTES_AT_ONCE = 4
/** Short, so that the end of the stalled stream does not take half a minute. */
const STALL_MS = 6_000
const DRAIN_MS = 2_000
/** Period of the events that come all the time. */
const TICK_MS = 100

/** What clients send, by the name of the operation. */
const OPERATIONS = {
  Storefront: 'subscription Storefront { purchases(where: { region: { eq: "EUROPE" } }) { id amount } }',
  Payments: 'subscription Payments { payments(where: { status: { eq: "PAID" } }) { id amount } }',
  CostlyDashboard: 'subscription CostlyDashboard { purchases { id score } }',
  RiskFeed: 'subscription RiskFeed { purchases(where: { region: { eq: "ASIA" } }) { id risk supplier } }',
  BulkExport: 'subscription BulkExport { purchases(where: { merchantId: { eq: "m_bulk" } }) { id note } }',
  Shipments: 'subscription Shipments { shipments { id } }',
} as const

/** The request ids of clients that one asks about afterwards. */
export const REQUESTS = {
  stalled: 'req-stalled',
  slow: 'req-slow',
  late: 'req-late',
  costly: 'req-costly',
  revoked: 'req-revoked',
  expired: 'req-expired',
  blocked: 'req-blocked',
  left: 'req-left',
  drained: 'req-drained',
  refused: 'req-refused',
  waiting: 'req-waiting',
} as const

export interface IncidentOptions {
  /** A real Kafka; absent: the embedded log. */
  readonly brokers?: string | undefined
}

export interface Incident extends AsyncDisposable {
  readonly shop: Shop
  /** The gateway in trouble. */
  readonly blue: Gateway
  /** The one that a deploy replaces: in trouble, it is the new one. */
  readonly green: Gateway
  /** The lines of all gateways' logs, each with its `instance`. */
  readonly lines: readonly LogLine[]
  /** Everything goes wrong. Resolves when all of it has happened, and what lasts still does. */
  trouble(): Promise<void>
  /** A moment to be called when metrics or pages are to move on: some seconds of ordinary traffic. */
  produce(purchases: number): Promise<void>
}

interface Log {
  readonly env: Readonly<Record<string, string>>
  readonly embedded?: EmbeddedLog
  send(topic: string, values: readonly (string | null)[]): Promise<void>
  close(): Promise<void>
}

/**
 * Two gateways and their clients in good order; `trouble` begins the incident. It is the same for the tests of
 * /inspect, metrics, alerts and panels. It is not bound to one test: whoever starts it disposes of it.
 */
export async function startIncident({ brokers }: IncidentOptions = {}): Promise<Incident> {
  const suffix = brokers === undefined ? '' : `-${Date.now().toString(36)}${Math.random().toString(36).slice(2, 5)}`
  const shop = incidentShop(suffix)
  const { purchases, payments } = shop.names
  const log = brokers === undefined ? embeddedLog(shop) : await kafkaLog(brokers, shop)
  const folder = mkdtempSync(join(tmpdir(), 'sluice-incident-'))
  const issuer = await makeIssuer()
  const keys = join(folder, 'keys.json')
  const jwks = join(folder, 'jwks.json')
  const people = ['storefront', 'dashboard', 'partner', 'leaver', 'exporter']
  writeFileSync(keys, keysText(people.map((id) => ({ id, key: keyOf(id) }))))
  writeFileSync(jwks, JSON.stringify(issuer.jwks))

  const lines: LogLine[] = []
  const clients = new Set<Client>()
  const start = (instance: string): Promise<Gateway> =>
    startGateway({
      schema: shop.schema,
      topics: shop.topics,
      writeStallMs: STALL_MS,
      config: readConfig({
        PORT: '0',
        ADMIN_PORT: '0',
        DEMO_RATE: '0',
        INSTANCE_ID: instance,
        API_KEYS_FILE: keys,
        AUTH_KEY_FILE: jwks,
        AUTH_CLOCK_TOLERANCE_MS: '0',
        ANONYMOUS: 'true',
        CONTROL_TOPIC: `control${suffix}`,
        MAX_STREAMS: String(MAX_STREAMS),
        MAX_STREAMS_PER_PRINCIPAL: String(STREAMS_PER_PRINCIPAL),
        MAX_EVENT_BYTES: String(MAX_EVENT_BYTES),
        REPLAY_EVENTS_PER_SECOND: String(REPLAY_EVENTS_PER_SECOND),
        ...log.env,
      }),
      log: pino({ base: { instance } }, { write: (line: string) => void lines.push(JSON.parse(line)) }),
      ...(log.embedded && { embedded: log.embedded }),
    })

  let number = 0
  const purchase = (more: Partial<Purchase> = {}): string =>
    JSON.stringify({
      id: `p_${++number}`,
      merchantId: `m_${number % 7}`,
      region: REGIONS[number % REGIONS.length],
      amount: `${number % 500}.50`,
      note: '',
      ...more,
    })
  const note = () => purchase({ merchantId: 'm_bulk', note: 'n'.repeat(NOTE_BYTES) })
  /** In trouble, some come with the others, so that who is slow stays behind. */
  let bulk: (() => string) | undefined
  const payment = (): string =>
    JSON.stringify({ id: `y_${++number}`, status: number % 2 === 0 ? 'PAID' : 'OPEN', amount: '12.00' } as Payment)

  const many = <T>(count: number, make: () => T): T[] => Array.from({ length: count }, make)
  for (let sent = 0; sent < HISTORY; sent += HISTORY_AT_ONCE) await log.send(purchases, many(HISTORY_AT_ONCE, purchase))
  const blue = await start('blue')
  let green = await start('green')
  const untilReady = (gateway: Gateway) =>
    until('a gateway of the incident is ready', () => gateway.streams.readiness().ready)
  await Promise.all([untilReady(blue), untilReady(green)])

  const open = async (
    gateway: Gateway,
    operation: keyof typeof OPERATIONS | { readonly query: string },
    requestId: string,
    headers: Record<string, string> = {},
  ): Promise<Client> => {
    const query = typeof operation === 'string' ? OPERATIONS[operation] : operation.query
    const client = await Client.open(`${gateway.url}/graphql`, { query, requestId, headers })
    clients.add(client)
    return client
  }
  const as = (id: string): Record<string, string> => ({ 'x-api-key': keyOf(id) })
  let opened = 0
  const calm = async (gateway: Gateway): Promise<void> => {
    for (const _ of many(3, () => 0)) await open(gateway, 'Storefront', `req-calm-${++opened}`, as('storefront'))
    await open(gateway, 'Payments', `req-calm-${++opened}`, as('dashboard'))
  }
  await calm(blue)
  await calm(green)
  const ticker = setInterval(() => {
    void log.send(purchases, [...many(3, purchase), ...(bulk ? many(2, bulk) : [])]).catch(() => {})
    void log.send(payments, [payment()]).catch(() => {})
  }, TICK_MS)

  const decide = async (path: string, body: object): Promise<void> => {
    const headers = { 'content-type': 'application/json' }
    const response = await fetch(`${blue.adminUrl}${path}`, { method: 'POST', headers, body: JSON.stringify(body) })
    if (!response.ok) throw new Error(`${path}: ${await response.text()}`)
  }

  const trouble = async (): Promise<void> => {
    // Clients that will be asked about.
    const soon = Math.floor(Date.now() / 1000) + 2
    const token = await issuer.sign({ sub: 'visitor', exp: soon })
    const expired = await open(blue, 'Storefront', REQUESTS.expired, { authorization: `Bearer ${token}` })
    const stalled = await open(blue, 'BulkExport', REQUESTS.stalled, as('exporter'))
    const slow = await open(blue, 'BulkExport', REQUESTS.slow, as('exporter'))
    stalled.stall()
    slow.sip()
    await open(blue, 'CostlyDashboard', REQUESTS.costly, as('dashboard'))
    await open(blue, 'RiskFeed', 'req-risk', as('dashboard'))
    const since = new Date(Date.now() - 3_600_000).toISOString()
    for (const id of [REQUESTS.late, 'req-late-2'])
      await open(blue, { query: `subscription CatchUp { purchases(since: "${since}") { id } }` }, id, as('partner'))
    const revoked = await open(blue, 'Storefront', REQUESTS.revoked, as('leaver'))
    const blocked = await open(
      blue,
      { query: 'subscription Scraper { purchases { id note merchantId } }' },
      REQUESTS.blocked,
    )
    const left = await open(blue, 'Payments', REQUESTS.left)
    left.close()

    // What does not decode, and a deletion.
    await log.send(purchases, [
      '{"id":',
      JSON.stringify({ id: 'p_wrong', region: 'MOON' }),
      purchase({ note: 'x'.repeat(MAX_EVENT_BYTES) }),
      null,
    ])
    // What fills the sockets of those who do not read.
    for (let sent = 0; sent < NOTES; sent += NOTES_AT_ONCE) await log.send(purchases, many(NOTES_AT_ONCE, note))
    bulk = note

    await decide('/revoke', { principal: 'leaver', reason: 'Left the company' })
    await decide('/block', { operation: 'Scraper', reason: 'Reads everything' })

    // A principal over its quota, one that nobody knows, an operation that is none, and a topic that waits.
    for (const n of [1, 2, 3, 4, 5, 6, 7])
      await open(blue, 'Payments', n > 4 ? REQUESTS.refused : `req-partner-${n}`, as('partner'))
    await open(blue, 'Payments', 'req-unknown', { 'x-api-key': 'no such key' })
    await open(blue, { query: 'subscription { nothing }' }, 'req-invalid', as('partner'))
    await open(blue, 'Shipments', REQUESTS.waiting, as('dashboard'))
    // Nearly full.
    while (blue.engine.subscribers < MAX_STREAMS - 2) await open(blue, 'Storefront', `req-more-${++opened}`)

    // A partner is added to the file of keys, which is read again.
    writeFileSync(keys, keysText([...people, 'newcomer'].map((id) => ({ id, key: keyOf(id) }))))

    // A deploy: one instance drains, and another takes its place.
    const drained = await open(green, 'Payments', REQUESTS.drained, as('dashboard'))
    await green.close(DRAIN_MS)
    green = await start('green-2')
    await untilReady(green)
    await calm(green)

    await until('the stream of each end has ended', () =>
      [expired, revoked, blocked, drained].every(({ ended }) => ended),
    )
    await until('the stalled stream has ended', () => (blue.engine.stats.closes.stalled ?? 0) > 0)
    stalled.close()
  }

  return {
    shop,
    blue,
    get green() {
      return green
    },
    lines,
    trouble,
    produce: (count) => log.send(purchases, many(count, purchase)),
    async [Symbol.asyncDispose]() {
      clearInterval(ticker)
      for (const client of clients) client.close()
      await Promise.all([blue.close(), green.close()])
      await log.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

const keyOf = (id: string): string => `key-of-${id}`

function embeddedLog({ names }: Shop): Log {
  const embedded = createEmbeddedLog()
  embedded.createTopic(names.purchases, 3)
  embedded.createTopic(names.payments, 3)
  return {
    env: {},
    // The log outlives each of its gateways, as Kafka does.
    embedded: { ...embedded, close: async () => {} },
    send: (topic, values) =>
      embedded.sink.send(
        topic,
        values.map((value, index) => ({ key: null, value, partition: index % 3 })),
      ),
    close: () => embedded.close(),
  }
}

async function kafkaLog(brokers: string, { names }: Shop): Promise<Log> {
  const { kafka, close } = testKafka(() => brokers)
  await kafka.createTopicNamed(names.purchases, 3)
  await kafka.createTopicNamed(names.payments, 3)
  return {
    env: { KAFKA_BROKERS: brokers },
    send: (topic, values) =>
      kafka.produce(
        topic,
        values.map((value, index) => ({ key: null, value, partition: index % 3 })),
      ),
    close,
  }
}
