import { brotliCompressSync, constants, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { contentCodings, decoded } from '../../src/protocol/request-coding.ts'
import { startTestGateway } from '../kit/gateway.ts'
import { RawStream } from '../kit/raw-stream.ts'
import { Statistics } from '../kit/statistics.ts'

const KIB = 1024
const MAX = 256 * KIB
const OK = Buffer.from(JSON.stringify({ query: '{ __typename }' }))

const ENCODERS: Record<string, (bytes: Buffer) => Buffer> = {
  gzip: (bytes) => gzipSync(bytes),
  'x-gzip': (bytes) => gzipSync(bytes),
  deflate: (bytes) => deflateSync(bytes),
  'deflate, raw': (bytes) => deflateRawSync(bytes),
  br: (bytes) => brotliCompressSync(bytes),
}
const nameOf = (encoder: string) => encoder.split(',')[0] as string

function thrownBy(act: () => unknown): unknown {
  try {
    return act()
  } catch (error) {
    return error
  }
}

/** A POST with a body of these bytes. */
async function post(url: string, coding: string, bytes: Buffer, headers: Record<string, string> = {}) {
  const all: Record<string, string> = {
    host: new URL(url).host,
    'content-type': 'application/json',
    'content-length': `${bytes.length}`,
    'content-encoding': coding,
    ...headers,
  }
  const head = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`)
  const { pathname } = new URL(url)
  const request = Buffer.concat([Buffer.from(`POST ${pathname} HTTP/1.1\r\n${head.join('')}\r\n`), bytes])
  const answer = await RawStream.write(url, request)
  await answer.untilWhole()
  return answer
}

test.each([
  ['gzip', gzipSync(OK)],
  ['GZIP', gzipSync(OK)],
  ['x-gzip', gzipSync(OK)],
  ['deflate', deflateSync(OK)],
  ['deflate', deflateRawSync(OK)],
  ['br', brotliCompressSync(OK)],
  ['identity', OK],
  ['', OK],
  ['identity, gzip,', gzipSync(OK)],
  ['deflate, gzip', gzipSync(deflateSync(OK))],
])('a body in %s is read', async (coding, bytes) => {
  const gateway = await startTestGateway()
  const answer = await post(gateway.graphql, coding, bytes)
  expect([answer.status, answer.json]).toEqual([200, { data: { __typename: 'Query' } }])
})

test.each([
  ['zstd', zstdCompressSync(OK), '"zstd"'],
  ['compress', OK, '"compress"'],
  ['__proto__', OK, '"__proto__"'],
  ['gzip;q=1', gzipSync(OK), '"gzip;q=1"'],
  ['gzip, nonsense', OK, '"nonsense"'],
  ['gzip, gzip, gzip', gzipSync(gzipSync(gzipSync(OK))), 'more than 2'],
  ['x'.repeat(8_000), OK, `"${'x'.repeat(40)}"`],
])('a body in %s is refused by name, with 415 and what is taken', async (coding, bytes, named) => {
  const gateway = await startTestGateway()
  const answer = await post(gateway.graphql, coding, bytes)
  expect([answer.status, answer.headers['accept-encoding']]).toEqual([415, 'gzip, deflate, br'])
  const [error] = answer.json.errors
  expect(error.extensions.code).toBe('UNSUPPORTED_MEDIA_TYPE')
  expect(error.message).toContain(named)
  expect(error.message.length).toBeLessThan(200)
})

test('another 415 does not say which codings are taken', async () => {
  const gateway = await startTestGateway()
  const answer = await post(gateway.graphql, 'gzip', gzipSync(OK), { 'content-type': 'text/plain' })
  expect([answer.status, answer.headers['accept-encoding']]).toEqual([415, undefined])
})

test.each([
  ['is cut off', 'gzip', gzipSync(OK).subarray(0, -9)],
  ['is no gzip', 'gzip', OK],
  ['is empty', 'gzip', Buffer.alloc(0)],
  ['has a wrong checksum', 'gzip', Buffer.concat([gzipSync(OK).subarray(0, -8), Buffer.alloc(8)])],
  ['is cut off', 'br', brotliCompressSync(OK).subarray(0, -3)],
  ['is no deflate', 'deflate', Buffer.from('x9 is not it')],
])('a body that %s is a 400 that names %s', async (_what, coding, bytes) => {
  const gateway = await startTestGateway()
  const answer = await post(gateway.graphql, coding, bytes)
  expect([answer.status, answer.json.errors[0].extensions.code]).toEqual([400, 'BAD_REQUEST'])
  expect(answer.json.errors[0].message).toContain(`"${coding}"`)
})

test.each([
  ['gzip', gzipSync(Buffer.alloc(64 * KIB * KIB, ' '))],
  ['deflate', deflateSync(Buffer.alloc(64 * KIB * KIB, ' '))],
  ['br', brotliCompressSync(Buffer.alloc(64 * KIB * KIB, ' '), { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } })],
  ['gzip, gzip', gzipSync(gzipSync(Buffer.alloc(64 * KIB * KIB, ' ')))],
  // More than its limit before it is decoded.
  ['gzip', Buffer.alloc(MAX + 1)],
])('a bomb in %s is a 413, and is not decoded', async (coding, bytes) => {
  const gateway = await startTestGateway()
  const answer = await post(gateway.graphql, coding, bytes)
  expect([answer.status, answer.json.errors[0].extensions.code]).toEqual([413, 'BODY_TOO_LARGE'])
})

test('decoding a bomb takes no memory for what it would be', () => {
  const bomb = gzipSync(Buffer.alloc(64 * KIB * KIB))
  const used = () => process.memoryUsage().arrayBuffers
  const before = used()
  let most = 0
  for (let n = 0; n < 20; n++) {
    expect(thrownBy(() => decoded(bomb, ['gzip'], MAX))).toMatchObject({ code: 'BODY_TOO_LARGE' })
    most = Math.max(most, used() - before)
  }
  // Twenty times the limit and a piece beyond it, if nothing was collected meanwhile.
  expect(most).toBeLessThan(20 * 2 * MAX)
})

test('a body is what it was, in any codings: up to the limit, and not beyond', () => {
  const statistics = new Statistics('Bodies', ['one coding', 'two codings', 'at the limit', 'beyond the limit'])
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array)),
    fc.constantFrom(...[-1, 0, 1].map((more) => Buffer.alloc(2_000 + more, 'x'))),
  )
  const codings = fc.array(fc.constantFrom(...Object.keys(ENCODERS)), { minLength: 1, maxLength: 2 })
  fc.assert(
    fc.property(bytes, codings, (body, encoders) => {
      const header = encoders.map(nameOf).join(',')
      const coded = encoders.reduce<Buffer>(
        (each, encoder) => (ENCODERS[encoder] as (of: Buffer) => Buffer)(each),
        body,
      )
      statistics.count(encoders.length === 1 ? 'one coding' : 'two codings')
      statistics.count('at the limit', Number(body.length === 2_000))
      const read = () => decoded(coded, contentCodings(header), 2_000)
      if (body.length > 2_000) {
        statistics.count('beyond the limit')
        expect(thrownBy(read)).toMatchObject({ code: 'BODY_TOO_LARGE' })
      } else expect(read().equals(body)).toBe(true)
    }),
    { numRuns: 500 },
  )
  statistics.report()
})

test('any bytes in any coding are read, or refused with a code', () => {
  const coding = fc.constantFrom('gzip', 'deflate', 'br')
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), coding, (bytes, name) => {
      try {
        decoded(Buffer.from(bytes), [name], MAX)
      } catch (error) {
        expect(['BAD_REQUEST', 'BODY_TOO_LARGE']).toContain((error as { code?: string }).code)
      }
    }),
    { numRuns: 1_000 },
  )
})

test('tickets and decisions are read in a coding too', async () => {
  const gateway = await startTestGateway({ env: { TICKET_SECRET: 'a-secret-of-thirty-two-characters!' } })
  const operation = Buffer.from(JSON.stringify({ query: 'subscription { orders { id } }' }))
  expect((await post(`${gateway.url}/ticket`, 'gzip', gzipSync(operation))).status).toBe(201)
  const decision = Buffer.from(JSON.stringify({ principal: 'mallory' }))
  expect((await post(`${gateway.adminUrl}/revoke`, 'br', brotliCompressSync(decision))).status).toBe(200)
  const bomb = await post(`${gateway.adminUrl}/revoke`, 'gzip', gzipSync(Buffer.alloc(32 * KIB, ' ')))
  expect(bomb.status).toBe(413)
})

test.each([
  ['application/json; charset="utf-8"; profile="a;b, charset=latin1"', 200],
  ['Application/JSON;CHARSET=UTF8', 200],
  ["application/json; charset='utf-8'", 200],
  ['application/json;charset=', 200],
  ['application/json; charset = utf-8 ;', 200],
  ['application/json; version=1', 200],
  ['application/json; charset=latin1', 415],
  ['application/json; charset="utf-16"', 415],
  ['application/json; charset=utf-8; charset=latin1', 415],
  ['application/json, application/json', 415],
  ['text/json', 415],
  ['', 415],
])('a body of the type %s: %i', async (type, status) => {
  const gateway = await startTestGateway()
  const answer = await RawStream.answer(gateway.graphql, {
    method: 'POST',
    headers: { 'content-type': type },
    body: OK.toString(),
  })
  expect(answer.status).toBe(status)
  const [, charset] = /charset="?(latin1|utf-16)/.exec(type) ?? []
  if (status === 415 && charset) expect(answer.json.errors[0].message).toContain(`"${charset}"`)
})
