import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import { type Credentials, credentialsOf } from '../../../src/admission/authentication/credentials.ts'
import { SluiceError } from '../../../src/errors/codes.ts'
import { anEntry } from '../../kit/admission.ts'
import { Statistics } from '../../kit/statistics.ts'

const COOKIE = 'session'

/** An entry as Node makes one of these headers, of which it drops and joins repeated ones. */
function entryWith(sent: readonly (readonly [string, string])[], search = '', method = 'GET') {
  const headers: Record<string, string> = {}
  for (const [name, value] of sent) {
    const key = name.toLowerCase()
    if (headers[key] === undefined) headers[key] = value
    else if (key === 'cookie') headers[key] += `; ${value}`
    else if (key !== 'authorization') headers[key] += `, ${value}`
  }
  return anEntry({ method, headers, rawHeaders: sent.flat(), query: new URLSearchParams(search) })
}

function read(...args: Parameters<typeof entryWith>): Credentials | string {
  try {
    return credentialsOf(entryWith(...args), COOKIE)
  } catch (error) {
    if (!(error instanceof SluiceError) || error.code !== 'UNAUTHENTICATED') throw error
    return error.message
  }
}

describe('credentials are read', () => {
  test.each<[string, Parameters<typeof entryWith>, Credentials]>([
    ['none', [[['Accept', '*/*']]], { kind: 'none' }],
    [
      'a token',
      [[['Authorization', 'Bearer a.b-c_d~e+f/g=']]],
      { kind: 'token', token: 'a.b-c_d~e+f/g=', via: 'header' },
    ],
    [
      'a token with another case and spaces',
      [[['AUTHORIZATION', 'bEARER   a.b.c']]],
      { kind: 'token', token: 'a.b.c', via: 'header' },
    ],
    ['an API key', [[['X-API-Key', 'k_1/+=~']]], { kind: 'key', key: 'k_1/+=~' }],
    [
      'a cookie among others',
      [[['Cookie', 'a=1; session=a.b.c; xsession=q']]],
      { kind: 'token', token: 'a.b.c', via: 'cookie' },
    ],
    ['cookies without the token', [[['Cookie', 'a=1; xsession=q; session2=1']]], { kind: 'none' }],
    [
      'cookies in several headers',
      [
        [
          ['Cookie', 'a=1'],
          ['Cookie', 'session=a.b.c'],
        ],
      ],
      { kind: 'token', token: 'a.b.c', via: 'cookie' },
    ],
    ['a ticket', [[], '?ticket=a..b.c.d'], { kind: 'ticket', ticket: 'a..b.c.d' }],
  ])('%s', (_what, args, credentials) => {
    expect(read(...args)).toEqual(credentials)
  })
})

