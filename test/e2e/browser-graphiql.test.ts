import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { describeChromium } from '../kit/chromium.ts'
import { startTestGateway } from '../kit/gateway.ts'
import { until } from '../kit/until.ts'

const RUN = 'button[aria-label^="Execute query"], button[aria-label^="Stop query"]'

function resultOf(page: Page): Promise<string | null> {
  return page.locator('.graphiql-response').textContent()
}

describeChromium('GraphiQL', (browser) => {
  test('is one page that asks no other host for anything', async () => {
    const gateway = await startTestGateway()
    const page = await browser.openPage()
    const asked: string[] = []
    const complaints: string[] = []
    page.on('request', (request) => asked.push(request.url()))
    page.on('pageerror', (error) => complaints.push(error.message))
    // What its policy refuses is told there.
    page.on('console', (message) => {
      if (message.type() === 'error') complaints.push(message.text())
    })
    await page.goto(gateway.graphql)
    await page.locator(RUN).waitFor()
    // The last thing it asks for is the schema; then the documentation can be opened.
    await page.locator('button[aria-label="Show Documentation Explorer"]').waitFor()
    await page.locator('button[aria-label="Show Documentation Explorer"]').click()
    await page.getByText('Root Types').waitFor()
    const hosts = asked.map((url) => new URL(url)).filter(({ protocol }) => protocol.startsWith('http'))
    expect(new Set(hosts.map(({ host }) => host))).toEqual(new Set([new URL(gateway.url).host]))
    expect(complaints).toEqual([])
    expect(await page.title()).toBe('Sluice')
  })

  test('shows orders as they arrive, for the subscription that it begins with', async () => {
    const gateway = await startTestGateway()
    const page = await browser.openPage()
    await page.goto(gateway.graphql)
    await page.locator(RUN).click()
    await page.getByRole('menuitem', { name: 'Orders' }).click()
    await until('the page is subscribed', async () => (await gateway.metric('sluice_subscribers')) === 1)
    await gateway.produce({ id: 'a', city: 'Rotterdam' })
    await until('the first order is shown', async () => (await resultOf(page))?.includes('Rotterdam') === true)
    await gateway.produce({ id: 'b', city: 'Utrecht' })
    await until('the second order is shown', async () => (await resultOf(page))?.includes('Utrecht') === true)

    await page.locator(RUN).click()
    await until('stopping ends the stream', async () => (await gateway.metric('sluice_subscribers')) === 0)
  })

  test('has a filtered subscription in its second tab', async () => {
    const gateway = await startTestGateway()
    const page = await browser.openPage()
    await page.goto(gateway.graphql)
    await page.locator(RUN).waitFor()
    const query = page.locator('.graphiql-query-editor')
    await until('the tab is open', async () => {
      // The page may be drawn before it takes clicks.
      await page.getByRole('tab', { name: 'FilteredOrders' }).click()
      return (await query.textContent())?.includes('FilteredOrders') === true
    })
    await page.locator(RUN).click()
    await until('the page is subscribed', async () => (await gateway.metric('sluice_subscribers')) === 1)
    await gateway.produce({ city: 'Rotterdam', amount: '99.99' }, { city: 'Utrecht', amount: '100.00' })
    await until('the second order is shown', async () => (await resultOf(page))?.includes('Utrecht') === true)
    expect(await resultOf(page)).not.toContain('Rotterdam')
  })

  test('runs a query', async () => {
    const gateway = await startTestGateway()
    await gateway.produce({ city: 'Rotterdam' })
    const page = await browser.openPage()
    await page.goto(gateway.graphql)
    await page.locator(RUN).click()
    await page.getByRole('menuitem', { name: 'Recent' }).click()
    await until('the answer is shown', async () => (await resultOf(page))?.includes('Rotterdam') === true)
    expect(await resultOf(page)).toContain('eventsPerSecond')
  })
})
