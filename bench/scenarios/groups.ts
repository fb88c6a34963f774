import { randomInt } from 'node:crypto'
import { Agent, type ClientRequest, type IncomingMessage, type RequestOptions, request } from 'node:http'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { WHOLE_ORDER } from '../harness/load.ts'
import { atMost, type Scenario, type Settings, told } from '../harness/scenario.ts'
import { spreadOf } from '../harness/statistics.ts'
import { startSluice } from '../systems/start.ts'

const GROUPS = 20_000
const GROUPS_QUICK = 2_000
/** As many operations as a stream may carry: 20,000 streams are more than a process may open files. */
const OPERATIONS_EACH = 200
/** More than a heartbeat's interval, which is 15 s. */
const LOOK_MS = 20_000
const LOOK_QUICK_MS = 5_000
/** Until what the opening left behind has been collected. */
const SETTLE_MS = 5_000
/** Requests under way. */
const AT_ONCE = 16
const TARGET_MS_PER_SECOND = 5
const TARGET_TURN_MS = 20
const MONITOR = join(import.meta.dirname, '..', 'systems', 'loop-monitor.ts')
const TOKEN = 'x-graphql-event-stream-token'
const QUERY = `subscription ($merchantId: ID!) { ordersByMerchant(merchantId: $merchantId) { ${WHOLE_ORDER} } }`

interface Round {
  readonly cpuMsPerSecond: number
  readonly emptyMsPerSecond: number
  readonly longestTurnMs: number
  readonly rssBytes: number
  readonly openMs: number
}

async function round(settings: Settings): Promise<Round> {
  const groups = settings.clients ?? (settings.quick ? GROUPS_QUICK : GROUPS)
  const lookMs = settings.quick ? LOOK_QUICK_MS : LOOK_MS
  await using closing = new AsyncDisposableStack()
  const { tree, profile } = settings
  const sluice = await startSluice({ embedded: true, preload: MONITOR, gc: true, tree, profile })
  closing.defer(() => sluice.stop())
  const before = (await sluice.collectedRss?.()) ?? Number.NaN
  await delay(SETTLE_MS)
  // What the process takes without any group: the loop's monitor, timers, the collector.
  await sluice.ask()
  await delay(lookMs)
  const empty = JSON.parse(await sluice.ask())
  const since = performance.now()
  const clients: SingleClient[] = []
  closing.defer(() => {
    for (const client of clients) client.close()
  })
  for (let first = 0; first < groups; first += OPERATIONS_EACH) {
    const client = await SingleClient.open(sluice.port)
    clients.push(client)
    await client.start(first, Math.min(OPERATIONS_EACH, groups - first))
  }
  const openMs = performance.now() - since
  const there = await sluice.metric('sluice_groups')
  if (there !== groups) throw new Error(`Of ${groups} groups there are ${there}`)
  const after = (await sluice.collectedRss?.()) ?? Number.NaN
  await delay(SETTLE_MS)

  // By turns: watching for long turns costs more than the groups do.
  await sluice.ask()
  await delay(lookMs)
  const { ms, cpuMs } = JSON.parse(await sluice.ask('watch'))
  await delay(lookMs)
  const { longestTurnMs } = JSON.parse(await sluice.ask())
  const ended = clients.filter((client) => !client.isOpen).length
  if (ended > 0) throw new Error(`${ended} of ${clients.length} streams ended`)
  return {
    cpuMsPerSecond: (1000 * cpuMs) / ms,
    emptyMsPerSecond: (1000 * empty.cpuMs) / empty.ms,
    longestTurnMs,
    rssBytes: (after - before) / groups,
    openMs,
  }
}

/** A stream in single connection mode. What comes on it is read, and not looked at. */
class SingleClient {
  readonly #port: number
  readonly #token: string
  readonly #agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE })
  #stream: IncomingMessage | undefined

  private constructor(port: number, token: string) {
    this.#port = port
    this.#token = token
  }

