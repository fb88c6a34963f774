import type { Page } from 'playwright-core'
import { expect, onTestFinished, test } from 'vitest'
import { createEmbeddedLog } from '../../src/streams/source/embedded/embedded.ts'
import { REGIONS } from '../../src/streams/topics/orders.ts'
import { describeChromium, startSite } from '../kit/chromium.ts'
import { startTestGateway, type TestGateway } from '../kit/gateway.ts'
import { addressOf, describeNginx, type NginxKit } from '../kit/nginx.ts'
import { until } from '../kit/until.ts'
import { openSecurePage } from './listeners.ts'
import { tally } from './single-session.ts'

const SUBSCRIPTIONS = 30
const NAMES = ['one', 'two', 'three']
/** No heartbeat comes in the time of a test, so that nothing pushes an event along. */
const NEVER_MS = 600_000
/** Of a machine that is busy with other tests; what is held back is held back for as long as nothing follows it. */
const AT_ONCE_MS = 5_000
/** The build for browsers, as a page loads it from its own site. */
const CLIENT = 'node_modules/graphql-sse/umd/graphql-sse.min.js'

/** Nginx, which speaks no HTTP/2 here, before three gateways that read the same log. */
async function startThree(nginx: NginxKit) {
  const embedded = createEmbeddedLog()
  embedded.createTopic('orders', 6)
  embedded.createTopic('region-sales', 6)
  onTestFinished(() => embedded.close())
  // A gateway that is closed would close it for the others.
  const shared = { ...embedded, close: async () => {} }
  const gateways: TestGateway[] = []
  for (const name of NAMES) {
    const env = { HEARTBEAT_MS: String(NEVER_MS), INSTANCE_ID: name, LISTEN_SOCKET: nginx.socket(name), DRAIN_MS: '0' }
    gateways.push(await startTestGateway({ embedded: shared, env }))
  }
  const instances = gateways.map(({ url }, i) => ({ name: NAMES[i] as string, address: addressOf(url) }))
  const edit = (config: string) => config.replaceAll(' ssl http2 ', ' ssl ').replace('http2 on;', '')
  const front = await nginx.start({ instances, heartbeatMs: NEVER_MS, edit })
  const each = (metric: string) => Promise.all(gateways.map((gateway) => gateway.metric(metric)))
  return { front, gateways, each }
}

/** What the page keeps. */
interface Shop {
  /** The orders of each subscription. */
  readonly heard: string[][]
  readonly stops: (() => void)[]
}

/**
 * That many subscriptions of one client in single connection mode, a sixth for each region. By default (`lazy`) each
 * would come back with a stream of its own, and six of them would take all the connections that a page has.
 */
async function subscribe(page: Page, url: string, count: number): Promise<void> {
  await page.addScriptTag({ path: CLIENT })
  await page.evaluate(
    ([target, regions, wanted]) => {
      const retry = () => new Promise<void>((resolve) => setTimeout(resolve, 50))
      const { graphqlSse } = globalThis as unknown as { graphqlSse: typeof import('graphql-sse') }
      const client = graphqlSse.createClient({
        url: target,
        singleConnection: true,
        lazy: false,
        retryAttempts: 1e6,
        retry,
      })
      const heard: string[][] = []
      const stops = Array.from({ length: wanted }, (_each, i) => {
        const orders: string[] = []
        heard.push(orders)
        return client.subscribe<{ ordersByRegion: { id: string } }>(
          { query: `subscription { ordersByRegion(region: ${regions[i % regions.length]}) { id } }` },
          {
            next: ({ data }) => orders.push(String(data?.ordersByRegion.id)),
            error: (error) => orders.push(String(error)),
            complete: () => orders.push('complete'),
          },
        )
      })
      Object.assign(globalThis, { shop: { heard, stops } })
    },
    [url, REGIONS, count] as const,
  )
}

