import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { describeChromium } from '../../kit/chromium.ts'
import { startTestGateway, type TestGateway } from '../../kit/gateway.ts'
import { RawStream } from '../../kit/raw-stream.ts'
import { until } from '../../kit/until.ts'
import { findings, open, overhang, SIZES, showAt } from './page.ts'

const textOf = async (page: Page, section: string) => (await page.locator(`#${section}`).textContent()) ?? ''

const subscribe = (gateway: TestGateway, name: string, requestId: string, more = '') =>
  RawStream.subscribe(gateway.graphql, `subscription ${name} { orders${more} { id } }`, {
    headers: { 'x-request-id': requestId },
  })

test('the files of the page run nothing but themselves, and nothing else of their folder is served', async () => {
  const gateway = await startTestGateway()
  const get = (path: string) => fetch(`${gateway.adminUrl}${path}`)
  const page = await get('/inspect')
  expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8'])
  expect(page.headers.get('content-security-policy')).toMatch(/default-src 'none'; script-src 'self'; style-src 'self'/)
  expect(page.headers.get('x-content-type-options')).toBe('nosniff')
  for (const [, file] of (await page.text()).matchAll(/(?:src|href)="(inspect\/[^"]+)"/g))
    expect((await get(`/${file}`)).status).toBe(200)
  for (const path of ['/inspect/page-files.ts', '/inspect/../inspection.ts', '/inspect/constructor', '/inspectx'])
    expect((await get(path)).status).toBe(404)
  expect((await fetch(`${gateway.adminUrl}/inspect`, { method: 'POST' })).status).toBe(405)
})

describeChromium('the page of /inspect', (browser) => {
  test('it shows who subscribes, goes on by itself, and pauses while nobody looks', async () => {
    const gateway = await startTestGateway({ partitions: 1 })
    const page = await browser.openPage()
    let asked = 0
    page.on('request', (request) => {
      if (request.url().includes('inspect.json')) asked++
    })
    await open(page, gateway.adminUrl)
    expect(await textOf(page, 'groups')).toContain('No operation runs.')
    const stream = await subscribe(gateway, 'Dashboard', 'req-1')
    await until('the operation is shown', async () => (await textOf(page, 'groups')).includes('Dashboard'))
    await stream.close()
    await until('its end is shown', async () => (await textOf(page, 'ends')).includes('req-1'))
    await page.getByRole('button', { name: 'Pause' }).click()
    await until('it is paused', async () => (await page.locator('#pause').getAttribute('aria-pressed')) === 'true')
    const before = asked
    await subscribe(gateway, 'Another', 'req-2')
    // Where it still asked, the first answer after a second and a half would show it; another page of it does at once.
    const other = await browser.openPage()
    await open(other, gateway.adminUrl)
    await until('another page shows it', async () => (await textOf(other, 'groups')).includes('Another'))
    const shown = await other.getAttribute('body', 'data-shown')
    await until('and has asked again', async () => (await other.getAttribute('body', 'data-shown')) !== shown)
    expect(asked).toBe(before)
    await page.getByRole('button', { name: 'Go on' }).click()
    await until('the first one goes on', async () => (await textOf(page, 'groups')).includes('Another'))
  })

  test('a search finds a request id, shows why its stream ended, and is in the address', async () => {
    const gateway = await startTestGateway({ partitions: 1 })
    await (await subscribe(gateway, 'Gone', 'req-gone')).close()
    await subscribe(gateway, 'Here', 'req-here')
    const page = await browser.openPage()
    await open(page, gateway.adminUrl)
    await page.getByRole('searchbox').fill('req-gone')
    await until('it is found', async () => (await textOf(page, 'found')).includes('client'))
    expect(await textOf(page, 'found')).toContain('What is known of req-gone')
    expect(new URL(page.url()).searchParams.get('search')).toBe('req-gone')
    expect(await textOf(page, 'groups')).not.toContain('Here')
    await open(page, gateway.adminUrl, '?search=req-here')
    await until('an open one is found', async () => (await textOf(page, 'found')).includes('Here'))
  })

  test("a group's document is shown to who asks for it", async () => {
    const gateway = await startTestGateway({ partitions: 1 })
    await subscribe(gateway, 'Shown', 'req-1', '(where: { city: { eq: "Paris" } })')
    const page = await browser.openPage()
    await open(page, gateway.adminUrl)
    await page.getByRole('button', { name: 'Shown' }).click()
    await until('it is shown', async () => (await textOf(page, 'document')).includes('subscription Shown'))
    expect(await findings(page)).toEqual([])
    await page.getByRole('button', { name: 'Close' }).click()
    expect(await page.locator('dialog').isVisible()).toBe(false)
  })

  test('what clients name is text: no principal, address, request id or error runs or is shown as HTML', async () => {
    const attack = '<img src=x onerror="globalThis.hacked=1"><script>globalThis.hacked=1</script>'
    const gateway = await startTestGateway({ partitions: 1 })
    await subscribe(gateway, 'Named', 'req-1', `(where: { city: { eq: "${attack.replaceAll('"', '\\"')}" } })`)
    await fetch(`${gateway.adminUrl}/block`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ operation: attack, reason: attack }),
    })
    await gateway.produceRaw(`{"id":"${attack.replaceAll('"', '')}"}`)
    const page = await browser.openPage()
    await open(page, gateway.adminUrl, `?search=${encodeURIComponent('city')}`)
    await open(page, gateway.adminUrl)
    await until('the filter is shown', async () => (await textOf(page, 'groups')).includes('onerror'))
    await until('the decision is shown', async () => (await textOf(page, 'changes')).includes('onerror'))
    await page.getByRole('button', { name: 'Named' }).click()
    await until('the document is shown', async () => (await textOf(page, 'document')).includes('onerror'))
    expect(await page.locator('main img, main script, dialog img, dialog script').count()).toBe(0)
    expect(await page.evaluate(() => (globalThis as { hacked?: number }).hacked)).toBeUndefined()
  })

  test('axe finds nothing, in light and dark, at a desk and on a phone', async () => {
    const gateway = await startTestGateway({ partitions: 1 })
    await (await subscribe(gateway, 'Gone', 'req-gone')).close()
    await subscribe(gateway, 'Here', 'req-here')
    await gateway.produceRaw('{', null)
    const page = await browser.openPage()
    for (const [name, size] of Object.entries(SIZES)) {
      await showAt(page, size)
      await open(page, gateway.adminUrl, '?search=req-gone')
      expect(await findings(page), name).toEqual([])
      expect(await overhang(page), `${name} scrolls sideways`).toBeLessThanOrEqual(0)
    }
  })
})
