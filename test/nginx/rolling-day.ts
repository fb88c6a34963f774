import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as delay } from 'node:timers/promises'
import { expect, onTestFinished } from 'vitest'
import { freePorts } from '../../deploy/kafka/probe.ts'
import { addressOf, type GatewayProcess, startGatewayProcess } from '../../deploy/stack/gateway.ts'
import { REGIONS } from '../../src/streams/topics/orders.ts'
import { isLast, lastOrders } from '../e2e/order-log.ts'
import { startOwnBroker } from '../kit/kafka.ts'
import type { NginxKit } from '../kit/nginx.ts'
import { until } from '../kit/until.ts'
import { type Front, Newcomers, Results, RollingClient } from './rolling-clients.ts'
import { compareWithLog, startLoad } from './rolling-load.ts'
import { histogram, mostInASecond, Tally } from './rolling-tally.ts'

export interface DayPlan {
  /** Each second one at a unix socket, the others at a port. */
  readonly gateways: number
  readonly clients: number
  /** Orders a second. */
  readonly rate: number
  readonly drainMs: number
  readonly heartbeatMs: number
  readonly brokerDownMs: number
}

const PARTITIONS = 6
/** New clients while all this goes on: fifteen a second find the moment in which nobody is there for them. */
const NEWCOMER_EVERY_MS = 66
/** Starts and returns on a busy machine, beyond what the plan itself takes. */
const PATIENCE_MS = 60_000
/** What is on its way when something happens to a gateway has come by then. */
const ON_ITS_WAY_MS = 500

/** A gateway's process, whichever it is now: it can be started again in the same place. */
class Gateway {
  readonly name: string
  readonly address: string
  #process: GatewayProcess
  readonly #start: () => GatewayProcess

  constructor(name: string, address: string, start: () => GatewayProcess) {
    this.name = name
    this.address = address
    this.#start = start
    this.#process = start()
  }

  get child() {
    return this.#process.child
  }

  ready(): Promise<void> {
    return this.#process.ready()
  }

  async startAgain(): Promise<void> {
    this.#process = this.#start()
    await this.ready()
  }

  async streams(): Promise<number> {
    const text = await (await fetch(`${this.#process.adminUrl}/metrics`)).text()
    return Number(/^sluice_streams\S* (\d+)/m.exec(text)?.[1])
  }
}

/**
 * Everything that happens to gateways behind Nginx, one after the other, while orders are produced and clients listen:
 * a rolling restart, a reload of Nginx, a kill, a restart of the broker, and a freeze. Expects that no client misses an
 * order or gets one twice; that the restart and the reload are seen by nobody but as a reconnect; and that no drain
 * sends more than 2 x streams / DRAIN_MS clients back in any second.
 *
 * That is measured where the clients ask again, after the wait they were told: it is what another instance has to bear.
 */
