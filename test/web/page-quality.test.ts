import { readdirSync, readFileSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { createOrderFeed } from '../../src/demo/orders-feed.ts'
import { RegionTotals } from '../../src/demo/region-totals.ts'
import { describeChromium } from '../kit/chromium.ts'
import { startTestGateway } from '../kit/gateway.ts'
import { until } from '../kit/until.ts'
import { describeBuiltPage } from './built-page.ts'
import { openLive, snapshot } from './page.ts'

const built = describeBuiltPage()

/** Gzipped, map included: on a slow phone (1.6 Mbit/s) it is there in 1.3 s. */
const MAX_BYTES = 250 * 1024
/** Of a picture in the repository. */
const MAX_PICTURE = 250 * 1024
/** `npm test -- test/web/page-quality` with this set writes the pictures of the documentation. */
const PICTURES = process.env.SLUICE_PICTURES

/** The page's policy lets no script in; what DevTools evaluates is none of it. */
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

const SIZES = {
  'live-map-dark': { width: 1440, height: 900, colorScheme: 'dark' },
  'live-map-light': { width: 1440, height: 900, colorScheme: 'light' },
  'live-map-phone': { width: 360, height: 780, colorScheme: 'dark' },
} as const

/** Half an hour of a shop, which is still open. */
async function startShop() {
  const gateway = await startTestGateway({ pages: built.folder })
  const feed = createOrderFeed({ seed: 14 })
  const until = Date.now()
  const from = until - 30 * 60_000
  const totals = new RegionTotals(from)
  for (let at = from, i = 0; at < until; at += 20 + 8 * Math.sin(i++ / 9_000)) totals.add(feed.next(at))
  await gateway.embedded.sink.send('region-sales', totals.take(until))
  const sell = (count: number) =>
    gateway.produce(
      ...Array.from({ length: count }, () => ({ ...feed.next(Date.now()), placedAt: new Date().toISOString() })),
    )
  await sell(400)
  return { gateway, sell }
}

async function findings(page: Page): Promise<string[]> {
  await page.evaluate(AXE)
  const { violations } = await page.evaluate(() =>
    (globalThis as unknown as { axe: typeof import('axe-core') }).axe.run(document, { resultTypes: ['violations'] }),
  )
  return violations.map(
    ({ id, impact, nodes }) => `${impact}: ${id} at ${nodes.map(({ target }) => target).join(', ')}`,
  )
}

test('the page weighs less than 250 KB, with its map', () => {
  const files = readdirSync(built.folder, { recursive: true, encoding: 'utf8', withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => ({ name, bytes: gzipSync(readFileSync(join(parentPath, name))).length }))
  const total = files.reduce((sum, { bytes }) => sum + bytes, 0)
  console.log(
    `page weight, gzipped: ${(total / 1024).toFixed()} KiB: ${files.map(({ name, bytes }) => `${name} ${bytes}`).join(', ')}`,
  )
  expect(total).toBeLessThan(MAX_BYTES)
})

describeChromium('the Live Map', (browser) => {
  for (const [name, { width, height, colorScheme }] of Object.entries(SIZES)) {
    test(`${name}: nobody is left out, by axe, and nothing sticks out`, async () => {
      const { gateway, sell } = await startShop()
      const page = await browser.openPage()
      await page.setViewportSize({ width, height })
      await page.emulateMedia({ colorScheme })
      await openLive(page, gateway.url)
      await until('orders are being drawn', async () => {
        await sell(12)
        return (await snapshot(page)).pulses > 30
      })
      await page.evaluate(() => document.fonts.ready)
      if (PICTURES) await picture(page, PICTURES, name, sell)
      expect((await findings(page)).filter((finding) => /^(serious|critical)/.test(finding))).toEqual([])
      const sticksOut = await page.evaluate(
        () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
      )
      expect(sticksOut).toBe(0)

      // The dialogs, too.
      await page.locator('#place').click()
      expect((await findings(page)).filter((finding) => /^(serious|critical)/.test(finding))).toEqual([])
      const firstPaint = await page.evaluate(
        () => performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? Number.NaN,
      )
      console.log(`${name}: first contentful paint after ${firstPaint.toFixed()} ms`)
    })
  }

  test('every control is reached by the keyboard, in the order in which it is read', async () => {
    const gateway = await startTestGateway({ pages: built.folder })
    await gateway.produce({ id: 'a' })
    const page = await browser.openPage()
    await openLive(page, gateway.url)
    const reached: string[] = []
    for (let i = 0; i < 40; i++) {
      await page.keyboard.press('Tab')
      const name = await page.evaluate(() => {
        const element = document.activeElement as HTMLElement | null
        return element?.id || element?.dataset.region || element?.dataset.query || element?.textContent || ''
      })
      if (reached.includes(name)) break
      reached.push(name)
    }
    expect(reached.slice(0, 4)).toEqual(['Skip to the figures', 'graphiql', 'theme', 'place'])
    expect(reached).toEqual(
      expect.arrayContaining(['least', 'currency', 'EUROPE', 'sales', 'hold', 'copy', 'cut', 'slow']),
    )
    await page.locator('[data-region=AFRICA]').focus()
    await page.keyboard.press('Enter')
    await until('Africa is picked', () => page.url().endsWith('?region=AFRICA'))
    expect(await page.locator('button[data-region=AFRICA]').getAttribute('aria-pressed')).toBe('true')
  })
})

/** A busy second of the shop, as a picture of the documentation. */
async function picture(
  page: Page,
  folder: string,
  name: string,
  sell: (count: number) => Promise<void>,
): Promise<void> {
  await mkdir(folder, { recursive: true })
  for (let i = 0; i < 30; i++) {
    await sell(12)
    await page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 100)))
  }
  const png = (await page.screenshot()).toString('base64')
  // Gradients are large as PNG. The browser writes WebP, too, on a page without the page's policy.
  const blank = await page.context().newPage()
  const webp = await blank.evaluate(async (data) => {
    const picture = await createImageBitmap(await (await fetch(`data:image/png;base64,${data}`)).blob())
    const canvas = document.createElement('canvas')
    canvas.width = picture.width
    canvas.height = picture.height
    canvas.getContext('2d')?.drawImage(picture, 0, 0)
    return canvas.toDataURL('image/webp', 0.9).replace(/^.*,/, '')
  }, png)
  await blank.close()
  const bytes = Buffer.from(webp, 'base64')
  console.log(`${name}.webp: ${(bytes.length / 1024).toFixed()} KiB`)
  expect(bytes.length).toBeLessThan(MAX_PICTURE)
  await writeFile(join(folder, `${name}.webp`), bytes)
}