  static async open(port: number): Promise<SingleClient> {
    const reserving = await answerTo(request({ port, host: '127.0.0.1', path: '/graphql', method: 'PUT' }), 201)
    const client = new SingleClient(port, await textOf(reserving))
    const options = client.#options('GET', { accept: 'text/event-stream' })
    client.#stream = await answerTo(request({ ...options, agent: false }), 200)
    client.#stream.on('error', () => {})
    client.#stream.resume()
    return client
  }

  get isOpen(): boolean {
    return this.#stream?.closed === false
  }

  /** Starts so many operations, each for another merchant. */
  async start(first: number, count: number): Promise<void> {
    let next = first
    const worker = async () => {
      while (next < first + count) await this.#begin(`m_${randomInt(1e9)}_${next++}`)
    }
    await Promise.all(Array.from({ length: AT_ONCE }, worker))
    this.#agent.destroy()
  }

  close(): void {
    this.#stream?.destroy()
  }

  async #begin(merchantId: string): Promise<void> {
    const asking = request({ ...this.#options('POST', { 'content-type': 'application/json' }), agent: this.#agent })
    const extensions = { operationId: merchantId }
    const answer = await answerTo(asking, 202, JSON.stringify({ query: QUERY, variables: { merchantId }, extensions }))
    await textOf(answer)
  }

  #options(method: string, headers: Record<string, string>): RequestOptions {
    return {
      port: this.#port,
      host: '127.0.0.1',
      path: '/graphql',
      method,
      headers: { ...headers, [TOKEN]: this.#token },
    }
  }
}

async function answerTo(asking: ClientRequest, wanted: number, body = ''): Promise<IncomingMessage> {
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    asking.on('response', resolve)
    asking.on('error', reject)
    asking.end(body)
  })
  if (answer.statusCode !== wanted)
    throw new Error(`${answer.statusCode} instead of ${wanted}: ${await textOf(answer)}`)
  return answer
}

async function textOf(answer: IncomingMessage): Promise<string> {
  return Buffer.concat(await answer.toArray()).toString()
}

export const groups: Scenario = {
  name: 'groups',
  load: '20,000 groups on 100 streams in single connection mode, each for another merchant; no events, no Kafka',
  needs: ['generator'],
  quick: false,
  async run(settings) {
    const rounds: Round[] = []
    while (rounds.length < settings.rounds) {
      const result = await round(settings)
      rounds.push(result)
      const { cpuMsPerSecond, emptyMsPerSecond, longestTurnMs, rssBytes, openMs } = result
      settings.say(
        `  round ${rounds.length}: ${cpuMsPerSecond.toFixed(2)} ms/s (${emptyMsPerSecond.toFixed(2)} before), longest turn ${longestTurnMs.toFixed(1)} ms, ` +
          `${Math.round(rssBytes)} bytes a group, opened in ${(openMs / 1000).toFixed(1)} s`,
      )
    }
    const spread = (of: (round: Round) => number) => spreadOf(rounds.map(of))
    const kib = spread(({ rssBytes }) => rssBytes / 1024)
    const cpu = rounds.map(({ cpuMsPerSecond }) => cpuMsPerSecond)
    return {
      measures: [
        atMost(
          'CPU of idle groups',
          spread((each) => each.cpuMsPerSecond - each.emptyMsPerSecond),
          TARGET_MS_PER_SECOND,
          'ms/s',
        ),
        told('CPU of the whole process meanwhile', spreadOf(cpu), 'ms/s'),
        atMost(
          'longest turn of the event loop',
          spread(({ longestTurnMs }) => longestTurnMs),
          TARGET_TURN_MS,
          'ms',
        ),
        told('RSS a group', kib, 'KiB'),
      ],
      plot: { title: 'CPU of idle groups', unit: 'ms/s', series: [{ system: 'Sluice', values: cpu }] },
      notes: settings.quick ? [`${GROUPS_QUICK} groups only`] : [],
    }
  },
}
