import { expect, test } from 'vitest'
import { createEmbeddedLog } from '../../src/streams/source/embedded/embedded.ts'
import { describeChromium, startSite } from '../kit/chromium.ts'
import { startTestGateway } from '../kit/gateway.ts'
import { addressOf, describeNginx, type NginxKit } from '../kit/nginx.ts'
import { until } from '../kit/until.ts'
import { curl, eventSources, http2Client, type Listener, officialClient, openSecurePage } from './listeners.ts'

/** No heartbeat comes in the time of a test, so that nothing pushes an event along. */
const NEVER_MS = 600_000
/** Of a machine that is busy with other tests; what is held back is held back for as long as nothing follows it. */
const AT_ONCE_MS = 5_000

const GZIP_FOR_EVERYTHING = (config: string) =>
  replaced(config, /gzip_types [^;]+;/, 'gzip_types *;\n        gzip_min_length 0;')
const DEFAULT_UPSTREAM_VERSION = (config: string) => replaced(config, /\n *proxy_http_version 1\.1;/, '')

const VARIANTS = [
  ['the configuration as it is', (config: string) => config],
  ['gzip on for everything', GZIP_FOR_EVERYTHING],
  ["Nginx's default upstream version", DEFAULT_UPSTREAM_VERSION],
  ['both', (config: string) => DEFAULT_UPSTREAM_VERSION(GZIP_FOR_EVERYTHING(config))],
] as const

function replaced(text: string, what: RegExp, by: string): string {
  expect(text).toMatch(what)
  return text.replace(what, by)
}

/** Nginx before two gateways, one at a unix socket and one at a port, that read the same log. */
async function startTwo(nginx: NginxKit, edit: (config: string) => string) {
  const embedded = createEmbeddedLog()
  embedded.createTopic('orders', 6)
  embedded.createTopic('region-sales', 6)
  const HEARTBEAT_MS = String(NEVER_MS)
  const tcp = await startTestGateway({ embedded, env: { HEARTBEAT_MS, INSTANCE_ID: 'tcp' } })
  const LISTEN_SOCKET = nginx.socket('unix')
  // Its streams are compressed by Nginx, where that does it.
  const COMPRESSION = 'off'
  const unix = await startTestGateway({
    embedded,
    env: { HEARTBEAT_MS, INSTANCE_ID: 'unix', LISTEN_SOCKET, COMPRESSION },
  })
  const instances = [
    { name: 'tcp', address: addressOf(tcp.url) },
    { name: 'unix', address: addressOf(unix.url) },
  ]
  const front = await nginx.start({ instances, heartbeatMs: NEVER_MS, edit })
  return {
    front,
    produce: tcp.produce,
    subscribers: () => [tcp.engine.subscribers, unix.engine.subscribers],
    untilOpen: (count: number) =>
      until('the streams are open', () => tcp.engine.subscribers + unix.engine.subscribers === count),
  }
}

/** Produces one order after the other, each when all have had the one before. */
async function expectAtOnce(listeners: readonly Listener[], produce: (order: { id: string }) => Promise<void>) {
  const produced: string[] = []
  let longest = 0
  for (let count = 1; count <= 5; count++) {
    produced.push(`ord_at_once_${count}`)
    const at = performance.now()
    await produce({ id: produced.at(-1)! })
    for (const listener of listeners) {
      await until(`order ${count} came`, async () => (await listener.received()).length >= count, AT_ONCE_MS)
    }
    longest = Math.max(longest, performance.now() - at)
  }
  for (const listener of listeners) expect(await listener.received()).toEqual(produced)
  console.log(`an order was with all ${listeners.length} in ${longest.toFixed()} ms at most`)
}

describeNginx('through TLS', (nginx) => {
  test.each(VARIANTS)(
    'every event reaches the official client, HTTP/2 and curl at once, with %s',
    async (what, edit) => {
      const { front, produce, subscribers, untilOpen } = await startTwo(nginx, edit)
      const http2 = http2Client(front.graphql, nginx.tls.certificate)
      const listeners = [officialClient(front.graphql), http2, curl(front.graphql, nginx.tls.certificate)]
      listeners.push(http2Client(front.graphql, nginx.tls.certificate))
      await untilOpen(4)
      expect(subscribers()).toEqual([2, 2]) // least_conn, counted over both workers
      await expectAtOnce(listeners, produce)
      expect(http2.headers).toMatchObject({ ':status': 200, 'content-type': 'text/event-stream; charset=utf-8' })
      // By Nginx or by the gateway, whichever does it.
      const { 'content-encoding': coding } = http2.headers ?? {}
      if (/gzip|both/.test(what)) expect(coding).toBe('gzip')
      else expect(['gzip', undefined]).toContain(coding)
    },
  )

  test('a stream that its client leaves is free at once', async () => {
    const { front, untilOpen } = await startTwo(nginx, (config) => config)
    const leave = new AbortController()
    const headers = { accept: 'text/event-stream', 'content-type': 'application/json' }
    const body = JSON.stringify({ query: 'subscription { ordersByRegion(region: ASIA) { id } }' })
    await fetch(front.graphql, { method: 'POST', headers, body, signal: leave.signal })
    await untilOpen(1)
    leave.abort()
    await untilOpen(0)
  })

  test('queries are compressed, and a preflight is answered by the gateway', async () => {
    const { front } = await startTwo(nginx, (config) => config)
    const query = `{ ${Array.from({ length: 40 }, (_each, i) => `field${i}: __typename`).join(' ')} }`
    const answer = await fetch(`${front.graphql}?${new URLSearchParams({ query })}`)
    expect(answer.headers.get('content-encoding')).toBe('gzip')
    expect(Object.keys((await answer.json()).data)).toHaveLength(40)
    const preflight = await fetch(front.graphql, {
      method: 'OPTIONS',
      headers: { origin: 'https://shop.example', 'access-control-request-method': 'PUT' },
    })
    expect(preflight.status).toBe(204)
    expect(preflight.headers.get('access-control-allow-methods')).toContain('PUT')
  })

  describeChromium('in Chromium', (browser) => {
    test.each(VARIANTS)('a native EventSource gets every event at once, with %s', async (_what, edit) => {
      const { front, produce, untilOpen } = await startTwo(nginx, edit)
      const page = await browser.openPage()
      await openSecurePage(page, await startSite())
      const listeners = await eventSources(page, front.graphql, 1)
      await untilOpen(1)
      await expectAtOnce(listeners, produce)
    })

    test('30 subscriptions of one page share one HTTP/2 connection, and each gets every event', async () => {
      const { front, produce, subscribers, untilOpen } = await startTwo(nginx, (config) => config)
      const page = await browser.openPage()
      await openSecurePage(page, await startSite())
      const listeners = await eventSources(page, front.graphql, 30)
      await untilOpen(30)
      await expectAtOnce(listeners, produce)
      expect(subscribers()).toEqual([15, 15])
      await page.close()
      await untilOpen(0)
      await until('Nginx has logged all streams', () => front.accessLog().length === 30)
      const lines = front.accessLog()
      expect(new Set(lines.map(({ protocol }) => protocol))).toEqual(new Set(['HTTP/2.0']))
      expect(new Set(lines.map(({ connection }) => connection)).size).toBe(1)
    })
  })
})