export async function liveThroughADay(nginx: NginxKit, plan: DayPlan): Promise<void> {
  const { broker, kafka, stop } = await startOwnBroker()
  onTestFinished(stop)
  await kafka.createTopicNamed('orders', PARTITIONS)
  const gateways = await startGateways(broker.brokers, plan)
  const [first, second] = gateways as [Gateway, Gateway]
  const instances = gateways.map(({ name, address }) => ({ name, address }))
  const web = await nginx.start({ instances, heartbeatMs: plan.heartbeatMs })
  const tally = new Tally()
  const ca = readFileSync(nginx.tls.certificate, 'utf8')
  const front: Front = { url: web.graphql, ca, tally, results: new Results() }
  const clients = Array.from(
    { length: plan.clients },
    (_each, i) => new RollingClient(front, i, REGIONS[i % REGIONS.length] as (typeof REGIONS)[number]),
  )
  onTestFinished(() => {
    for (const client of clients) client.close()
  })
  await until('all clients have begun', () => clients.every(({ hasBegun }) => hasBegun), PATIENCE_MS)
  const load = startLoad(broker, { rate: plan.rate, seconds: 1_200 })
  const allHear = (since: number) =>
    until('all clients hear', () => clients.every(({ heardAt }) => heardAt > since), 6 * plan.heartbeatMs + PATIENCE_MS)
  await allHear(performance.now())
  const newcomers = new Newcomers(front, NEWCOMER_EVERY_MS)
  onTestFinished(() => newcomers.close())
  const ownDelay = monitorEventLoopDelay({ resolution: 10 })
  ownDelay.enable()
  const lines: string[] = []

  const drains: { most: number; limit: number; end: string }[] = []
  tally.begin('rolling restart')
  for (const gateway of gateways) {
    const streams = await gateway.streams()
    const [endsBefore, returnsBefore] = [tally.ends.length, tally.returns.length]
    const begin = performance.now()
    gateway.child.signal('SIGTERM')
    await gateway.child.ended
    const endedMs = performance.now() - begin
    const end = gateway.child.epitaph.split('\n', 1)[0] as string
    await gateway.startAgain()
    const readyMs = performance.now() - begin - endedMs
    await allHear(performance.now())
    const now = await Promise.all(gateways.map((each) => each.streams()))
    const [ends, returns] = [tally.ends.slice(endsBefore), tally.returns.slice(returnsBefore)]
    const limit = (2 * streams * 1000) / plan.drainMs
    drains.push({ most: mostInASecond(returns), limit, end })
    lines.push(
      `drain of ${gateway.name}, ${streams} streams: gone after ${inSeconds(endedMs)}, ready again ${inSeconds(readyMs)} later, streams now ${now.join(' + ')}`,
      `  ends a second:       ${histogram(ends, begin)}; at most ${mostInASecond(ends)} in any second`,
      `  reconnects a second: ${histogram(returns, begin)}; at most ${mostInASecond(returns)} in any second, ${limit.toFixed(1)} allowed`,
    )
  }

  tally.begin('reload of Nginx')
  const endsBeforeReload = tally.ends.length
  await web.reload()
  await delay(10 * NEWCOMER_EVERY_MS)
  await allHear(performance.now())
  const endedByReload = tally.ends.length - endsBeforeReload

  tally.begin('one gateway killed')
  const killedAt = performance.now()
  first.child.kill()
  await first.child.ended
  await first.startAgain()
  await allHear(killedAt + ON_ITS_WAY_MS)
  lines.push(`killed: all had orders again after ${inSeconds(performance.now() - killedAt)}`)

  tally.begin('broker restarted')
  await broker.kill()
  await delay(plan.brokerDownMs)
  await broker.restart()
  await Promise.all(gateways.map((gateway) => gateway.ready()))
  tally.begin('one gateway frozen')
  const frozenStreams = await second.streams()
  const frozenAt = performance.now()
  second.child.signal('SIGSTOP')
  await allHear(frozenAt + ON_ITS_WAY_MS)
  lines.push(
    `frozen with ${frozenStreams} streams: all had orders again after ${inSeconds(performance.now() - frozenAt)}`,
  )
  second.child.signal('SIGCONT')
  await second.ready()
  await allHear(performance.now())

  tally.begin('afterwards')
  await allHear(performance.now() + ON_ITS_WAY_MS)

  const { produced, ms } = await load.stop()
  newcomers.close()
  await kafka.produce('orders', lastOrders(REGIONS, PARTITIONS))
  const isDone = ({ received }: RollingClient) => received.slice(-PARTITIONS * 4).filter(isLast).length >= PARTITIONS
  await until('the last orders came', () => clients.every(isDone), PATIENCE_MS).catch(() => {}) // the counts below say it

  const totals = await compareWithLog(broker, produced, clients)
  const opened = clients.reduce((sum, client) => sum + client.opened, 0)
  const away = Math.max(...clients.map(({ longestAwayMs }) => longestAwayMs))
  lines.push(
    `${produced.length} orders in ${inSeconds(ms)} to ${plan.clients} clients: ${totals.received} received, ` +
      `${totals.lost} lost, ${totals.twice} twice, ${totals.disordered} out of order; ${opened} streams opened, ` +
      `longest away ${inSeconds(away)}; this process stood still for ${Math.round(ownDelay.max / 1e6)} ms at most`,
    tally.report(),
  )
  console.log(lines.join('\n'))

  expect(totals).toMatchObject({ lost: 0, twice: 0, disordered: 0, unknown: 0 })
  expect(clients.flatMap(({ errors }) => errors)).toEqual([])
  for (const { most, limit, end } of drains) {
    expect(most).toBeLessThanOrEqual(limit)
    expect(end).toMatch(/ended with code 0$/)
  }
  expect(endedByReload).toBe(0)
  expect(Object.keys(tally.of('rolling restart'))).toEqual(['200'])
  expect(Object.keys(tally.of('reload of Nginx'))).toEqual(['200'])
}

async function startGateways(brokers: string, { gateways: count, heartbeatMs, drainMs }: DayPlan): Promise<Gateway[]> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-day-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }))
  const ports = await freePorts(2 * count)
  const env = {
    KAFKA_BROKERS: brokers,
    HEARTBEAT_MS: String(heartbeatMs),
    DRAIN_MS: String(drainMs),
    TRUSTED_PROXIES: '127.0.0.1,unix',
  }
  const gateways = Array.from({ length: count }, (_each, i) => {
    const port = i % 2 === 0 ? undefined : (ports[2 * i] as number)
    const place = { name: `gateway-${i + 1}`, port, adminPort: ports[2 * i + 1] as number }
    return new Gateway(place.name, addressOf(place, folder), () => startGatewayProcess({ ...place, folder, env }))
  })
  onTestFinished(async () => {
    await Promise.all(gateways.map(({ child }) => child.stop('SIGKILL', 0)))
  })
  await Promise.all(gateways.map((gateway) => gateway.ready()))
  return gateways
}

const inSeconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`
