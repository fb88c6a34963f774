import { randomInt } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { createClient } from 'graphql-sse'
import { describe, expect, onTestFinished, test } from 'vitest'
import { createResumingClient } from '../../packages/client/src/graphql-sse.ts'
import { describeChromium, startSite } from '../kit/chromium.ts'
import { startTestGateway, type TestGateway } from '../kit/gateway.ts'
import { until } from '../kit/until.ts'
import { type CuttingProxy, startCuttingProxy } from './cutting-proxy.ts'

const QUERY = 'subscription { ordersByRegion(region: EUROPE) { id } }'
/** Orders are produced for as long as it takes to have cut this often. */
const CUTS = 300
const CUTS_IN_BROWSER = 100
const BATCH = 5
const BATCH_EVERY_MS = 5
const MAX_MS = 90_000
const STUCK_MS = 3_000
/** More than the head of an answer. */
const MIN_BROWSER_BYTES = 800

interface Result {
  readonly data?: { readonly ordersByRegion: { readonly id: string } } | null
  readonly errors?: readonly { readonly message: string }[]
}

/** A gateway behind a proxy that does not cut yet. */
async function start(minBytes = 0): Promise<{ gateway: TestGateway; proxy: CuttingProxy }> {
  const seed = Number(process.env.SEED ?? randomInt(2 ** 31))
  console.log(`Cuts are by SEED=${seed}`)
  const gateway = await startTestGateway()
  return { gateway, proxy: await startCuttingProxy(gateway.graphql, seed, minBytes) }
}

/**
 * Produces until so many connections have been cut, and then a few more. Returns the ids in the order in which they were
 * produced: all are of one partition.
 */
async function produceUntilCut({ gateway, proxy }: Awaited<ReturnType<typeof start>>, cuts: number): Promise<string[]> {
  const produced: string[] = []
  const produce = () => {
    const ids = Array.from({ length: BATCH }, (_, i) => `o${produced.length + i}`)
    produced.push(...ids)
    return gateway.produce(...ids.map((id) => ({ id })))
  }
  proxy.startCutting()
  for (const end = performance.now() + MAX_MS; proxy.cuts() < cuts && performance.now() < end; ) {
    await produce()
    await delay(BATCH_EVERY_MS)
  }
  proxy.stopCutting()
  expect(proxy.cuts()).toBeGreaterThanOrEqual(cuts)
  await produce()
  return produced
}

/** What graphql-sse hands its application. */
function listen(client: ReturnType<typeof createClient>) {
  const received: string[] = []
  const problems: unknown[] = []
  client.subscribe<NonNullable<Result['data']>>(
    { query: QUERY },
    {
      next: ({ data, errors }) => {
        if (errors) problems.push(...errors)
        if (data) received.push(data.ordersByRegion.id)
      },
      error: (error) => problems.push(error),
      complete: () => problems.push('complete'),
    },
  )
  onTestFinished(() => client.dispose())
  return { received, problems }
}

describe('through a proxy that cuts connections at random bytes', () => {
  test('a graphql-sse client with the wrapper gets everything, once and in order', async () => {
    const both = await start()
    const { gateway, proxy } = both
    const client = createResumingClient({ url: proxy.url, resume: { baseWaitMs: 5 } })
    const { received, problems } = listen(client)
    await until('it has begun', () => gateway.engine.subscribers === 1)
    await gateway.produce({ id: 'begun' })
    await until('it has a position', () => received.length > 0)
    const produced = await produceUntilCut(both, CUTS)
    await until('the last came', () => received.at(-1) === produced.at(-1))
    console.log(`${proxy.cuts()} cuts: ${received.length - 1} of ${produced.length} orders received`)
    expect(received).toEqual(['begun', ...produced])
    expect(problems).toEqual([])
  }, 150_000)

  test('the same program without the wrapper loses orders', async () => {
    const both = await start()
    const { gateway, proxy } = both
    const retry = () => new Promise<void>((resolve) => setTimeout(resolve, 5))
    const client = createClient({ url: proxy.url, retryAttempts: Number.POSITIVE_INFINITY, retry })
    const { received } = listen(client)
    await until('it has begun', () => gateway.engine.subscribers === 1)
    await gateway.produce({ id: 'begun' })
    await until('it has results', () => received.length > 0)
    const produced = await produceUntilCut(both, CUTS / 10)
    // It hears of what is new, and so has its last stream; or an end that came with a message has left it waiting.
    const hears = until('it has a stream', () => received.includes('late'), STUCK_MS)
    const producing = setInterval(() => void gateway.produce({ id: 'late' }), 100)
    await hears.catch(() => {}).finally(() => clearInterval(producing))
    const lost = produced.filter((id) => !received.includes(id)).length
    console.log(`${proxy.cuts()} cuts: ${lost} of ${produced.length} orders lost without the wrapper`)
    expect(lost).toBeGreaterThan(0)
  }, 150_000)
})

describeChromium('through a proxy that cuts connections at random bytes', (browser) => {
  test('a native EventSource gets everything, once and in order', async () => {
    // A head that is cut is one without a content type to Chromium, which ends an EventSource for good.
    const both = await start(MIN_BROWSER_BYTES)
    const { gateway, proxy } = both
    const page = await browser.openPage()
    await page.goto(await startSite())
    const url = `${proxy.url}?${new URLSearchParams({ query: QUERY })}`
    await page.evaluate((address) => {
      const heard = { results: [] as string[], problems: [] as string[] }
      const source = new EventSource(address)
      source.addEventListener('next', ({ data }) => heard.results.push(data))
      source.addEventListener('complete', () => heard.problems.push('complete'))
      source.addEventListener('error', () => {
        if (source.readyState === EventSource.CLOSED) heard.problems.push('closed for good')
      })
      Object.assign(globalThis, { heard })
    }, url)
    const heard = async () => {
      const { results, problems } = await page.evaluate(
        () => (globalThis as unknown as { heard: { results: string[]; problems: string[] } }).heard,
      )
      const ids = results.map((data) => {
        const { data: order, errors } = JSON.parse(data) as Result
        return order?.ordersByRegion.id ?? errors?.[0]?.message
      })
      return { ids, problems }
    }
    await until('it has begun', () => gateway.engine.subscribers === 1)
    await gateway.produce({ id: 'begun' })
    await until('it has a position', async () => (await heard()).ids.length > 0)
    const produced = await produceUntilCut(both, CUTS_IN_BROWSER)
    await until('the last came', async () => (await heard()).ids.at(-1) === produced.at(-1)).catch(() => {}) // compared below
    const { ids, problems } = await heard()
    console.log(`${proxy.cuts()} cuts: ${ids.length - 1} of ${produced.length} orders received in Chromium`)
    expect(ids).toEqual(['begun', ...produced])
    expect(problems).toEqual([])
  }, 150_000)
})
