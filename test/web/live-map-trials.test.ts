import type { Page } from 'playwright-core'
import { expect, onTestFinished, test } from 'vitest'
import { describeChromium } from '../kit/chromium.ts'
import { anOrder, startTestGateway, type TestGateway } from '../kit/gateway.ts'
import { until } from '../kit/until.ts'
import { describeBuiltPage } from './built-page.ts'
import { openLive, pressMap, snapshot, text } from './page.ts'

const built = describeBuiltPage()
const EVERY_MS = 20

/** Orders all the time, until the test ends. @returns how many there were so far. */
function flow(gateway: TestGateway): () => number {
  let count = 0
  const timer = setInterval(() => {
    count++
    void gateway.produce({ id: `f${count}`, placedAt: new Date().toISOString() })
  }, EVERY_MS)
  onTestFinished(() => clearInterval(timer))
  return () => count
}

const trialOf = async (page: Page) => {
  await until('the trial is over', async () => (await snapshot(page)).trial !== undefined, 30_000)
  return (await snapshot(page)).trial ?? {}
}

describeChromium('what the Live Map shows of the stream', (browser) => {
  test('a cut is followed by a replay, and a second subscription says that nothing was missed', async () => {
    const gateway = await startTestGateway({ pages: built.folder })
    const page = await browser.openPage()
    await openLive(page, gateway.url)
    const produced = flow(gateway)
    await until('orders flow', async () => (await snapshot(page)).events > 5)
    await page.locator('#cut').click()
    const trial = await trialOf(page)
    expect(trial.missed).toBe(0)
    expect(trial.compared).toBeGreaterThan(0)
    const { replayed } = trial
    console.log(await text(page, '#outcome'))
    expect(await text(page, '#outcome')).toContain(`replayed ${replayed} in `)
    await until('all came', async () => (await snapshot(page)).events >= produced())
    // The second subscription is gone again: orders and sales are left.
    await until('two are left', async () => (await gateway.metric('sluice_subscribers')) === 2)
  })

  test('a tab that reads nothing for a while catches up, and a second subscription never noticed', async () => {
    const gateway = await startTestGateway({ pages: built.folder })
    const page = await browser.openPage()
    await openLive(page, gateway.url)
    flow(gateway)
    await page.locator('#slow').click()
    const says = (words: string) => until(words, async () => (await text(page, '#outcome')).includes(words))
    await says('reads nothing for 4 s')
    const { events } = await snapshot(page)
    await says('reads nothing for 2 s')
    expect((await snapshot(page)).events).toBe(events)
    const trial = await trialOf(page)
    expect(trial.missed).toBe(0)
    expect(trial.meanwhile).toBeGreaterThan(20)
    console.log(await text(page, '#outcome'))
    await until('both buttons can be pressed again', async () => page.locator('#cut').isEnabled())
  })
})

const answerOf = (input: Record<string, unknown>) => {
  const { id, country, city, region, merchantId, status, placedAt, itemCount } = anOrder({ id: 'own', ...input })
  const placeOrder = { id, country, city, region, merchantId, status, placedAt, itemCount }
  return { data: { placeOrder: { ...placeOrder, location: input.location, total: input.total } } }
}

interface Sent {
  readonly query: string
  readonly variables: { readonly input: Record<string, unknown> & { readonly location: { lat: number; lon: number } } }
}

/** Answers the page's mutations as a gateway would, or as `answer` says. */
async function routeOrders(page: Page, answer: (sent: Sent) => Promise<object | number>): Promise<Sent[]> {
  const sent: Sent[] = []
  await page.route('**/graphql', async (route) => {
    const body = route.request().postData() ?? ''
    if (!body.includes('mutation PlaceOrder')) return route.continue()
    sent.push(JSON.parse(body))
    const given = await answer(sent.at(-1) as Sent)
    if (typeof given === 'number') return route.abort()
    return route.fulfill({ contentType: 'application/graphql-response+json', body: JSON.stringify(given) })
  })
  return sent
}

describeChromium("one's own order", (browser) => {
  test('is placed where the map was pressed, comes back over the stream, and is marked with its time', async () => {
    const gateway = await startTestGateway({ pages: built.folder, env: { ANONYMOUS_SCOPES: 'orders:write' } })
    const page = await browser.openPage()
    await openLive(page, gateway.url)
    await page.locator('#place').click()
    await page.locator('#order-pick').click()
    await pressMap(page, 149, -35)
    expect(await page.locator('#order-currency').textContent()).toBe('AUD')
    await page.locator('#order-amount').fill('250,50')
    await page.locator('#order-submit').click()
    await until('it is on the map', async () => page.locator('.own-marker span').isVisible())
    expect(await text(page, '#notes p')).toMatch(/^Your order from Sydney was in the log after \d+ ms, and on your map/)
    expect(await page.locator('#order-dialog').isVisible()).toBe(false)
    expect(await text(page, '#ticker tr.own .status')).toBe('Yours, placed')
    const query = '{ recentOrders { region city total { amount currency } itemCount status } }'
    const answer = await fetch(`${gateway.graphql}?query=${encodeURIComponent(query)}`)
    expect(await answer.json()).toEqual({
      data: {
        recentOrders: [
          {
            region: 'OCEANIA',
            city: 'Sydney',
            total: { amount: '250.50', currency: 'AUD' },
            itemCount: 1,
            status: 'PLACED',
          },
        ],
      },
    })
  })

  test('that is refused says what is needed, and watching goes on', async () => {
    const gateway = await startTestGateway({ pages: built.folder })
    const page = await browser.openPage()
    await openLive(page, gateway.url)
    await page.locator('#place').click()
    await page.locator('#order-submit').click()
    await until('it says so', async () => (await text(page, '#order-outcome')).includes('orders:write'))
    expect((await snapshot(page)).state).toBe('live')
  })

  test('of which no answer came is sent again with the same key, another one with another', async () => {
    const gateway = await startTestGateway({ pages: built.folder })
    const page = await browser.openPage()
    let answers = 0
    const sent = await routeOrders(page, async ({ variables: { input } }) =>
      ++answers === 1 ? 0 : answerOf({ location: input.location, total: input.total }),
    )
    await openLive(page, gateway.url)
    await page.locator('#place').click()
    for (const count of [1, 2, 3]) {
      await page.locator('#order-submit').click()
      await until('it was sent', () => sent.length === count)
      await until('it was answered', () => page.locator('#order-submit').isEnabled())
    }
    const keys = sent.map(({ variables }) => variables.input.idempotencyKey)
    expect(keys[1]).toBe(keys[0])
    expect(keys[2]).not.toBe(keys[0])
  })
})
