import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { build } from 'vite'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { describeChromium } from '../kit/chromium.ts'
import { anOrder, startTestGateway } from '../kit/gateway.ts'
import { until } from '../kit/until.ts'
import { startSite } from './site.ts'

/** Each example, and what shares equal subscriptions of one page in strict mode. */
const EXAMPLES = ['graphql-sse', 'urql', 'apollo', 'relay', 'react'] as const

/** The smallest window there is, so that a gap needs few orders. */
const SMALL_WINDOW = { WINDOW_BYTES: String(64 * 1024) }

let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'examples-'))
  for (const name of EXAMPLES) {
    await build({
      root: `examples/${name}`,
      // React's strict mode mounts twice in development only.
      mode: 'development',
      logLevel: 'silent',
      build: { outDir: join(folder, name), minify: false, emptyOutDir: true },
    })
  }
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const ids = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => `o${from + i}`)

async function openExample(page: Page, name: string, onTestFinished: Parameters<typeof startSite>[2]) {
  const gateway = await startTestGateway({ env: SMALL_WINDOW })
  const site = await startSite(join(folder, name), gateway.graphql, onTestFinished)
  const complaints: string[] = []
  page.on('pageerror', (error) => complaints.push(error.message))
  await page.goto(`${site.url}?gateway=/graphql`)
  const subscribed = () =>
    until(`${name} has one subscription`, async () => (await gateway.metric('sluice_subscribers')) === 1)
  await subscribed()
  return {
    gateway,
    site,
    complaints,
    subscribed,
    /** Orders of these ids, in one partition. */
    async produce(orderIds: readonly string[], differences: Parameters<typeof anOrder>[0] = {}) {
      const records = orderIds.map((id) => ({
        key: null,
        value: JSON.stringify(anOrder({ ...differences, id })),
        partition: 0,
      }))
      await gateway.embedded.sink.send('orders', records)
    },
    cut: () => page.getByText('Cut the connection').click(),
    shown: () => page.locator('#orders tr').evaluateAll((rows) => rows.map(({ id }) => id)),
    events: async () => Number(await page.locator('#events').textContent()),
    state: () => page.locator('#state').textContent(),
    alert: async () => (await page.locator('[role=alert]:visible').allTextContents()).join(),
    gaps: () => page.locator('#gaps li').allTextContents(),
  }
}

describeChromium('the examples in a browser', (browser) => {
  describe.each(EXAMPLES)('%s', (name) => {
    test('has each order once over cuts, in what its filter says', async ({ onTestFinished }) => {
      const page = await browser.openPage()
      const example = await openExample(page, name, onTestFinished)
      const { produce, cut, shown, events, state, subscribed } = example
      await produce(ids(0, 10))
      await until('they are shown', async () => (await events()) === 10)
      for (const from of [10, 20]) {
        await cut()
        await produce(ids(from, from + 10))
        await until('what was missed is shown', async () => (await events()) === from + 10)
      }
      expect(await shown()).toEqual(ids(0, 30).reverse())
      await until('it is live', async () => (await state()) === 'live')

      await page.locator('[name=region]').selectOption('ASIA')
      await until('the page has begun anew', async () => (await events()) === 0)
      await subscribed()
      await produce(['europe'])
      await produce(['asia', 'japan'], { region: 'ASIA' })
      // An order shows again with each status, at the top.
      await produce(['asia'], { region: 'ASIA', status: 'PAID' })
      await until('those of Asia have come', async () => (await events()) === 3)
      await until('they are shown', async () => (await shown()).length === 2)
      expect(await shown()).toEqual(['asia', 'japan'])
      expect(await page.locator('#asia').textContent()).toContain('PAID')
      expect(example.complaints).toEqual([])
      await page.goto('about:blank')
      await until('nothing is left', async () => (await example.gateway.metric('sluice_subscribers')) === 0)
    })

    test('lives on behind a gap, which it tells', async ({ onTestFinished }) => {
      const page = await browser.openPage()
      const example = await openExample(page, name, onTestFinished)
      const { gateway, site, produce, events, gaps } = example
      await produce(ids(0, 5))
      await until('they are shown', async () => (await events()) === 5)
      site.down()
      await example.cut()
      await until('it is cut off', async () => (await gateway.metric('sluice_subscribers')) === 0)
      await produce(ids(5, 500))
      gateway.embedded.deleteRecords('orders', 0, 400)
      site.up()
      await until('what there is came', async () => (await events()) === 105)
      await produce(['last'])
      await until('it has lived on', async () => (await example.shown())[0] === 'last')
      expect(await gaps()).toEqual(['395 records are gone'])
      expect(await example.alert()).toBe('')
      expect(example.complaints).toEqual([])
    })

    test('shows the code of a refusal, and asks again when the filter is another', async ({ onTestFinished }) => {
      const page = await browser.openPage()
      const { produce, alert, shown, subscribed, complaints } = await openExample(page, name, onTestFinished)
      await page.locator('[name=least]').fill('much')
      await until('the code is shown', async () => (await alert()) === 'Refused: BAD_USER_INPUT')
      await page.locator('[name=least]').fill('100')
      await subscribed()
      await produce(['little'], { amount: '99.99' })
      await produce(['much'], { amount: '100.00' })
      await until('it goes on', async () => (await shown()).length === 1)
      expect(await shown()).toEqual(['much'])
      expect(await alert()).toBe('')
      expect(complaints).toEqual([])
    })
  })
})
