import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { connect } from 'node:http2'
import { setTimeout as delay } from 'node:timers/promises'
import { createGunzip } from 'node:zlib'
import { createClient } from 'graphql-sse'
import type { Page } from 'playwright-core'
import { onTestFinished } from 'vitest'

const QUERY = 'subscription { ordersByRegion(region: EUROPE) { id } }'
const ID = /"ordersByRegion":\{"id":"([^"]+)"\}/g

/** A client with a stream of Europe's orders, until the test ends. */
export interface Listener {
  /** The orders that came, in the order in which they did. */
  received(): string[] | Promise<string[]>
  /** The stream's headers, where this client shows them. */
  readonly headers?: Record<string, unknown>
}

const idsOf = (text: string): string[] => [...text.matchAll(ID)].map(([, id]) => id as string)

/** Its own waits grow to many seconds. */
const RETRY_MS = 50

/** The official client: Node's fetch, which speaks HTTP/1.1. */
export function officialClient(url: string): Listener {
  const client = createClient({ url, retryAttempts: Number.POSITIVE_INFINITY, retry: () => delay(RETRY_MS) })
  onTestFinished(() => client.dispose())
  const received: string[] = []
  client.subscribe<{ ordersByRegion: { id: string } }>(
    { query: QUERY },
    { next: ({ data }) => data && received.push(data.ordersByRegion.id), error: () => {}, complete: () => {} },
  )
  return { received: () => received }
}

/** Bare HTTP/2, with compression where the server does it. */
export function http2Client(url: string, certificate: string): Listener {
  const { origin, pathname } = new URL(url)
  const session = connect(origin, { ca: readFileSync(certificate) })
  onTestFinished(() => session.destroy())
  const request = session.request({
    ':method': 'POST',
    ':path': pathname,
    accept: 'text/event-stream',
    'content-type': 'application/json',
    'accept-encoding': 'gzip',
  })
  const headers: Record<string, unknown> = {}
  const gunzip = createGunzip()
  let text = ''
  const take = (data: Buffer) => {
    text += data
  }
  request.on('response', (head) => {
    Object.assign(headers, head)
    if (head['content-encoding'] === 'gzip') request.pipe(gunzip).on('data', take)
    else request.on('data', take)
  })
  for (const emitter of [session, request, gunzip]) emitter.on('error', () => {}) // the test sees what did not come
  request.end(JSON.stringify({ query: QUERY }))
  return { headers, received: () => idsOf(text) }
}

export function curl(url: string, certificate: string): Listener {
  const headers = ['--header', 'accept: text/event-stream', '--header', 'content-type: application/json']
  const data = JSON.stringify({ query: QUERY })
  const options = ['--silent', '--no-buffer', '--http2', '--compressed', '--cacert', certificate]
  const child = spawn('curl', [...options, ...headers, '--data', data, url], { stdio: ['ignore', 'pipe', 'inherit'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  let text = ''
  child.stdout.on('data', (chunk) => {
    text += chunk
  })
  return { received: () => idsOf(text) }
}

/** A page that takes our certificate, at the URL of a site. */
export async function openSecurePage(page: Page, site: string): Promise<void> {
  const session = await page.context().newCDPSession(page)
  await session.send('Security.setIgnoreCertificateErrors', { ignore: true })
  await page.goto(site)
}

/** As many native EventSources in a page, each a listener. */
export async function eventSources(page: Page, url: string, count: number): Promise<Listener[]> {
  const address = `${url}?${new URLSearchParams({ query: QUERY })}`
  await page.evaluate(
    ([target, wanted]) => {
      const heard: string[][] = []
      for (let i = 0; i < wanted; i++) {
        const ids: string[] = []
        heard.push(ids)
        const source = new EventSource(target)
        source.addEventListener('next', ({ data }) => ids.push(JSON.parse(data).data.ordersByRegion.id))
      }
      Object.assign(globalThis, { heard })
    },
    [address, count] as const,
  )
  return Array.from({ length: count }, (_each, i) => ({
    received: () => page.evaluate((index) => (globalThis as unknown as { heard: string[][] }).heard[index]!, i),
  }))
}
