import type { Client } from 'graphql-sse'
import { expect, onTestFinished, test } from 'vitest'
import type { ResumingClientOptions } from '../../packages/client/src/graphql-sse.ts'
import { createResumingClient } from '../../packages/client/src/graphql-sse.ts'
import { describeChromium, startSite } from '../kit/chromium.ts'
import { startTestGateway } from '../kit/gateway.ts'
import { until } from '../kit/until.ts'
import { bundle } from './bundle.ts'
import { calmFetch } from './calm-fetch.ts'
import { startCutProxy } from './cut-proxy.ts'

const REGIONS = ['EUROPE', 'ASIA', 'AFRICA'] as const
const QUERY = 'subscription ($region: Region!) { ordersByRegion(region: $region) { id } }'
type Result = { readonly data?: { readonly ordersByRegion: { readonly id: string } } | null }

/** The heads of the first answers, and their opening blocks, get through: the subscriptions have begun. */
const BEGUN_BYTES = 1_000
/** Often within the head, often within a few blocks, which are compressed. */
const cutBytes = () => Math.floor(Math.random() * (Math.random() < 0.2 ? 600 : 1_500))
const ORDERS = 1_500
/** A page waits as long as the gateway says, seconds for each cut. */
const ORDERS_OF_A_PAGE = 450
const BURST = 10

/** Orders of all regions in turn, in bursts. @returns their names, by region */
async function produceTo(gateway: Awaited<ReturnType<typeof startTestGateway>>, count: number) {
  const orders = Array.from({ length: count }, (_, i) => ({ id: `o${i}`, region: REGIONS[i % 3]!, merchantId: 'm' }))
  for (let i = 0; i < count; i += BURST) {
    await gateway.produce(...orders.slice(i, i + BURST))
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
  return REGIONS.map((region) => orders.filter((order) => order.region === region).map(({ id }) => id))
}

test('a gateway whose connections are cut again and again is a whole stream to each subscription', async () => {
  const gateway = await startTestGateway()
  let connections = 0
  const proxy = await startCutProxy(gateway.graphql, () =>
    connections++ < REGIONS.length * 2 ? BEGUN_BYTES + cutBytes() : cutBytes() + 300,
  )
  const client = createResumingClient({ url: proxy.url, resume: { baseWaitMs: 10, fetch: calmFetch } })
  onTestFinished(() => client.dispose())
  // Each region twice: equal subscriptions at one time.
  const received = [...REGIONS, ...REGIONS].map((region) => {
    const ids: unknown[] = []
    const next = (result: Result) => ids.push(result.data?.ordersByRegion.id)
    const sink = { next: next as never, error: (error: unknown) => ids.push(error), complete: () => ids.push('done') }
    client.subscribe({ query: QUERY, variables: { region } }, sink)
    return ids
  })
  await until('all are subscribed', async () => (await gateway.metric('sluice_subscribers')) === received.length)
  const wanted = await produceTo(gateway, ORDERS)
  // Should some not come, the comparison says which.
  await until('all came', () => received.every((ids) => ids.length >= ORDERS / 3), 30_000).catch(() => {})
  console.log(`${ORDERS} orders to ${received.length} subscriptions over ${proxy.cuts()} cuts`)
  expect(received).toEqual([...wanted, ...wanted])
  expect(proxy.cuts()).toBeGreaterThan(20)
})

/** What the page's script, made of the package, leaves in it. */
interface Page {
  readonly client: { createResumingClient(options: ResumingClientOptions): Client }
  received: unknown[][]
}

describeChromium('in a browser', (browser) => {
  test('a page of another origin has every order once, in order, over cuts', async () => {
    const gateway = await startTestGateway()
    // Beside the streams there are preflights, whose connections are kept.
    let whole = 0
    const proxy = await startCutProxy(gateway.graphql, () => (whole++ < 12 ? BEGUN_BYTES + 500 : 1_000 + cutBytes()))
    const page = await browser.openPage()
    await page.goto(await startSite())
    await page.addScriptTag({ content: await bundle('graphql-sse.ts') })
    await page.evaluate(
      ([url, query, regions]) => {
        const own = globalThis as unknown as Page
        const client = own.client.createResumingClient({ url, resume: { baseWaitMs: 10 } })
        own.received = regions.map((region) => {
          const ids: unknown[] = []
          const next = (result: Result) => ids.push(result.data?.ordersByRegion.id)
          const sink = {
            next: next as never,
            error: (e: unknown) => ids.push(String(e)),
            complete: () => ids.push('done'),
          }
          client.subscribe({ query, variables: { region } }, sink)
          return ids
        })
      },
      [proxy.url, QUERY, REGIONS] as const,
    )
    const received = () => page.evaluate(() => (globalThis as unknown as Page).received)
    await until('all are subscribed', async () => (await gateway.metric('sluice_subscribers')) === REGIONS.length)
    const wanted = await produceTo(gateway, ORDERS_OF_A_PAGE)
    await until('all came', async () => (await received()).every((ids) => ids.length >= ORDERS_OF_A_PAGE / 3), 90_000)
    console.log(`${ORDERS_OF_A_PAGE} orders to a page over ${proxy.cuts()} cuts`)
    expect(await received()).toEqual(wanted)
    expect(proxy.cuts()).toBeGreaterThan(2)
  }, 120_000)
})
