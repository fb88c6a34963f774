import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { describeChromium } from '../kit/chromium.ts'
import { startTestGateway, type TestGateway } from '../kit/gateway.ts'
import { until } from '../kit/until.ts'

const RUN = 'button[aria-label^="Execute query"], button[aria-label^="Stop query"]'
/** Of the first load, as it comes over the network. It was 2.8 MB, of 9 MB, before it was a page of its own. */
const MAX_BYTES = 500_000
/** An answer takes milliseconds; a press that nothing came of is repeated. */
const PRESS_AGAIN_MS = 2_000
const ENV = { ANONYMOUS_SCOPES: 'orders:write' }

const resultOf = (page: Page) => page.locator('.graphiql-response').textContent()

/** Shows a tab, which the page may have drawn before it takes clicks. */
async function openTab(page: Page, name: string): Promise<void> {
  await page.locator(RUN).waitFor()
  const query = page.locator('.graphiql-query-editor')
  await until(`the tab ${name} is open`, async () => {
    await page.getByRole('tab', { name }).click()
    return (await query.textContent())?.includes(name) === true
  })
}

const shows = (page: Page, text: string) =>
  until(`${text} is shown`, async () => (await resultOf(page))?.includes(text) === true)

/** Presses the button until it has an effect: the page draws it before it runs anything. */
async function press(page: Page, text: string): Promise<void> {
  let pressedAt = Number.NEGATIVE_INFINITY
  await until(`${text} is shown`, async () => {
    if ((await resultOf(page))?.includes(text)) return true
    const isRunning = (await page.locator('button[aria-label^="Stop query"]').count()) > 0
    if (!isRunning && performance.now() - pressedAt > PRESS_AGAIN_MS) {
      await page.locator(RUN).click()
      pressedAt = performance.now()
    }
    return false
  })
}

/** Runs the operation of a tab until it shows `text`, and stops it again. */
async function runTab(gateway: TestGateway, page: Page, name: string, text: string): Promise<void> {
  await openTab(page, name)
  await press(page, text)
  if ((await gateway.metric('sluice_subscribers')) === 0) return
  await page.locator(RUN).click()
  await until('stopping ends the stream', async () => (await gateway.metric('sluice_subscribers')) === 0)
}

describeChromium('GraphiQL', (browser) => {
  test('is a small page that asks no other host for anything', async () => {
    const gateway = await startTestGateway()
    const page = await browser.openPage()
    const asked: URL[] = []
    const complaints: string[] = []
    page.on('request', (request) => asked.push(new URL(request.url())))
    page.on('pageerror', (error) => complaints.push(error.message))
    // What its policy refuses is told there.
    page.on('console', (message) => {
      if (message.type() === 'error') complaints.push(message.text())
    })
    await page.goto(gateway.graphql)
    await page.locator(RUN).waitFor()
    // The last thing it asks for is the schema; then the documentation can be opened.
    await page.locator('button[aria-label="Show Documentation Explorer"]').click()
    await page.getByText('Root Types').waitFor()
    await page.waitForLoadState('networkidle')
    const hosts = asked.filter(({ protocol }) => protocol.startsWith('http')).map(({ host }) => host)
    expect(new Set(hosts)).toEqual(new Set([new URL(gateway.url).host]))
    expect(complaints).toEqual([])
    expect(await page.title()).toBe('Sluice')
    // Without the answer that has the schema.
    const sizes = await page.evaluate(`performance.getEntries()
      .filter(({ entryType, initiatorType }) => entryType === 'navigation' || (entryType === 'resource' && initiatorType !== 'fetch'))
      .map(({ encodedBodySize }) => encodedBodySize)`)
    const bytes = (sizes as number[]).reduce((sum, size) => sum + size, 0)
    console.log(`GraphiQL's first load: ${bytes} bytes in ${asked.length} requests`)
    expect(bytes).toBeGreaterThan(100_000)
    expect(bytes).toBeLessThan(MAX_BYTES)
    if (process.env.SLUICE_SCREENSHOTS) {
      await page.locator('button[aria-label="Hide Documentation Explorer"]').click()
      await page.setViewportSize({ width: 1280, height: 800 })
      await gateway.produce(...Array.from({ length: 12 }, (_, n) => ({ city: n % 2 ? 'Utrecht' : 'Rotterdam' })))
      await openTab(page, 'Filtered')
      await page.locator(RUN).click()
      await shows(page, 'Utrecht')
      await page.screenshot({ path: 'docs/images/graphiql.png' })
    }
  })

  test('has a tab for each kind of question, and the button runs it', async () => {
    const gateway = await startTestGateway({ env: ENV })
    const page = await browser.openPage()
    await gateway.produce({ city: 'Rotterdam' }, { city: 'Utrecht', amount: '99.99' })
    await page.goto(gateway.graphql)
    await runTab(gateway, page, 'Recent', 'eventsPerSecond')
    await runTab(gateway, page, 'Resumed', 'Utrecht')
    await runTab(gateway, page, 'Filtered', 'Rotterdam')
    expect(await resultOf(page)).not.toContain('Utrecht')
    await runTab(gateway, page, 'Table', 'READY')
    await runTab(gateway, page, 'PlaceOrder', 'PLACED')
    await page.locator(RUN).click()
    const repeats = () => gateway.metric('sluice_published_total', { outcome: 'repeated' })
    await until('the second press is a repeat', async () => (await repeats()) === 1)
  })

  test('shows orders as they arrive, and beside them how the stream is doing', async () => {
    const gateway = await startTestGateway()
    const page = await browser.openPage()
    await page.goto(gateway.graphql)
    await openTab(page, 'Live')
    await page.locator(RUN).click()
    await until('the page is subscribed', async () => (await gateway.metric('sluice_subscribers')) === 1)
    await gateway.produce({ city: 'Rotterdam' })
    await shows(page, 'Rotterdam')
    await gateway.produce({ city: 'Delft' })
    await shows(page, 'Delft')
    expect(await resultOf(page)).toMatch(/"received": 2/)
  })

  test('a link opens its operation in a tab, also where there are others, and shows why it is refused', async () => {
    const gateway = await startTestGateway()
    const page = await browser.openPage()
    const link = new URL(gateway.graphql)
    link.searchParams.set(
      'query',
      'query Other { isThere } subscription Mine($c: Cursor) { orders(after: $c) { city } }',
    )
    link.searchParams.set('operationName', 'Mine')
    link.searchParams.set('variables', JSON.stringify({ c: 'nonsense' }))
    for (const visit of ['the first', 'the second']) {
      await page.goto(link.href)
      await page.locator(RUN).waitFor()
      const query = page.locator('.graphiql-query-editor')
      await until(`${visit} visit shows it`, async () => (await query.textContent())?.includes('Mine') === true)
      expect(await query.textContent()).not.toContain('Other')
      await press(page, 'CURSOR_INVALID')
    }
    expect(await page.getByRole('tab', { name: 'Live' }).count()).toBe(1)
  })
})
