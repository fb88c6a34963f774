import type { IncomingMessage } from 'node:http'
import { expect, test } from 'vitest'
import { asksForEventStream, negotiate, takesPlainText, wantsHtml } from '../../src/protocol/accept.ts'
import { ClientAddresses } from '../../src/server/client-address.ts'
import { readParams } from '../../src/transport/params.ts'
import { startTestGateway } from '../kit/gateway.ts'
import { RawStream } from '../kit/raw-stream.ts'
import { bestMs } from '../kit/yardstick.ts'

/** Node takes 16 KiB of headers. */
const CHARS = 15_000
const ROUNDS = 21

const fill = (unit: string): string => unit.repeat(Math.ceil(CHARS / unit.length)).slice(0, CHARS)

/** How many times as long an act takes as to look at each character of such a header once. */
async function passes(act: (round: number) => unknown): Promise<number> {
  const header = fill('a/b,')
  let sum = 0
  const { acting, looking } = await bestMs(ROUNDS, {
    acting: async (round) => {
      try {
        await act(round)
      } catch {
        // To be refused is cheap as well.
      }
    },
    looking: () => {
      for (let i = 0; i < header.length; i++) sum += header.charCodeAt(i)
    },
  })
  expect(sum).toBeGreaterThan(0)
  return acting / looking
}
/** Some were quadratic, and took a thousand passes. */
const MAX_PASSES = 40

const asking = (headers: Record<string, string>, method = 'GET') => ({ headers, method, socket: {} }) as IncomingMessage

test.each([
  'a/b,',
  '*/*,',
  'a/b;q=0.1,',
  ',',
  'application/json,',
  '"',
  '",',
  'a/b;x="',
  'a/b;a=";,',
  '"\\"',
  ';a=b',
  ';',
  ' ',
])('Accept, 15 KB of %s, costs no more than some passes over it', async (unit) => {
  const accept = fill(unit)
  for (const read of [negotiate, asksForEventStream, takesPlainText, wantsHtml]) {
    // Each time another one, so that none is known from before.
    expect(await passes((i) => read(asking({ accept: `${i}${accept}` })))).toBeLessThan(MAX_PASSES)
  }
})

test.each([';', ' ;', ';charset=utf-8', '; charset=utf-8  ', ' ', '"', ';charset="'])(
  'Content-Type, 15 KB of %s, costs no more than some passes over it',
  async (unit) => {
    const request = asking({ 'content-type': `application/json;${fill(unit)}` }, 'POST')
    const url = new URL('http://gateway/graphql')
    expect(await passes(() => readParams(request, url))).toBeLessThan(MAX_PASSES)
  },
)

test.each(['10.0.0.1', '10.0.0.1:1', '2001:db8::1', '[2001:db8::1]:1', '::ffff:10.0.0.1', '', ' ', '[', ':', ']:1'])(
  'X-Forwarded-For, 15 KB of %s, costs no more than some passes over it',
  async (entry) => {
    const addresses = new ClientAddresses(['10.0.0.0/8', '2001:db8::/32'])
    const list = Array.from({ length: CHARS / (entry.length + 1) }, () => entry).join(',')
    const request = { socket: { remoteAddress: '10.0.0.1' }, headers: { 'x-forwarded-for': list } }
    expect(await passes(() => addresses.of(request as unknown as IncomingMessage))).toBeLessThan(MAX_PASSES)
  },
)

test('an Accept of more than 500 characters is refused with 406, for every kind of request', async () => {
  const gateway = await startTestGateway()
  const long = `${'a/b, '.repeat(100)}*/*`
  const short = `${'a/b, '.repeat(99)}*/*`
  const query = { query: '{ __typename }' }
  for (const request of [
    { method: 'POST', body: query },
    { method: 'GET', search: '?query={__typename}' },
    { method: 'PUT' },
  ]) {
    const refused = await RawStream.answer(gateway.graphql, { ...request, headers: { accept: long } })
    expect(refused.status).toBe(406)
    expect(refused.json.errors).toEqual([
      { message: 'The Accept header has more than 500 characters', extensions: { code: 'NOT_ACCEPTABLE' } },
    ])
    const taken = await RawStream.answer(gateway.graphql, { ...request, headers: { accept: short } })
    expect(taken.status).toBeLessThan(300)
  }
})

test('a Content-Type of more than 500 characters is refused with 415', async () => {
  const gateway = await startTestGateway()
  const headers = { 'content-type': `application/json;a=${'b'.repeat(500)}` }
  const answer = await RawStream.answer(gateway.graphql, { method: 'POST', headers, body: { query: '{ __typename }' } })
  expect([answer.status, answer.json.errors[0].extensions.code]).toEqual([415, 'UNSUPPORTED_MEDIA_TYPE'])
})

test('of X-Forwarded-For the last 16 entries are read', () => {
  const addresses = new ClientAddresses(['10.0.0.0/8'])
  const clientOf = (hops: number) => {
    const list = ['192.0.2.1', ...Array.from({ length: hops }, (_, i) => `10.0.0.${i + 2}`)].join(', ')
    const request = { socket: { remoteAddress: '10.0.0.1' }, headers: { 'x-forwarded-for': list } }
    return addresses.of(request as unknown as IncomingMessage)
  }
  expect([clientOf(15), clientOf(16)]).toEqual(['192.0.2.1', '10.0.0.2'])
})