describe('a request is refused with a sentence', () => {
  test.each<[string, Parameters<typeof entryWith>, RegExp]>([
    ['for another scheme', [[['Authorization', 'Basic dTpw']]], /not "Bearer"/],
    ['for a scheme alone', [[['Authorization', 'Bearer']]], /not "Bearer"/],
    ['for an empty header', [[['Authorization', '']]], /not "Bearer"/],
    ['for a token with a space', [[['Authorization', 'Bearer a b']]], /not "Bearer"/],
    ['for two tokens in one header', [[['Authorization', 'Bearer a, Bearer b']]], /not "Bearer"/],
    [
      'for the header twice',
      [
        [
          ['Authorization', 'Bearer a'],
          ['authorization', 'Bearer a'],
        ],
      ],
      /authorization was sent 2 times/,
    ],
    [
      'for a key twice',
      [
        [
          ['X-API-Key', 'a'],
          ['x-api-key', 'b'],
        ],
      ],
      /x-api-key was sent 2 times/,
    ],
    ['for an empty key', [[['X-API-Key', '']]], /API key is malformed/],
    ['for a key that is too long', [[['X-API-Key', 'k'.repeat(257)]]], /more than 256/],
    ['for a token that is too long', [[['Authorization', `Bearer ${'t'.repeat(8193)}`]]], /more than 8192/],
    ['for a cookie that is too long', [[['Cookie', `session=${'t'.repeat(8193)}`]]], /more than 8192/],
    ['for two cookies of that name', [[['Cookie', 'session=a; session=b']]], /several cookies/],
    ['for an empty cookie', [[['Cookie', 'session=']]], /malformed/],
    ['for a cookie that is no token', [[['Cookie', 'session=a%20b']]], /malformed/],
    [
      'for a token and a key',
      [
        [
          ['Authorization', 'Bearer a'],
          ['X-API-Key', 'b'],
        ],
      ],
      /two kinds/,
    ],
    [
      'for a token and a cookie',
      [
        [
          ['Authorization', 'Bearer a'],
          ['Cookie', 'session=a'],
        ],
      ],
      /two kinds/,
    ],
    [
      'for a key and a cookie',
      [
        [
          ['X-API-Key', 'a'],
          ['Cookie', 'session=a'],
        ],
      ],
      /two kinds/,
    ],
    ['for a ticket and a token', [[['Authorization', 'Bearer a']], '?ticket=a.b'], /two kinds/],
    ['for a ticket and a key', [[['X-API-Key', 'a']], '?ticket=a.b'], /two kinds/],
    ['for a ticket and a cookie', [[['Cookie', 'session=a']], '?ticket=a.b'], /two kinds/],
    ['for two tickets', [[], '?ticket=a&ticket=a'], /several tickets/],
    ['for an empty ticket', [[], '?ticket='], /malformed/],
    ['for a ticket that is too long', [[], `?ticket=${'t'.repeat(12_289)}`], /more than 12288/],
    ['for a ticket by POST', [[], '?ticket=a.b', 'POST'], /opened by GET/],
    ['for a ticket and a stream token', [[], '?ticket=a.b&token=c'], /not for a stream of several/],
    [
      'for a ticket and a stream token in its header',
      [[['X-GraphQL-Event-Stream-Token', 'c']], '?ticket=a'],
      /not for a stream/,
    ],
  ])('%s', (_what, args, sentence) => {
    expect(read(...args)).toMatch(sentence)
  })
})

describe('whatever a request has', () => {
  const statistics = new Statistics('credentials', ['none', 'token', 'key', 'ticket', 'refused', 'two kinds'])
  afterAll(() => statistics.report())

  const value = fc.oneof(
    fc.string({ maxLength: 20 }),
    fc.base64String({ maxLength: 40 }),
    fc.constantFrom(
      '',
      'Bearer a.b.c',
      'bearer x',
      'Basic YTpi',
      'k1',
      'session=a.b.c',
      'session=',
      'a=1',
      'session=a; session=b',
    ),
  )
  const header = fc.tuple(
    fc.constantFrom('Authorization', 'authorization', 'X-API-Key', 'x-api-key', 'Cookie', 'Accept', 'Last-Event-ID'),
    value,
  )
  const search = fc.constantFrom('', '', '', '?ticket=a.b', '?ticket=', '?ticket=a&ticket=b', '?token=x', '?query={a}')

  test('it has one kind of credentials, or none, or is refused; and none only where it sends none', () => {
    fc.assert(
      fc.property(fc.array(header, { maxLength: 4 }), search, fc.constantFrom('GET', 'POST'), (sent, query, method) => {
        const result = read(sent, query, method)
        const kinds = new Set(sent.map(([name]) => name.toLowerCase()))
        const hasCookie = sent.some(([name, text]) => name === 'Cookie' && /(^|;)\s*session\s*=/.test(text))
        const ways = [kinds.has('authorization'), kinds.has('x-api-key'), hasCookie, query.includes('ticket=')]
        const count = ways.filter(Boolean).length
        if (typeof result === 'string') {
          statistics.count('refused')
          if (count > 1) statistics.count('two kinds')
          expect(count).toBeGreaterThan(0)
          return
        }
        statistics.count(result.kind)
        expect(count).toBe(result.kind === 'none' ? 0 : 1)
      }),
      { numRuns: 3000 },
    )
  })
})
