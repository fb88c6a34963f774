import { expect, test } from 'vitest'
import { startTestGateway } from '../kit/gateway.ts'
import { RawStream } from '../kit/raw-stream.ts'

const NAMES = 'Metrics.Example.com, gateway-1,trailing.example.'
const MISSING = undefined

async function status(adminUrl: string, target: string, host: string | undefined, version = '1.1', method = 'GET') {
  const header = host === undefined ? '' : `host: ${host}\r\n`
  const answer = await RawStream.write(adminUrl, `${method} ${target} HTTP/${version}\r\n${header}\r\n`)
  await answer.untilHead()
  return answer
}

test.each([
  ['127.0.0.1', 200],
  ['127.0.0.1:4001', 200],
  ['10.1.2.3:4001', 200],
  ['[::1]', 200],
  ['[::1]:4001', 200],
  ['[2001:db8::7]:80', 200],
  ['localhost', 200],
  ['LocalHost:4001', 200],
  ['localhost.', 200],
  ['localhost.:4001', 200],
  ['metrics.example.com', 200],
  ['METRICS.example.COM.:9', 200],
  ['gateway-1:4001', 200],
  ['trailing.example', 200],
  ['', 200],
  ['evil.example', 403],
  ['evil.example:4001', 403],
  ['localhost.evil.example', 403],
  ['evil.localhost', 403],
  ['localhost..', 403],
  ['127.0.0.1.evil.example', 403],
  ['127.0.0.1 evil.example', 403],
  ['127.1', 403],
  ['0x7f000001', 403],
  ['[::1', 403],
  ['[::1]evil.example', 403],
  ['[evil.example]', 403],
  ['::1', 403],
  ['localhost:4001:4001', 403],
  ['localhost:x', 403],
  ['user@localhost', 403],
  ['localhost/', 403],
  ['localhost, evil.example', 403],
  ['.', 403],
])('Host: %s on the admin port is answered with %i', async (host, expected) => {
  const gateway = await startTestGateway({ env: { ADMIN_HOSTS: NAMES } })
  for (const path of ['/livez', '/readyz', '/metrics', '/inspect.json']) {
    expect([path, (await status(gateway.adminUrl, path, host)).status]).toEqual([path, expected])
  }
  expect((await status(gateway.adminUrl, '/nothing', host)).status).toBe(expected === 403 ? 403 : 404)
})

test('a refused Host is told in a sentence what is accepted, and gets nothing of the page', async () => {
  const gateway = await startTestGateway()
  const answer = await status(gateway.adminUrl, '/metrics', 'evil.example')
  await answer.untilWhole()
  expect(answer.body).toContain('ADMIN_HOSTS')
  expect(answer.body).not.toContain('sluice_')
})

test('a host in the request target counts before Host', async () => {
  const gateway = await startTestGateway()
  expect((await status(gateway.adminUrl, 'http://evil.example/livez', 'localhost')).status).toBe(403)
  expect((await status(gateway.adminUrl, 'http://localhost/livez?x', 'evil.example')).status).toBe(200)
})

test('HTTP/1.0 without Host is answered, with one as any other', async () => {
  const gateway = await startTestGateway()
  expect((await status(gateway.adminUrl, '/livez', MISSING, '1.0')).status).toBe(200)
  expect((await status(gateway.adminUrl, '/livez', 'evil.example', '1.0')).status).toBe(403)
  // HTTP/1.1 wants one.
  expect((await status(gateway.adminUrl, '/livez', MISSING)).status).toBe(400)
})

test('HEAD gets what GET does, without the body', async () => {
  const gateway = await startTestGateway()
  for (const [host, expected] of [
    ['localhost', 200],
    ['evil.example', 403],
  ] as const) {
    const answer = await status(gateway.adminUrl, '/readyz', host, '1.0', 'HEAD')
    await answer.untilEnd()
    expect([answer.status, answer.body]).toEqual([expected, ''])
  }
})

test('the name that it listens at needs no other setting', async () => {
  const gateway = await startTestGateway({ env: { ADMIN_HOST: 'LOCALHOST' } })
  expect((await fetch(`${gateway.adminUrl}/livez`)).status).toBe(200)
})
