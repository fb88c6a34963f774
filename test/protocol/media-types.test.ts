import type { IncomingMessage } from 'node:http'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { asksForEventStream, errorTypeOf, negotiate, takesPlainText, wantsHtml } from '../../src/protocol/accept.ts'
import { mediaRanges, withoutParameters } from '../../src/protocol/media-type.ts'
import { Statistics } from '../kit/statistics.ts'

const asking = (accept: string | undefined, method = 'GET') => ({ method, headers: { accept } }) as IncomingMessage

/** All that is decided by a header. */
const decided = (accept: string | undefined) => {
  const request = asking(accept)
  return [
    negotiate(request),
    asksForEventStream(request),
    takesPlainText(request),
    wantsHtml(request),
    errorTypeOf(request),
  ]
}

const TYPES = [
  'application/json',
  'application/graphql-response+json',
  'text/event-stream',
  'text/plain',
  'text/html',
  'text/*',
  'application/*',
  '*/*',
  'image/png',
]
const range = fc.record({
  type: fc.constantFrom(...TYPES),
  q: fc.option(fc.constantFrom('0', '0.1', '0.5', '0.9', '1', '1.000'), { nil: undefined }),
})
/** Values that look like what surrounds them. */
const parameter = fc.tuple(
  fc.constantFrom('charset', 'Charset', 'level', 'boundary', 'x', 'qq'),
  fc.constantFrom('utf-8', '"utf-8"', '1', '"a,b"', '"a;q=0,text/html"', String.raw`"\"\\,;"`, '"text/event-stream"'),
)
const space = fc.constantFrom('', ' ', '\t', '  ')

test('no parameter but q decides anything, however it is spelled', () => {
  const statistics = new Statistics('Accept headers', ['quoted comma', 'with q', 'several ranges', 'none acceptable'])
  const spelled = fc.record({
    range,
    parameters: fc.array(parameter, { maxLength: 3 }),
    after: fc.nat({ max: 3 }),
    space,
  })
  fc.assert(
    fc.property(fc.array(spelled, { minLength: 1, maxLength: 4 }), fc.boolean(), (all, upper) => {
      const bare = all.map(({ range: { type, q } }) => (q === undefined ? type : `${type};q=${q}`)).join(', ')
      const full = all
        .map(({ range: { type, q }, parameters, after, space: s }) => {
          const others = parameters.map(([name, value]) => `${name}=${value}`)
          // Also after q, as extensions of `accept` were until RFC 9110.
          if (q !== undefined) others.splice(Math.min(after, others.length), 0, `${after % 2 ? 'Q' : 'q'}${s}=${s}${q}`)
          return [upper ? type.toUpperCase() : type, ...others].join(`${s};${s}`)
        })
        .join(',')
      fc.pre(full.length <= 500)
      statistics.count('quoted comma', Number(full.includes('",')))
      statistics.count('with q', Number(/q/i.test(full)))
      statistics.count('several ranges', Number(all.length > 1))
      statistics.count('none acceptable', Number(negotiate(asking(full)) === undefined))
      expect(decided(full), full).toEqual(decided(bare))
    }),
    { numRuns: 2_000 },
  )
  statistics.report()
})

test('any text is read: it never fails, and names a range only where there is one', () => {
  const unit = fc.constantFrom(...'ab/*;,="\\ \tq01.\u0000é', 'text/plain', 'q=', '";')
  fc.assert(
    fc.property(fc.string({ unit, maxLength: 60 }), (text) => {
      decided(text)
      for (const { type } of mediaRanges(text)) expect(type).not.toBe('')
      expect(withoutParameters(withoutParameters(text))).toBe(withoutParameters(text))
    }),
    { numRuns: 2_000 },
  )
})

test.each([
  ['a/b; c="d, e/f; g=1", h/i', ['a/b', 'h/i']],
  ['a/b; c="d, e/f', ['a/b']],
  [String.raw`a/b; c="\", x/y", h/i`, ['a/b', 'h/i']],
  [' , ;q=1, a/b ,', ['a/b']],
])('%s has the ranges %j', (text, types) => {
  expect(mediaRanges(text).map(({ type }) => type)).toEqual(types)
})

test('a quoted value is read without its quotes and escapes', () => {
  expect(mediaRanges(String.raw`a/b; C = "x\"y\\z" ;d=e;f`)).toEqual([
    {
      type: 'a/b',
      parameters: [
        ['c', String.raw`x"y\z`],
        ['d', 'e'],
      ],
    },
  ])
})

test('an empty header is an absent one', () => {
  for (const accept of ['', ' ']) expect(decided(accept)).toEqual(decided(undefined))
})

test('an event stream in a parameter is not asked for', () => {
  expect(asksForEventStream(asking('application/json;profile="text/event-stream", */*'))).toBe(false)
  expect(asksForEventStream(asking('text/event-stream;q=0, */*'))).toBe(false)
})

test.each([
  ['application/graphql-response+json, application/json;q=0.9', 'application/graphql-response+json'],
  ['application/graphql-response+json; charset=utf-8', 'application/graphql-response+json'],
  ['text/event-stream, application/graphql-response+json', 'application/graphql-response+json'],
  ['multipart/mixed;subscriptionSpec=1.0, application/graphql-response+json', 'application/graphql-response+json'],
  ['application/json, application/graphql-response+json', 'application/json'],
  ['text/event-stream', 'application/json'],
  ['image/png', 'application/json'],
  ['*/*', 'application/json'],
  [`${'a/b, '.repeat(100)}application/graphql-response+json`, 'application/json'],
  [undefined, 'application/json'],
])('request errors for who accepts %s are %s', (accept, type) => {
  expect(errorTypeOf(asking(accept))).toBe(type)
})
