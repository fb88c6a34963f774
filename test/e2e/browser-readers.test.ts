import { readFileSync } from 'node:fs'
import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { describeChromium, startSite } from '../kit/chromium.ts'
import { startTestGateway } from '../kit/gateway.ts'
import { headerOf, startTapProxy } from '../kit/tap-proxy.ts'
import { until } from '../kit/until.ts'

const QUERY = 'subscription { ordersByRegion(region: EUROPE) { id } }'
const SSE_JS = readFileSync(new URL('../../node_modules/sse.js/lib/sse.js', import.meta.url), 'utf8')

interface Heard {
  ids: string[]
  errors: string[]
  positions: string[]
}

const heardBy = (page: Page) => (): Promise<Heard> =>
  page.evaluate(() => (globalThis as unknown as { heard: Heard }).heard)

describeChromium('in a page', (browser) => {
  async function setup() {
    const gateway = await startTestGateway({ env: { HEARTBEAT_MS: '100', COMPRESSION: 'off' } })
    const proxy = await startTapProxy(gateway.graphql)
    const page = await browser.openPage()
    await page.goto(await startSite())
    const address = `${proxy.url}?${new URLSearchParams({ query: QUERY })}`
    return { gateway, proxy, page, address, heard: heardBy(page) }
  }

  test('a native EventSource moves its position by heartbeats: a cut in a quiet time is resumed from there', async () => {
    const { gateway, proxy, page, address, heard } = await setup()
    await page.evaluate((url) => {
      const heard: Heard = { ids: [], errors: [], positions: [] }
      const source = new EventSource(url)
      source.onmessage = ({ lastEventId }) => heard.positions.push(lastEventId)
      source.addEventListener('next', ({ data }) => heard.ids.push(JSON.parse(data).data.ordersByRegion.id))
      Object.assign(globalThis, { heard })
    }, address)
    await until('it has begun', async () => (await heard()).positions.length > 0)
    const [first] = (await heard()).positions
    await gateway.produce({ region: 'ASIA' })
    await until('the position moved', async () => (await heard()).positions.at(-1) !== first)
    const last = (await heard()).positions.at(-1)
    proxy.cut()
    await gateway.produce({ id: 'missed' })
    await until('what was missed came', async () => (await heard()).ids.length === 1)
    const [, again] = proxy.requests.filter((request) => request.startsWith('GET'))
    expect([headerOf(again, 'last-event-id'), (await heard()).ids]).toEqual([last, ['missed']])
    expect([headerOf(again, 'accept'), headerOf(again, 'cache-control'), headerOf(again, 'sec-fetch-mode')]).toEqual([
      'text/event-stream',
      'no-cache',
      'cors',
    ])
  })

  test('sse.js hands on results only, also to a listener of all messages that parses them, and moves its position', async () => {
    const { gateway, proxy, page, address, heard } = await setup()
    await page.addScriptTag({ content: `${SSE_JS.replace('export { SSE };', '')}\nwindow.SSE = SSE` })
    await page.evaluate((url) => {
      const heard: Heard = { ids: [], errors: [], positions: [] }
      Object.assign(globalThis, { heard })
      // biome-ignore lint/suspicious/noExplicitAny: a script of the page
      const source = new (globalThis as any).SSE(url, { headers: { accept: 'text/event-stream' } })
      const take = ({ data }: { data: string }) => {
        try {
          heard.ids.push(JSON.parse(data).data.ordersByRegion.id)
        } catch (error) {
          heard.errors.push(String(error))
        }
      }
      source.addEventListener('next', take)
      source.addEventListener('message', take)
      setInterval(() => heard.positions.push(source.lastEventId), 20)
    }, address)
    await until('it has begun', async () => (await heard()).positions.some((each) => each !== ''))
    const first = (await heard()).positions.at(-1)
    await gateway.produce({ region: 'ASIA' })
    await until('the position moved', async () => (await heard()).positions.at(-1) !== first)
    await gateway.produce({ id: 'a' })
    await until('it came', async () => (await heard()).ids.length === 1)
    expect((await heard()).errors).toEqual([])
    expect(proxy.answers.join('')).not.toMatch(/^data:\s*$/m)
  })
})
