import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { describe, expect, onTestFinished, test } from 'vitest'
import { readConfig } from '../../../src/config.ts'
import { startGateway } from '../../../src/gateway.ts'
import { ordersGateway } from '../../../src/orders-gateway.ts'
import { createEmbeddedLog } from '../../../src/streams/source/embedded/embedded.ts'
import { silentLog } from '../../kit/log-lines.ts'

const SCRIPT = `console.log('${'hello '.repeat(1_000)}')`

/** A folder with a built page, beside a file that is not to be had. */
function builtPage(): string {
  const root = mkdtempSync(join(tmpdir(), 'sluice-pages-'))
  onTestFinished(() => rmSync(root, { recursive: true }))
  writeFileSync(join(root, 'secret.txt'), 'secret')
  const folder = join(root, 'dist')
  mkdirSync(join(folder, 'assets'), { recursive: true })
  writeFileSync(join(folder, 'index.html'), '<!doctype html><title>The map</title>')
  writeFileSync(join(folder, 'assets/index-a1B2_c3D.js'), SCRIPT)
  writeFileSync(join(folder, 'assets/index-a1B2_c3D.js.map'), '{}')
  writeFileSync(join(folder, 'assets/world.json'), '{}')
  return folder
}

async function startWith({ pages, env = {} }: { pages?: string; env?: Record<string, string> } = {}): Promise<string> {
  const embedded = createEmbeddedLog()
  for (const topic of ['orders', 'region-sales']) embedded.createTopic(topic, 1)
  const config = readConfig({ PORT: '0', ADMIN_PORT: '0', DEMO_RATE: '0', ...env })
  const gateway = await startGateway({ ...ordersGateway, config, log: silentLog, embedded, pages })
  onTestFinished(() => gateway.close())
  return gateway.url
}

/** Status, headers and body of a request as it is written: `fetch` would tidy the path up. */
async function raw(url: string, head: string): Promise<string> {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  socket.write(`${head}\r\nhost: x\r\nconnection: close\r\n\r\n`)
  return await text(socket)
}

describe('a built page', () => {
  test('is served at /, and its files beneath, each as what it is', async () => {
    const url = await startWith({ pages: builtPage() })
    const page = await fetch(url)
    expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8'])
    expect(await page.text()).toContain('The map')
    expect(page.headers.get('content-security-policy')).toContain("script-src 'self';")
    expect(page.headers.get('content-security-policy')).not.toContain('unsafe')
    expect(page.headers.get('cache-control')).toBe('no-cache')
    const script = await fetch(`${url}/assets/index-a1B2_c3D.js`)
    expect(script.headers.get('content-type')).toBe('text/javascript; charset=utf-8')
    expect(script.headers.get('cache-control')).toBe('public, max-age=31536000, immutable')
    expect(script.headers.get('x-content-type-options')).toBe('nosniff')
    expect(await script.text()).toBe(SCRIPT)
    const data = await fetch(`${url}/assets/world.json`)
    expect(data.headers.get('cache-control')).toBe('no-cache')
  })

  test('is compressed for those who take it, and plain for the others', async () => {
    const url = await startWith({ pages: builtPage() })
    const gzipped = await raw(url, 'GET /assets/index-a1B2_c3D.js HTTP/1.1\r\naccept-encoding: gzip')
    expect(gzipped).toMatch(/content-encoding: gzip/i)
    expect(gzipped).toMatch(/vary: accept-encoding/i)
    const plain = await raw(url, 'GET /assets/index-a1B2_c3D.js HTTP/1.1')
    expect(plain).not.toMatch(/content-encoding/i)
    expect(plain).toMatch(/vary: accept-encoding/i)
    const response = await fetch(`${url}/assets/index-a1B2_c3D.js`, { headers: { 'accept-encoding': 'gzip' } })
    expect(await response.text()).toBe(SCRIPT)
  })

  test('that has not changed is answered with 304, whose policy is that of the page', async () => {
    const url = await startWith({ pages: builtPage() })
    const first = await fetch(url)
    const etag = String(first.headers.get('etag'))
    for (const sent of [etag, `"other", ${etag}`, etag.slice(2), '*']) {
      const again = await raw(url, `GET / HTTP/1.1\r\nif-none-match: ${sent}`)
      expect(again).toMatch(/^HTTP\/1.1 304/)
      expect(again.toLowerCase()).toContain(`content-security-policy: ${first.headers.get('content-security-policy')}`)
      expect(again.split('\r\n\r\n')[1]).toBe('')
    }
    expect(await raw(url, 'GET / HTTP/1.1\r\nif-none-match: "other"')).toMatch(/^HTTP\/1.1 200/)
  })

  test('is told of by HEAD, and takes nothing else', async () => {
    const url = await startWith({ pages: builtPage() })
    const head = await raw(url, 'HEAD / HTTP/1.1')
    expect(head).toMatch(/^HTTP\/1.1 200/)
    expect(head).toMatch(/content-length: 37/i)
    expect(head.split('\r\n\r\n')[1]).toBe('')
    const post = await fetch(url, { method: 'POST', body: '{}' })
    expect([post.status, post.headers.get('allow')]).toEqual([405, 'GET, HEAD'])
  })

  test.each([
    '/../secret.txt',
    '/..%2fsecret.txt',
    '/%2e%2e/secret.txt',
    '/assets/../../secret.txt',
    '/assets/..%5c..%5csecret.txt',
    '//secret.txt',
    '/assets/',
    '/assets',
    '/assets/index-a1B2_c3D.js.map',
    '/assets/index-a1B2_c3D.js%00.html',
    '/index.html/',
    '/graphiql/../secret.txt',
    '/graphiql/../../../package.json',
    '/__proto__',
    '/toString',
  ])('%s leads nowhere', async (path) => {
    const url = await startWith({ pages: builtPage() })
    const answer = await raw(url, `GET ${path} HTTP/1.1`)
    expect(answer).toMatch(/^HTTP\/1.1 404/)
    expect(answer).toContain('NOT_FOUND')
  })
})

describe('without a page', () => {
  test('/ says how to build one that is not built', async () => {
    const url = await startWith({ pages: join(tmpdir(), 'sluice-no-such-folder') })
    const response = await fetch(url)
    expect(response.status).toBe(404)
    expect(await response.text()).toContain('npm run build')
    const other = await fetch(`${url}/other`)
    expect(await other.text()).toContain('GraphQL is at /graphql')
  })

  test.each([
    ['none is given', {}],
    ['LIVE_MAP is false', { LIVE_MAP: 'false' }],
    ['it is production', { NODE_ENV: 'production', ANONYMOUS: 'true', DEMO_RATE: '1' }],
  ])('/ is a path like others, where %s', async (name, env) => {
    const url = await startWith({ env, ...(name !== 'none is given' && { pages: builtPage() }) })
    const response = await fetch(url)
    expect([response.status, await response.text()]).toEqual([404, expect.stringContaining('GraphQL is at /graphql')])
  })
})
