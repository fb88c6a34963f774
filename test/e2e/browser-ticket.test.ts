import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { describeChromium, startSite } from '../kit/chromium.ts'
import { startTestGateway } from '../kit/gateway.ts'
import { makeIssuer } from '../kit/tokens.ts'
import { until } from '../kit/until.ts'

interface Heard {
  ids: string[]
  opened: number
  closed: boolean
}

/** Gets a ticket with the token, and listens with it alone, as docs/security.md shows it. */
async function listen(page: Page, origin: string, token: string): Promise<() => Promise<Heard>> {
  await page.evaluate(
    async ([url, bearer]) => {
      const query = 'subscription { ordersByRegion(region: EUROPE) { id } }'
      const response = await fetch(`${url}/ticket`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${bearer}` },
        body: JSON.stringify({ query }),
      })
      const { ticket } = await response.json()
      const heard: Heard = { ids: [], opened: 0, closed: false }
      const source = new EventSource(`${url}/graphql?ticket=${ticket}`)
      source.onopen = () => void heard.opened++
      source.onerror = () => {
        heard.closed = source.readyState === EventSource.CLOSED
      }
      source.addEventListener('next', ({ data }) => heard.ids.push(JSON.parse(data).data.ordersByRegion.id))
      Object.assign(globalThis, { heard })
    },
    [origin, token] as const,
  )
  return () => page.evaluate(() => (globalThis as unknown as { heard: Heard }).heard)
}

describeChromium('a native EventSource with a ticket', (browser) => {
  test('comes back by itself, also after five minutes, misses nothing, and stops when its token ends', async () => {
    const clock = { ms: Date.now() }
    const issuer = await makeIssuer()
    // Its streams end after a moment, so that it has to come back again and again.
    const env = { AUTH_KEY_FILE: issuer.keyFile(), STREAM_MAX_AGE_MS: '300', HEARTBEAT_MS: '200' }
    const gateway = await startTestGateway({ env, now: () => clock.ms })
    const page = await browser.openPage()
    await page.goto(await startSite())
    const heard = await listen(page, gateway.url, await issuer.sign())
    const produced: string[] = []
    const produceUntilOpened = async (times: number) => {
      await until(`it has opened ${times} streams`, async () => {
        produced.push(`e${produced.length}`)
        await gateway.produce({ id: produced.at(-1) as string })
        return (await heard()).opened >= times
      })
    }
    await until('it is subscribed', async () => (await gateway.metric('sluice_subscribers')) === 1)
    await produceUntilOpened(2)
    clock.ms += 6 * 60_000
    await produceUntilOpened((await heard()).opened + 1)
    await until('all came', async () => (await heard()).ids.length === produced.length)
    expect((await heard()).ids).toEqual(produced)

    clock.ms += 60 * 60_000
    await until('it gives up', async () => (await heard()).closed)
    expect(await gateway.metric('sluice_streams')).toBe(0)
  })
})
