import { describe, expect, test } from 'vitest'
import { startTestGateway, type TestGateway } from '../kit/gateway.ts'
import { recordedLog } from '../kit/log-lines.ts'
import { RawStream } from '../kit/raw-stream.ts'

const JSON_BODY = { 'content-type': 'application/json' }

async function post(gateway: TestGateway, path: string, body: unknown, headers: Record<string, string> = JSON_BODY) {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  const response = await fetch(`${gateway.adminUrl}${path}`, { method: 'POST', headers, body: text })
  return { status: response.status, text: await response.text() }
}

async function inspected(gateway: TestGateway): Promise<unknown> {
  return ((await (await fetch(`${gateway.adminUrl}/inspect.json`)).json()) as { control: unknown }).control
}

test('what is revoked and blocked is to be seen, with when, until when and why, and is gone when it is undone', async () => {
  const { log, lines } = recordedLog()
  const gateway = await startTestGateway({ log })
  const until = new Date(Date.now() + 60_000).toISOString()
  await post(gateway, '/revoke', { principal: 'acme', reason: 'unpaid' })
  await post(gateway, '/revoke', { jti: 'j1', until })
  await post(gateway, '/block', { operation: 'Heavy' })
  const at = expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/)
  expect(await inspected(gateway)).toEqual({
    known: true,
    count: 3,
    latest: expect.arrayContaining([
      { kind: 'principal', value: 'acme', at, reason: 'unpaid' },
      { kind: 'token', value: 'j1', at, until },
      { kind: 'operation', value: 'Heavy', at },
    ]),
  })
  const said = lines.filter(({ msg }) => ['Revoked', 'Blocked'].includes(msg))
  expect(said).toMatchObject([
    { principal: 'acme', reason: 'unpaid', streams: 0 },
    { jti: 'j1' },
    { operation: 'Heavy' },
  ])
  for (const body of [{ principal: 'acme' }, { jti: 'j1' }])
    expect(await post(gateway, '/revoke', { ...body, undo: true })).toMatchObject({ status: 200 })
  await post(gateway, '/block', { operation: 'Heavy', undo: true })
  expect(await inspected(gateway)).toEqual({ known: true, count: 0, latest: [] })
  expect(await gateway.metric('sluice_control_ready')).toBe(1)
})

describe('a decision is refused with a sentence', () => {
  const past = '2020-01-01T00:00:00Z'
  const notBoth = 'The body has exactly one of "principal", "key", "jti"'
  test.each<[string, string, unknown, number, string]>([
    ['without what is revoked', '/revoke', {}, 400, notBoth],
    ['about two at once', '/revoke', { principal: 'a', key: 'b' }, 400, notBoth],
    ['to block what is revoked', '/block', { principal: 'a' }, 400, 'Unrecognized key: "principal"'],
    ['to block nothing', '/block', {}, 400, 'The body has exactly one of "operation"'],
    ['with a property that is not known', '/revoke', { principal: 'a', untli: past }, 400, 'Unrecognized key: "untli"'],
    ['of a number', '/revoke', { principal: 7 }, 400, 'expected string'],
    ['of an empty name', '/revoke', { principal: '' }, 400, '"principal": '],
    ['of a name that is too long', '/revoke', { principal: 'x'.repeat(1_025) }, 400, '"principal": '],
    ['with a reason that is too long', '/revoke', { key: 'x', reason: 'x'.repeat(501) }, 400, '"reason": '],
    ['until a time that is none', '/revoke', { key: 'x', until: 'tomorrow' }, 400, '"until": '],
    ['until a time without a zone', '/revoke', { key: 'x', until: '2030-01-01T00:00:00' }, 400, '"until": '],
    ['until a time in the past', '/revoke', { key: 'x', until: past }, 400, '"until" is in the past'],
    ['that undoes until a time', '/revoke', { key: 'x', until: past, undo: true }, 400, '"undo" takes neither'],
    ['of clients without credentials', '/revoke', { principal: 'anonymous' }, 400, 'ANONYMOUS=false'],
    ['of a list', '/revoke', [], 400, 'expected object'],
    ['of null', '/revoke', null, 400, 'expected object'],
    ['that is not JSON', '/revoke', '{', 400, 'JSON'],
    ['of 16 KiB and more', '/revoke', { principal: 'x'.repeat(16 * 1024) }, 413, 'more than 16384 bytes'],
  ])('%s', async (_what, path, body, status, sentence) => {
    const gateway = await startTestGateway()
    const answer = await post(gateway, path, body)
    expect(answer).toEqual({ status, text: expect.stringContaining(sentence) })
    expect(await inspected(gateway)).toMatchObject({ count: 0 })
  })

  test('by another method than POST, which is said', async () => {
    const gateway = await startTestGateway()
    for (const method of ['GET', 'PUT', 'DELETE', 'OPTIONS']) {
      const response = await fetch(`${gateway.adminUrl}/revoke`, { method })
      expect([response.status, response.headers.get('allow')]).toEqual([405, 'POST'])
      expect([...response.headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([])
    }
  })
})

describe('a web page cannot have an operator’s browser decide', () => {
  const body = { principal: 'acme' }

  test('by a form: its body is not JSON', async () => {
    const gateway = await startTestGateway()
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x'])
      expect((await post(gateway, '/revoke', body, { 'content-type': type })).status).toBe(415)
    expect(await inspected(gateway)).toMatchObject({ count: 0 })
  })

  test('by a script: its request has an Origin, also that of the admin port itself', async () => {
    const gateway = await startTestGateway()
    for (const origin of ['https://evil.example', 'null', gateway.adminUrl])
      expect((await post(gateway, '/revoke', body, { ...JSON_BODY, origin })).status).toBe(403)
    expect(await inspected(gateway)).toMatchObject({ count: 0 })
  })

  test('by a name that it has resolve to this machine', async () => {
    const gateway = await startTestGateway()
    const answer = await RawStream.answer(gateway.adminUrl, {
      method: 'POST',
      search: '',
      headers: { ...JSON_BODY, host: 'evil.example' },
      body,
    })
    expect(answer.status).toBe(403)
    expect(await inspected(gateway)).toMatchObject({ count: 0 })
  })
})

test('a body that does not come is not waited for longer than any request', async () => {
  const gateway = await startTestGateway({
    timeouts: {
      headersTimeout: 300,
      requestTimeout: 400,
      keepAliveTimeout: 300,
      connectionsCheckingInterval: 50,
    } as never,
  })
  const head =
    'POST /revoke HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 20\r\n\r\n{'
  const answer = await RawStream.write(gateway.adminUrl, head)
  await answer.untilEnd()
  expect(answer.status).toBe(408)
})
