import type { Page } from 'playwright-core'
import { expect, onTestFinished } from 'vitest'
import { createOrderFeed } from '../../src/demo/orders-feed.ts'
import { RegionTotals } from '../../src/demo/region-totals.ts'
import { type OrderEvent, REGIONS } from '../../src/streams/topics/orders.ts'
import type { TestBrowser } from '../kit/chromium.ts'
import { GatewayProcess } from '../kit/gateway-process.ts'
import { startOwnBroker, type TestKafka } from '../kit/kafka.ts'
import { addressOf, type NginxKit } from '../kit/nginx.ts'
import { until } from '../kit/until.ts'
import { openSecurePage } from '../nginx/listeners.ts'
import { snapshot, text, untilLive } from './page.ts'

const PARTITIONS = 6

/** A shop that counts what it sells, by region, and tells both topics. */
class Shop {
  readonly placed: Record<string, number> = Object.fromEntries(REGIONS.map((region) => [region, 0]))
  events = 0
  readonly #kafka: TestKafka
  readonly #feed = createOrderFeed({ seed: 14 })
  readonly #totals = new RegionTotals(Math.floor(Date.now() / 60_000) * 60_000)

  constructor(kafka: TestKafka) {
    this.#kafka = kafka
  }

  async sell(count: number): Promise<OrderEvent[]> {
    const orders = Array.from({ length: count }, () => this.#feed.next(Date.now()))
    for (const order of orders) {
      this.events++
      if (order.status === 'PLACED') this.placed[order.region]!++
      this.#totals.add(order)
    }
    await this.#kafka.produce(
      'orders',
      orders.map((order) => ({ key: order.merchantId, value: JSON.stringify(order) })),
    )
    await this.#kafka.produce('region-sales', this.#totals.take(Date.now()) as { key: string; value: string }[])
    return orders
  }
}

/** The page and two gateways behind Nginx, as one site. */
async function startSite(nginx: NginxKit, brokers: string) {
  const gateways = await GatewayProcess.create(['one', 'two'], { KAFKA_BROKERS: brokers, HEARTBEAT_MS: '2000' })
  for (const gateway of gateways) {
    onTestFinished(() => gateway.kill())
    gateway.start()
  }
  await Promise.all(gateways.map((gateway) => gateway.untilReady()))
  const instances = gateways.map(({ name, url }) => ({ name, address: addressOf(url) }))
  const front = await nginx.start({
    instances,
    heartbeatMs: 2_000,
  })
  return { gateways, front }
}

/** The page has all that was sold, each once: by its own count, in its panels, and in the table of sales. */
async function hasAll(page: Page, shop: Shop, when: string): Promise<void> {
  await until(`${shop.events} events came, ${when}`, async () => (await snapshot(page)).events >= shop.events, 40_000)
  const { placed, events } = await snapshot(page)
  expect(placed, when).toEqual(shop.placed)
  expect(events, when).toBe(shop.events)
  await until(`the table has all, ${when}`, async () => {
    const { sales } = await snapshot(page)
    return REGIONS.every((region) => sales[region] === shop.placed[region])
  })
  for (const region of REGIONS) {
    const shown = `${shop.placed[region]?.toLocaleString('en')} seen here`
    await until(
      `${shown} in ${region}`,
      async () => (await text(page, `[data-region=${region}] [data-is=seen]`)) === shown,
    )
  }
}

export interface Day {
  readonly nginx: NginxKit
  readonly browser: TestBrowser
  /** How many gateways are killed, one after the other. */
  readonly kills: number
  /** Events between one trouble and the next. */
  readonly batch: number
}

/** A page lives through a cut, a sleep and killed gateways, from a real Kafka and behind a real Nginx, and has all. */
export async function liveThrough({ nginx, browser, kills, batch }: Day): Promise<void> {
  const { broker, kafka, stop } = await startOwnBroker()
  onTestFinished(stop)
  await kafka.createTopicNamed('orders', PARTITIONS)
  await kafka.createTopicNamed('region-sales', PARTITIONS, { 'cleanup.policy': 'compact' })
  const { gateways, front } = await startSite(nginx, broker.brokers)
  const page = await browser.openPage()
  await openSecurePage(page, `${front.origin}/`)
  await untilLive(page)
  const shop = new Shop(kafka)

  const at = performance.now()
  await shop.sell(1)
  await until('an order is on the map', async () => (await snapshot(page)).pulses > 0)
  console.log(`an order was on the map ${(performance.now() - at).toFixed()} ms after it went to Kafka`)
  await shop.sell(batch)
  await hasAll(page, shop, 'at first')

  await page.locator('#cut').click()
  const goOn = async () => {
    await shop.sell(3)
    return (await snapshot(page)).trial !== undefined
  }
  await until('the trial is over', goOn, 40_000)
  expect((await snapshot(page)).trial?.missed).toBe(0)
  console.log(await text(page, '#outcome'))
  await hasAll(page, shop, 'after a cut')

  const session = await page.context().newCDPSession(page)
  await session.send('Page.setWebLifecycleState', { state: 'frozen' })
  await shop.sell(batch)
  await session.send('Page.setWebLifecycleState', { state: 'active' })
  await hasAll(page, shop, 'after a sleep')

  for (const [i, gateway] of gateways.slice(0, kills).entries()) {
    await gateway.kill()
    await shop.sell(batch)
    await hasAll(page, shop, `after the end of ${gateway.name}`)
    if (i + 1 === kills) break
    gateway.start()
    await gateway.untilReady()
  }
  const { gaps, eventErrors, latency } = await snapshot(page)
  expect({ gaps, eventErrors }).toEqual({ gaps: 0, eventErrors: 0 })
  console.log(`${shop.events} events, none missed, none twice; latency: half within ${latency.p50?.toFixed()} ms`)
}
