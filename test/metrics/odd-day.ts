import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePorts } from '../../deploy/kafka/probe.ts'
import { readConfig } from '../../src/config.ts'
import { type Gateway, startGateway } from '../../src/gateway.ts'
import { encodeCursor } from '../../src/streams/cursor/cursor.ts'
import { createEmbeddedLog, type EmbeddedLog } from '../../src/streams/source/embedded/embedded.ts'
import { Client } from '../incident/client.ts'
import { keysText } from '../kit/api-keys.ts'
import { silentLog } from '../kit/log-lines.ts'
import { until } from '../kit/until.ts'
import { MAX_ROWS, oddShop, type Reading, UNLUCKY } from './odd-shop.ts'

const MAX_STREAMS = 12
const STREAMS_PER_PRINCIPAL = 1
/** More than one a second over the five minutes of the alerts' rates, also by one of three limits that share them. */
const FLOOD = 1_000
/** As many at a time as there are connections for. */
const FLOOD_AT_ONCE = 100
const TICK_MS = 100
/** Older than the alert on late events allows. */
const LATE_MS = 20_000

const KEY = { 'x-api-key': 'key-of-acme' }

export interface OddDay extends AsyncDisposable {
  /** Addresses of the admin ports, also of a gateway that is not started yet. */
  readonly targets: readonly string[]
  trouble(): Promise<void>
}

/**
 * Two gateways beside the incident's, for what goes wrong there not at all: one in trouble with its own topics and
 * clients, and one without Kafka. It is not bound to one test: whoever starts it disposes of it.
 */
export async function startOddDay(): Promise<OddDay> {
  const [adminPort, darkPort] = (await freePorts(2)) as [number, number]
  const folder = mkdtempSync(join(tmpdir(), 'sluice-odd-day-'))
  const keys = join(folder, 'keys.json')
  writeFileSync(keys, keysText([{ id: 'acme', key: KEY['x-api-key'] }]))
  const { schema, topics, state } = oddShop()
  const embedded = createEmbeddedLog()
  for (const { name } of topics) embedded.createTopic(name, 2)
  const env = { PORT: '0', DEMO_RATE: '0', ANONYMOUS: 'true', API_KEYS_FILE: keys }
  const limits = { MAX_STREAMS: String(MAX_STREAMS), MAX_STREAMS_PER_PRINCIPAL: String(STREAMS_PER_PRINCIPAL) }
  const odd = await startGateway({
    schema,
    topics,
    embedded,
    log: silentLog,
    config: readConfig({ ...env, ...limits, ADMIN_PORT: String(adminPort), INSTANCE_ID: 'odd' }),
  })
  await until('the gateway is ready', () => odd.streams.readiness().ready)
  let dark: Gateway | undefined

  let number = 0
  const reading = (more: Partial<Reading> = {}): string =>
    JSON.stringify({ id: `r_${++number}`, sensor: `s_${number % 3}`, value: number % 7, ...more })
  const url = `${odd.url}/graphql`
  const clients: Client[] = []
  const open = async (query: string, headers: Record<string, string> = {}): Promise<void> => {
    clients.push(await Client.open(url, { query, headers, requestId: `odd-${clients.length}` }))
  }
  await embedded.sink.send('sales', [sale('shop_0')])
  await open('subscription Readings { readings { id value } }')
  await open('subscription Zipped { readings { id value } }', { 'accept-encoding': 'gzip' })
  await open('subscription Slow { readings(where: { sensor: { eq: "s_1" } }) { id slow wrong } }')
  await open('subscription Sales { sales { op key row { total } } }')
  await open('subscription Calm { readings(throttle: { everyMs: 500, by: "sensor" }) { id } }')
  await open('subscription Recent { readings(last: 5) { id } }')
  await openSingle(url)
  let timestamp = (): number => Date.now()
  const ticker = setInterval(() => {
    const records = [{ key: null, value: reading(), timestamp: timestamp() }]
    embedded.sink.send('readings', records).catch(() => {})
  }, TICK_MS)

  return {
    targets: [adminPort, darkPort].map((port) => `127.0.0.1:${port}`),
    async trouble() {
      const kafka = { KAFKA_BROKERS: '127.0.0.1:1', ADMIN_PORT: String(darkPort), INSTANCE_ID: 'dark' }
      dark = await startGateway({ schema, topics, log: silentLog, config: readConfig({ ...env, ...kafka }) })
      state.isSlow = true
      timestamp = () => Date.now() - LATE_MS
      const now = Date.now()
      // Index function, codec and dead letters, timestamps, and a table that grows too large.
      await embedded.sink.send('readings', [
        { key: null, value: reading({ value: UNLUCKY }) },
        { key: null, value: '{' },
        { key: null, value: reading(), timestamp: Math.floor(now / 1_000) },
        { key: null, value: reading(), timestamp: now * 1_000 },
      ])
      await embedded.sink.send(
        'sales',
        Array.from({ length: MAX_ROWS + 1 }, (_, n) => sale(`shop_${n}`)),
      )
      await open('subscription Breaks { breaks }')
      const position = encodeCursor('readings', { positions: [5, 5], epoch: 1 })
      await open('subscription Returned { readings { id } }', { 'last-event-id': position })
      await publish(url, embedded)
      await flood(url, { ...KEY })
      await flood(url, { 'x-api-key': 'nobody-knows-it' })
      while (odd.engine.subscribers < MAX_STREAMS - 1) await open('subscription More { readings { id } }')
      for (let n = 0; n < 2; n++) await open('subscription TooMany { readings { id } }')
      writeFileSync(keys, '{')
    },
    async [Symbol.asyncDispose]() {
      clearInterval(ticker)
      for (const client of clients) client.close()
      await Promise.all([odd.close(), dark?.close()])
      await embedded.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

function sale(shop: string) {
  return { key: shop, value: JSON.stringify({ shop, total: 1 }) }
}

/** A stream in single connection mode, with an operation, and another that is reserved only. */
async function openSingle(url: string): Promise<void> {
  const [token = ''] = await Promise.all([0, 1].map(async () => (await fetch(url, { method: 'PUT' })).text()))
  const headers = { 'x-graphql-event-stream-token': token, accept: 'text/event-stream' }
  const stream = await fetch(url, { headers })
  // Read as a client does; it ends with the gateway.
  void stream.text().catch(() => {})
  const query = 'subscription OnOne { readings { id } }'
  await post(url, { query, extensions: { operationId: '1' } }, headers)
}

async function post(url: string, body: object, headers: Record<string, string> = {}): Promise<Response> {
  return await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  })
}

/** Events of a client: some that the log takes, and some that it does not. */
async function publish(url: string, { sink }: EmbeddedLog): Promise<void> {
  const query = 'mutation Publish { publishReading(sensor: "s_1") { id } }'
  await (await post(url, { query })).text()
  const { send } = sink
  sink.send = async () => {
    throw new Error('as it is told to')
  }
  await (await post(url, { query })).text()
  sink.send = send
}

/** Requests that are refused, more than one a second on the average of the alerts. */
async function flood(url: string, headers: Record<string, string>): Promise<void> {
  const query = 'subscription Flood { readings { id } }'
  for (let sent = 0; sent < FLOOD; sent += FLOOD_AT_ONCE) {
    const answers = Array.from({ length: FLOOD_AT_ONCE }, () =>
      post(url, { query }, { accept: 'text/event-stream', ...headers }),
    )
    for (const answer of await Promise.all(answers)) if (!answer.ok) await answer.text()
  }
}
