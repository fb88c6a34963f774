import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { describeChromium, startSite } from '../kit/chromium.ts'
import { startTestGateway } from '../kit/gateway.ts'
import { until } from '../kit/until.ts'
import { probeSchema } from '../transport/probe-schema.ts'

/** What a page has heard. */
interface Heard {
  results: { data: Record<string, unknown> }[]
  ids: string[]
  positions: string[]
  opened: number
  complete: number
}

async function listen(page: Page, graphql: string, query: string): Promise<() => Promise<Heard>> {
  const url = `${graphql}?${new URLSearchParams({ query })}`
  await page.evaluate((address) => {
    const heard: Heard = { results: [], ids: [], positions: [], opened: 0, complete: 0 }
    const source = new EventSource(address)
    source.onopen = () => void heard.opened++
    // Unnamed and empty: a position.
    source.onmessage = (event) => void heard.positions.push(event.lastEventId)
    source.addEventListener('next', (event) => {
      heard.results.push(JSON.parse(event.data))
      heard.ids.push(event.lastEventId)
    })
    source.addEventListener('complete', () => {
      heard.complete++
      source.close()
    })
    Object.assign(globalThis, { heard })
  }, url)
  return () => page.evaluate(() => (globalThis as unknown as { heard: Heard }).heard)
}

describeChromium('a native EventSource', (browser) => {
  test('on a page of another origin gets typed orders in order, each with its cursor', async () => {
    const gateway = await startTestGateway({ env: { HEARTBEAT_MS: '200' } })
    const page = await browser.openPage()
    await page.goto(await startSite())
    const heard = await listen(page, gateway.graphql, 'subscription { ordersByRegion(region: EUROPE) { id status } }')
    await until('the page is subscribed', async () => (await gateway.metric('sluice_subscribers')) === 1)
    for (let count = 0; count < 20; count++) {
      await gateway.produce({ id: `e${count}`, status: 'PAID' }, { id: `a${count}`, region: 'ASIA' })
    }
    await until('all of Europe came', async () => (await heard()).results.length === 20)
    const { results, ids, opened } = await heard()
    expect(results).toEqual(
      Array.from({ length: 20 }, (_each, count) => ({
        data: { ordersByRegion: { id: `e${count}`, status: 'PAID' } },
      })),
    )
    expect(new Set(ids).size).toBe(20)
    expect(opened).toBe(1)
  })

  test('hears its position in the first block, and in heartbeats where nothing matches', async () => {
    const gateway = await startTestGateway({ env: { HEARTBEAT_MS: '200' } })
    const page = await browser.openPage()
    await page.goto(await startSite())
    const heard = await listen(page, gateway.graphql, 'subscription { ordersByRegion(region: EUROPE) { id } }')
    await until('the first position came', async () => (await heard()).positions.length >= 1)
    const [first] = (await heard()).positions
    expect(first).toMatch(/^[\w-]+$/)
    await gateway.produce({ region: 'ASIA' })
    await until('the position moved', async () => (await heard()).positions.at(-1) !== first)
    expect((await heard()).results).toEqual([])
  })

  test('fires complete at the end of a finite subscription', async () => {
    const gateway = await startTestGateway({ schema: probeSchema().schema })
    const page = await browser.openPage()
    await page.goto(await startSite())
    const heard = await listen(page, gateway.graphql, 'subscription { count(to: 3) }')
    await until('it is complete', async () => (await heard()).complete === 1)
    expect((await heard()).results).toEqual([{ data: { count: 1 } }, { data: { count: 2 } }, { data: { count: 3 } }])
  })

  test('hears of a wrong operation as a result with errors, then complete', async () => {
    const gateway = await startTestGateway()
    const page = await browser.openPage()
    await page.goto(await startSite())
    const heard = await listen(page, gateway.graphql, 'subscription { nope }')
    await until('it is complete', async () => (await heard()).complete === 1)
    expect((await heard()).results).toMatchObject([{ errors: [{ extensions: { code: 'GRAPHQL_VALIDATION_FAILED' } }] }])
  })

  test('that is closed frees its stream at once', async () => {
    const gateway = await startTestGateway()
    const page = await browser.openPage()
    await page.goto(await startSite())
    await listen(page, gateway.graphql, 'subscription { ordersByRegion(region: EUROPE) { id } }')
    await until('the page is subscribed', async () => (await gateway.metric('sluice_subscribers')) === 1)
    await page.goto('about:blank')
    await until('the stream is gone', async () => (await gateway.metric('sluice_subscribers')) === 0)
  })

  test('comes back by itself to a gateway that was not ready, after the wait that it was given', async () => {
    const gateway = await startTestGateway({ env: { KAFKA_BROKERS: '127.0.0.1:1' } })
    const page = await browser.openPage()
    await page.goto(await startSite())
    const heard = await listen(page, gateway.graphql, 'subscription { ordersByRegion(region: EUROPE) { id } }')
    await until('it has opened a second time', async () => (await heard()).opened >= 2)
  })
})

describeChromium('a page of a foreign origin', (browser) => {
  test('can POST for a stream and read its headers, after a preflight', async () => {
    const gateway = await startTestGateway()
    const page = await browser.openPage()
    await page.goto(await startSite())
    const answer = await page.evaluate(async (url) => {
      const response = await fetch(url, {
        method: 'POST',
        headers: {
          accept: 'text/event-stream',
          'content-type': 'application/json',
          'last-event-id': 'x',
          authorization: 'Bearer x',
        },
        body: JSON.stringify({ query: '{ __typename }' }),
      })
      return { status: response.status, id: response.headers.get('x-request-id'), text: await response.text() }
    }, gateway.graphql)
    expect(answer).toEqual({
      status: 200,
      id: expect.stringMatching(/^[\w.-]+$/),
      text: 'event: next\ndata: {"data":{"__typename":"Query"}}\n\nevent: complete\ndata:\n\n',
    })
  })

  test('is kept out where CORS_ORIGINS does not name it', async () => {
    const gateway = await startTestGateway({ env: { CORS_ORIGINS: 'https://shop.example' } })
    const page = await browser.openPage()
    await page.goto(await startSite())
    const outcome = await page.evaluate(
      (url) =>
        fetch(`${url}?query={__typename}`).then(
          () => 'read',
          () => 'refused',
        ),
      gateway.graphql,
    )
    expect(outcome).toBe('refused')
  })
})