const heardBy = (page: Page): Promise<string[][]> =>
  page.evaluate(() => (globalThis as unknown as { shop: Shop }).shop.heard)

describeNginx('through TLS and HTTP/1.1', (nginx) => {
  describeChromium('in Chromium', (browser) => {
    test('30 subscriptions of one page share one stream, and each gets every event at once', async () => {
      const { front, gateways, each } = await startThree(nginx)
      const page = await browser.openPage()
      await openSecurePage(page, await startSite())
      await subscribe(page, front.graphql, SUBSCRIPTIONS)
      await until('all run', async () => sum(await each('sluice_subscribers')) === SUBSCRIPTIONS)
      // All at the one instance that made the reservation.
      expect((await each('sluice_subscribers')).sort((one, other) => one - other)).toEqual([0, 0, SUBSCRIPTIONS])
      expect(sum(await each('sluice_single_streams'))).toBe(1)

      const produced: string[] = []
      let longestMs = 0
      for (let count = 1; count <= 5; count++) {
        produced.push(`ord_${count}`)
        const at = performance.now()
        await gateways[0]?.produce(...REGIONS.map((region) => ({ id: `ord_${count}`, region })))
        const hasAll = async () => (await heardBy(page)).every((orders) => orders.length >= count)
        await until(`order ${count} came`, hasAll, AT_ONCE_MS)
        longestMs = Math.max(longestMs, performance.now() - at)
      }
      expect(await heardBy(page)).toEqual(Array.from({ length: SUBSCRIPTIONS }, () => produced))
      console.log(`an order was with all ${SUBSCRIPTIONS} in ${longestMs.toFixed()} ms at most`)

      await page.evaluate(() => {
        for (const stop of (globalThis as unknown as { shop: Shop }).shop.stops.slice(1)) stop()
      })
      await until('one runs', async () => sum(await each('sluice_subscribers')) === 1)
      await gateways[0]?.produce({ id: 'last', region: REGIONS[0] })
      await until('the one that is left has it', async () => (await heardBy(page))[0]?.at(-1) === 'last')
      expect((await heardBy(page)).slice(1)).toEqual(
        Array.from({ length: SUBSCRIPTIONS - 1 }, () => [...produced, 'complete']),
      )
      await page.close()
      await until('nothing is left', async () => sum(await each('sluice_single_streams')) === 0)
      const methods = () => tally(front.accessLog().map(({ method, status }) => `${method} ${status}`))
      await until('Nginx has logged all', () => methods()['GET 200'] === 1)
      expect(methods()).toMatchObject({ 'PUT 201': 1, 'POST 202': SUBSCRIPTIONS, 'DELETE 200': SUBSCRIPTIONS - 1 })
      expect(new Set(front.accessLog().map(({ protocol }) => protocol))).toEqual(new Set(['HTTP/1.1']))
    })

    test('30 subscriptions of one page go on at another instance when theirs has gone', async () => {
      const { front, gateways, each } = await startThree(nginx)
      const page = await browser.openPage()
      await openSecurePage(page, await startSite())
      await subscribe(page, front.graphql, SUBSCRIPTIONS)
      await until('all run', async () => sum(await each('sluice_subscribers')) === SUBSCRIPTIONS)
      const counts = await each('sluice_subscribers')
      const [theirs] = gateways.splice(counts.indexOf(SUBSCRIPTIONS), 1)
      await theirs?.close()
      await until('all run again', async () => sum(await each('sluice_subscribers')) === SUBSCRIPTIONS)
      await gateways[0]?.produce(...REGIONS.map((region) => ({ id: 'after', region })))
      await until(
        'all have it',
        async () => (await heardBy(page)).every((orders) => orders.includes('after')),
        AT_ONCE_MS,
      )
      expect(await heardBy(page)).toEqual(Array.from({ length: SUBSCRIPTIONS }, () => ['after']))
    })
  })
})

const sum = (counts: readonly number[]): number => counts.reduce((all, each) => all + each, 0)
