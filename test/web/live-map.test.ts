import type { Page } from 'playwright-core'
import { expect, onTestFinished, test } from 'vitest'
import { type OrderEvent, REGIONS } from '../../src/streams/topics/orders.ts'
import { describeChromium } from '../kit/chromium.ts'
import { startTestGateway, type TestGateway } from '../kit/gateway.ts'
import { GatewayProcess } from '../kit/gateway-process.ts'
import { until } from '../kit/until.ts'
import { describeBuiltPage } from './built-page.ts'
import { openLive, setHidden, snapshot, text, untilLive, watch } from './page.ts'

const built = describeBuiltPage()

const now = (order: Partial<OrderEvent>): Partial<OrderEvent> => ({ placedAt: new Date().toISOString(), ...order })

async function salesOf(gateway: TestGateway, region: string, orders: number, sales: string): Promise<void> {
  const minute = new Date(Math.floor(Date.now() / 60_000) * 60_000).toISOString()
  const value = JSON.stringify({ region, minute, orders, sales })
  await gateway.embedded.sink.send('region-sales', [{ key: `${region}/${minute}`, value }])
}

const seen = async (page: Page, events: number) =>
  until(`${events} events came`, async () => (await snapshot(page)).events === events)

describeChromium('the Live Map, on the embedded log', (browser) => {
  test('begins with what has just happened, and shows each order as it is placed', async () => {
    const gateway = await startTestGateway({ pages: built.folder })
    await gateway.produce({ id: 'before', city: 'Utrecht' }, { id: 'before', city: 'Utrecht', status: 'PAID' })
    const page = await browser.openPage()
    const watched = watch(page)
    await openLive(page, gateway.url)
    await seen(page, 2)
    expect((await snapshot(page)).pulses).toBe(0)

    const at = performance.now()
    await gateway.produce(now({ id: 'one' }), now({ id: 'two', region: 'ASIA', city: 'Osaka', lat: 34.69, lon: 135.5 }))
    await until('two are being drawn', async () => (await snapshot(page)).pulses === 2)
    console.log(`two orders were on the map ${(performance.now() - at).toFixed()} ms after they were produced`)
    expect((await snapshot(page)).placed).toMatchObject({ EUROPE: 2, ASIA: 1, AFRICA: 0 })
    await until('both are in the list', async () => (await text(page, '#ticker')).includes('Osaka'))
    // An order that comes again with another status is one row, at the top.
    await gateway.produce(now({ id: 'one', status: 'SHIPPED' }))
    await until('it is on top', async () => (await text(page, '#ticker tr')).includes('Shipped'))
    expect(await page.locator('#ticker tr:visible').count()).toBe(3)

    // Of many, as many as there is room for: no row that nobody sees is reached by the keyboard.
    await gateway.produce(...Array.from({ length: 40 }, (_, i) => now({ id: `many${i}`, status: 'PAID' })))
    await until('the list is full', async () => (await page.locator('#ticker tr:visible').count()) > 6)
    const overflow = await page.evaluate(() => {
      const table = document.querySelector('#ticker')?.closest('table')
      const last = [...document.querySelectorAll<HTMLElement>('#ticker tr')].findLast((row) => !row.hidden)
      return (last?.offsetTop ?? 0) - (table?.offsetTop ?? 0) - (table?.clientHeight ?? 0)
    })
    expect(overflow).toBeLessThanOrEqual(0)

    await until('a latency was measured', async () => (await snapshot(page)).latency.count === 2)
    expect(watched).toEqual({ complaints: [], hosts: new Set([new URL(gateway.url).host]) })
  })

  test('shows the first run: the orders of the demo feed, all of them, and what the feed says of its sales', async () => {
    const [gateway] = (await GatewayProcess.create(['demo'], {})) as [GatewayProcess]
    onTestFinished(() => gateway.kill())
    gateway.start()
    await gateway.untilReady()
    const page = await browser.openPage()
    await openLive(page, gateway.url)
    const { placed } = await snapshot(page)
    await until('the table counts what was seen', async () => {
      const now = await snapshot(page)
      // The table lags behind the orders; the page began with the newest 200 of them, which are all.
      for (const region of REGIONS) expect(now.sales[region]).toBeLessThanOrEqual(now.placed[region])
      return now.events > 50 && REGIONS.every((region) => now.sales[region] >= placed[region])
    })
  })

  test('the panels show the table of sales, and its later changes', async () => {
    const gateway = await startTestGateway({ pages: built.folder })
    await salesOf(gateway, 'EUROPE', 12, '1234.50')
    const page = await browser.openPage()
    await openLive(page, gateway.url)
    const hour = () => text(page, '[data-region=EUROPE] [data-is=hour]')
    await until('the row is there', async () => (await hour()) === '12 in an hour')
    expect(await text(page, '[data-region=EUROPE] [data-is=sales]')).toBe('€1.23K')
    await salesOf(gateway, 'EUROPE', 15, '2000.00')
    await salesOf(gateway, 'ASIA', 3, '50.00')
    await until('the change is there', async () => (await hour()) === '15 in an hour')
    await until('the sum is there', async () => (await text(page, '#hero-hour')).startsWith('18 orders'))
    // The same, for who wants a table.
    expect(await text(page, '#figures tr:has(th:text("Europe"))')).toContain('2,000')
  })

  test('a region, an amount and a merchant are subscriptions of their own, and links', async () => {
    const gateway = await startTestGateway({ pages: built.folder })
    const page = await browser.openPage()
    await openLive(page, gateway.url)
    await page.locator('button[data-region=ASIA]').click()
    await until('the page is subscribed to Asia', async () => page.url().endsWith('?region=ASIA'))
    await untilLive(page)
    const asia = { region: 'ASIA', currency: 'JPY' } as const
    await gateway.produce({ id: 'no' }, { id: 'yes', ...asia, amount: '900', merchantId: 'm_0007' })
    await seen(page, 1)

    await page.locator('#currency').selectOption('JPY')
    await page.locator('#least').fill('1000')
    await page.keyboard.press('Enter')
    await until('the link says so', () => page.url().endsWith('?region=ASIA&least=1000&currency=JPY'))
    await gateway.produce({ id: 'less', ...asia, amount: '999' }, { id: 'more', ...asia, amount: '1000.00' })
    await seen(page, 1)
    expect(await text(page, '#view-text')).toBe('Asia, at least 1000 JPY')

    // The link alone is enough.
    await page.reload()
    await seen(page, 1)
    expect((await snapshot(page)).view).toEqual({ region: 'ASIA', least: '1000', currency: 'JPY' })
    await page.goBack()
    await seen(page, 3)
    await page.locator('#ticker a', { hasText: 'm_0007' }).click()
    await until('it is the merchant', async () => page.url().endsWith('?merchant=m_0007'))
    await seen(page, 1)
    await page.getByLabel('Show all orders').click()
    await seen(page, 4)
  })

  test('what no amount is asks for nothing, and a link that means nothing shows all', async () => {
    const gateway = await startTestGateway({ pages: built.folder })
    const page = await browser.openPage()
    await openLive(page, `${gateway.url}/?region=ATLANTIS&least=many&merchant=`)
    expect((await snapshot(page)).view).toEqual({})
    await page.locator('#least').fill('much')
    await page.keyboard.press('Enter')
    expect(await page.locator('#least').getAttribute('aria-invalid')).toBe('true')
    expect((await snapshot(page)).view).toEqual({})
  })

  test('says that there is nothing yet, and that the gateway is gone, and comes back to where it was', async () => {
    const gateway = await startTestGateway({ pages: built.folder })
    const page = await browser.openPage()
    await openLive(page, gateway.url)
    await until('it says so', async () => (await text(page, '#overlay-title')) === 'No orders yet')
    await gateway.produce(now({ id: 'first' }))
    await until('it says no more', async () => page.locator('#overlay').isHidden())
    await gateway.close()
    await until('it says so', async () => (await text(page, '#overlay-title')) === 'The gateway cannot be reached')
    expect(await text(page, '#state-text')).toMatch(/^Reconnecting for \d+ s$/)
  })

  test('says why it is refused, and tries again when it is told to', async () => {
    const gateway = await startTestGateway({ pages: built.folder })
    const page = await browser.openPage()
    const errors = [{ message: 'You may not', extensions: { code: 'FORBIDDEN' } }]
    await page.route('**/graphql', (route) =>
      route.fulfill({ status: 403, contentType: 'application/json', body: JSON.stringify({ errors }) }),
    )
    await page.goto(gateway.url)
    await until('it says so', async () => (await text(page, '#overlay-title')) === 'The gateway refuses this')
    expect(await text(page, '#overlay-text')).toBe('You may not see this (You may not).')
    expect(await text(page, '#state-text')).toBe('Refused: FORBIDDEN')
    await page.unroute('**/graphql')
    await page.getByRole('button', { name: 'Try again' }).click()
    await untilLive(page)
  })

  test('a gap is a note that says what is gone, and the stream goes on', async () => {
    const gateway = await startTestGateway({ pages: built.folder })
    const page = await browser.openPage()
    const gap = { topic: 'orders', gaps: [{ partition: 3, from: 100, to: 112, reason: 'retention' }] }
    const errors = [{ message: 'Events are gone', extensions: { code: 'CURSOR_EXPIRED', ...gap } }]
    const order = { id: 'a', merchantId: 'm', region: 'ASIA', country: 'JP', city: 'Osaka', status: 'PLACED' }
    const rest = {
      location: { lat: 1, lon: 2 },
      total: { amount: '1', currency: 'JPY' },
      placedAt: '2026-11-27T10:00:00Z',
    }
    const blocks = [{ errors }, { data: { orders: { ...order, ...rest } } }]
    await page.route('**/graphql', (route) =>
      route.request().postData()?.includes('subscription LiveOrders')
        ? route.fulfill({
            contentType: 'text/event-stream',
            body: blocks.map((block, i) => `id: c${i}\nevent: next\ndata: ${JSON.stringify(block)}\n\n`).join(''),
          })
        : route.continue(),
    )
    await page.goto(gateway.url)
    await until('the note is there', async () => (await text(page, '#notes p')).startsWith('Up to 12 orders are gone'))
    await until('the order behind it came', async () => (await snapshot(page)).placed.ASIA > 0)
    await page.getByLabel('Close this note').first().click()
  })

  test('nothing is drawn while nobody looks, and everything is counted', async () => {
    const gateway = await startTestGateway({ pages: built.folder })
    const page = await browser.openPage()
    await openLive(page, gateway.url)
    await setHidden(page, true)
    // A frame that was asked for before is still to come.
    await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))))
    const before = (await snapshot(page)).frames.count
    await gateway.produce(...Array.from({ length: 40 }, (_, i) => now({ id: `h${i}` })))
    await until('they are counted', async () => (await snapshot(page)).placed.EUROPE === 40)
    expect((await snapshot(page)).frames.count).toBe(before)
    await setHidden(page, false)
    await until('it is drawn again', async () => (await snapshot(page)).frames.count > before)
    // What is past is a light, not forty pulses at a time.
    expect((await snapshot(page)).pulses).toBe(0)
    expect(await text(page, '[data-region=EUROPE] [data-is=seen]')).toBe('40 seen here')
  })

  test('with less motion there are lights, and nothing moves', async () => {
    const gateway = await startTestGateway({ pages: built.folder })
    const page = await browser.openPage()
    await page.emulateMedia({ reducedMotion: 'reduce' })
    await openLive(page, gateway.url)
    await gateway.produce(now({ id: 'quiet' }))
    await until('it was drawn', async () => (await snapshot(page)).latency.count === 1)
    expect((await snapshot(page)).pulses).toBe(0)
  })

  test('each panel shows its query, which opens in GraphiQL', async () => {
    const gateway = await startTestGateway({ pages: built.folder })
    const page = await browser.openPage()
    await openLive(page, `${gateway.url}/?region=EUROPE&least=5&currency=EUR`)
    await page.locator('[data-query=orders]').click()
    const link = new URL((await page.locator('#query-open').getAttribute('href')) ?? '', gateway.url)
    expect(link.pathname).toBe('/graphql')
    expect(link.searchParams.get('operationName')).toBe('LiveOrdersOfRegion')
    const variables = JSON.parse(link.searchParams.get('variables') ?? '')
    expect(variables).toEqual({
      region: 'EUROPE',
      where: { total: { amount: { gte: '5' }, currency: { eq: 'EUR' } } },
      last: 200,
    })
    // It is what the gateway takes.
    const body = JSON.stringify({ query: link.searchParams.get('query'), variables })
    const headers = { accept: 'text/event-stream', 'content-type': 'application/json' }
    const response = await fetch(gateway.graphql, { method: 'POST', headers, body })
    const first = await response.body?.getReader().read()
    expect(new TextDecoder().decode(first?.value)).not.toContain('errors')
    await page.keyboard.press('Escape')
    await page.locator('[data-query=sales]').click()
    expect(await text(page, '#query-title')).toBe('LiveSales')
  })

  test('light and dark: as the system says, then as the button says, which stays', async () => {
    const gateway = await startTestGateway({ pages: built.folder })
    const page = await browser.openPage()
    await page.emulateMedia({ colorScheme: 'dark' })
    await openLive(page, gateway.url)
    const ground = () => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor)
    const dark = await ground()
    await page.emulateMedia({ colorScheme: 'light' })
    await until('it is light', async () => (await snapshot(page)).theme === 'light')
    expect(await ground()).not.toBe(dark)
    await page.getByLabel('Switch between light and dark').click()
    expect((await snapshot(page)).theme).toBe('dark')
    await page.reload()
    await until('it is dark again', async () => (await ground()) === dark)
  })
})
