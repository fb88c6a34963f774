import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import { principalOf } from '../../../src/admission/authentication/tokens/claims.ts'
import { SluiceError } from '../../../src/errors/codes.ts'
import { Statistics } from '../../kit/statistics.ts'

const LEAST = { sub: 'acme', exp: 1_000 }

test('the claims of a token are its principal', () => {
  const claims = {
    ...LEAST,
    jti: 't1',
    scope: 'a  b:c',
    bounds: { merchantId: ['m_1', 'm_2'] },
    history: 60,
    iss: 'x',
    email: 'e',
  }
  expect(principalOf(claims, 500)).toEqual({
    id: 'acme',
    kind: 'token',
    tokenId: 't1',
    scopes: new Set(['a', 'b:c']),
    bounds: { merchantId: ['m_1', 'm_2'] },
    historyMs: 60_000,
    expiresAt: 1_000_500,
  })
  expect(principalOf(LEAST, 0)).toMatchObject({
    scopes: new Set(),
    bounds: {},
    historyMs: undefined,
    tokenId: undefined,
  })
  expect(principalOf({ ...LEAST, scope: ['a', 'b'] }, 0).scopes).toEqual(new Set(['a', 'b']))
})

test('a bound without values is kept: it lets nothing through', () => {
  expect(principalOf({ ...LEAST, bounds: { merchantId: [] } }, 0).bounds).toEqual({ merchantId: [] })
})

test('an end that no clock reaches is one that a Date can hold', () => {
  const { expiresAt } = principalOf({ ...LEAST, exp: 1e300 }, 0)
  expect(new Date(expiresAt as number).getTime()).toBe(expiresAt)
})

/** As JSON, since only so a member named `__proto__` is one. */
const MALFORMED: [string, string][] = [
  ['no sub', '{"exp": 1}'],
  ['an empty sub', '{"sub": "", "exp": 1}'],
  ['a sub that is a number', '{"sub": 7, "exp": 1}'],
  ['a sub that is too long', JSON.stringify({ sub: 'x'.repeat(257), exp: 1 })],
  ['a sub with a line break', '{"sub": "a\\nb", "exp": 1}'],
  ['no exp', '{"sub": "a"}'],
  ['an exp that is text', '{"sub": "a", "exp": "1"}'],
  ['a jti that is a number', '{"sub": "a", "exp": 1, "jti": 1}'],
  ['a scope that is a number', '{"sub": "a", "exp": 1, "scope": 1}'],
  ['a scope that is null', '{"sub": "a", "exp": 1, "scope": null}'],
  ['scopes that are no texts', '{"sub": "a", "exp": 1, "scope": ["a", 1]}'],
  ['a scope in a list with a space', '{"sub": "a", "exp": 1, "scope": ["a b"]}'],
  ['bounds that are null', '{"sub": "a", "exp": 1, "bounds": null}'],
  ['bounds that are a list', '{"sub": "a", "exp": 1, "bounds": [["merchantId", "m"]]}'],
  ['bounds that are text', '{"sub": "a", "exp": 1, "bounds": "merchantId=m"}'],
  ['a bound that is text', '{"sub": "a", "exp": 1, "bounds": {"merchantId": "m"}}'],
  ['a bound with a number', '{"sub": "a", "exp": 1, "bounds": {"merchantId": [1]}}'],
  ['a bound of __proto__', '{"sub": "a", "exp": 1, "bounds": {"__proto__": ["m"]}}'],
  ['a bound within __proto__', '{"sub": "a", "exp": 1, "bounds": {"a.__proto__": ["m"]}}'],
  ['a bound without a name', '{"sub": "a", "exp": 1, "bounds": {"": ["m"]}}'],
  [
    'too many bounds',
    JSON.stringify({ ...LEAST, bounds: Object.fromEntries(Array.from({ length: 33 }, (_, i) => [`p${i}`, []])) }),
  ],
  ['too many values', JSON.stringify({ ...LEAST, bounds: { a: Array(1_001).fill('x') } })],
  ['a history that is text', '{"sub": "a", "exp": 1, "history": "1h"}'],
  ['a negative history', '{"sub": "a", "exp": 1, "history": -1}'],
  ['a list', '[]'],
  ['nothing', 'null'],
]

test.each(MALFORMED)('a token with %s is refused, not read as one without', (_what, json) => {
  expect(() => principalOf(JSON.parse(json), 0)).toThrow(
    expect.objectContaining({
      code: 'UNAUTHENTICATED',
      message: expect.stringMatching(/^The claim ".*" of the token is not valid$/),
    }),
  )
})

describe('whatever claims there are', () => {
  const statistics = new Statistics('claims', ['principal', 'refused', 'bound', 'scoped'])
  afterAll(() => statistics.report())
  const bounds = fc.oneof(
    {
      weight: 3,
      arbitrary: fc.dictionary(fc.constantFrom('merchantId', 'region', 'a.b'), fc.array(fc.string({ maxLength: 5 }))),
    },
    fc.jsonValue(),
  )
  const scope = fc.oneof(
    { weight: 3, arbitrary: fc.array(fc.constantFrom('a', 'b:c')).map((list) => list.join(' ')) },
    fc.jsonValue(),
  )
  const claims = fc.record(
    {
      sub: fc.oneof(fc.string(), fc.jsonValue()),
      exp: fc.oneof(fc.integer(), fc.jsonValue()),
      bounds,
      scope,
      history: fc.oneof(fc.nat(), fc.jsonValue()),
    },
    { requiredKeys: ['sub', 'exp'] },
  )

  test('a principal has every restriction that its token names, or there is none', () => {
    fc.assert(
      fc.property(claims, (made) => {
        const given = JSON.parse(JSON.stringify(made))
        let principal: ReturnType<typeof principalOf>
        try {
          principal = principalOf(given, 0)
        } catch (error) {
          expect(error).toBeInstanceOf(SluiceError)
          statistics.count('refused')
          return
        }
        statistics.count('principal')
        expect(principal.id).toBe(given.sub)
        expect(principal.bounds).toEqual(given.bounds ?? {})
        if (Object.keys(principal.bounds).length > 0) statistics.count('bound')
        if (principal.scopes.size > 0) statistics.count('scoped')
        expect([...principal.scopes].every((each) => JSON.stringify(given.scope).includes(each))).toBe(true)
        expect(principal.historyMs).toBe(given.history === undefined ? undefined : given.history * 1000)
      }),
      { numRuns: 3000 },
    )
  })
})
