import fc from 'fast-check'
import { CompactEncrypt, decodeProtectedHeader } from 'jose'
import { afterAll, describe, expect, test } from 'vitest'
import { ApiKeys } from '../../../src/admission/authentication/api-keys/api-keys.ts'
import { demandBound, digestOf } from '../../../src/admission/authentication/tickets/operation-binding.ts'
import { Seal } from '../../../src/admission/authentication/tickets/seal.ts'
import { Tickets, type TicketsOptions } from '../../../src/admission/authentication/tickets/tickets.ts'
import { ANONYMOUS } from '../../../src/schema/context.ts'
import { ANYBODY, anIdentity, someParams } from '../../kit/admission.ts'
import { keysText } from '../../kit/api-keys.ts'
import { Statistics } from '../../kit/statistics.ts'

const SECRET = 's'.repeat(32)
const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const PARAMS = someParams('subscription { orders { id } }', { variables: { a: 1, b: [{ y: 1, x: 2 }] } })
const KEY = { id: 'acme', key: 'k', bounds: { merchantId: ['m_1'] } }

function setUp(more: Partial<TicketsOptions> = {}, seal = new Seal(SECRET)) {
  const clock = { ms: Date.parse('2026-01-01T00:00:00Z') }
  const now = () => clock.ms
  const keys = new ApiKeys({ audienceOf: () => ANONYMOUS, now })
  keys.replace(keysText([KEY]))
  const tickets = new Tickets({ seal, keys, anonymous: true, audienceOf: () => ANONYMOUS, now, ...more })
  const outcome = async (ticket: string, isReconnect = false): Promise<string> => {
    try {
      await tickets.identify(ticket, isReconnect)
      return 'accepted'
    } catch (error) {
      return (error as { code: string }).code
    }
  }
  return {
    clock,
    keys,
    tickets,
    outcome,
    token: anIdentity({ id: 'acme', tokenId: 't1', expiresAt: clock.ms + HOUR_MS }),
  }
}

test('a ticket is whoever it was given to, with the operation, and always the same identity', async () => {
  const { tickets, token } = setUp()
  const principal = {
    ...token.principal,
    scopes: new Set(['a', 'b']),
    bounds: { merchantId: ['m_1'] },
    historyMs: 5_000,
  }
  const ticket = await tickets.issue({ ...token, principal }, { ...PARAMS, lastEventId: 'x' })
  const identity = await tickets.identify(ticket, false)
  expect(identity).toEqual({ principal, audience: ANONYMOUS, operation: { digest: digestOf(PARAMS), params: PARAMS } })
  expect(await tickets.identify(ticket, true)).toBe(identity)
})

test('a ticket says nothing to whoever reads it: neither principal nor operation', async () => {
  const { tickets, token } = setUp()
  const ticket = await tickets.issue(token, PARAMS)
  expect(decodeProtectedHeader(ticket)).toEqual({ alg: 'dir', enc: 'A256GCM' })
  const readable = ticket.split('.').map((part) => Buffer.from(part, 'base64url').toString('latin1'))
  expect(readable.join()).not.toMatch(/acme|orders|t1/)
  expect(ticket).toMatch(/^[\w.-]+$/)
})

describe('a ticket', () => {
  test('opens streams for five minutes, and is then for reconnects only, until its token ends', async () => {
    const { tickets, token, clock, outcome } = setUp()
    const ticket = await tickets.issue(token, PARAMS)
    clock.ms += 5 * MINUTE_MS - 1
    expect(await outcome(ticket)).toBe('accepted')
    clock.ms++
    expect([await outcome(ticket), await outcome(ticket, true)]).toEqual(['SESSION_EXPIRED', 'accepted'])
    clock.ms += 55 * MINUTE_MS - 1
    expect(await outcome(ticket, true)).toBe('accepted')
    clock.ms++
    expect(await outcome(ticket, true)).toBe('SESSION_EXPIRED')
  })

  test('of a token that ends sooner ends with it', async () => {
    const { tickets, clock, outcome } = setUp()
    const ticket = await tickets.issue(anIdentity({ expiresAt: clock.ms + MINUTE_MS }), PARAMS)
    clock.ms += MINUTE_MS
    expect([await outcome(ticket), await outcome(ticket, true)]).toEqual(['SESSION_EXPIRED', 'SESSION_EXPIRED'])
  })

  test.each(['key', 'anonymous'])('of %s is for reconnects for a day', async (kind) => {
    const { tickets, keys, clock, outcome } = setUp()
    const ticket = await tickets.issue(kind === 'key' ? keys.identify('k') : ANYBODY, PARAMS)
    clock.ms += 24 * HOUR_MS - 1
    expect([await outcome(ticket), await outcome(ticket, true)]).toEqual(['SESSION_EXPIRED', 'accepted'])
    clock.ms++
    expect(await outcome(ticket, true)).toBe('SESSION_EXPIRED')
  })

  test('of nobody is not valid where nobody gets in any more', async () => {
    const ticket = await setUp().tickets.issue(ANYBODY, PARAMS)
    expect(await setUp({ anonymous: false }).outcome(ticket)).toBe('UNAUTHENTICATED')
  })

  test('of a key is that key as it is now: with other bounds, and none once it is gone or another', async () => {
    const { tickets, keys, outcome } = setUp()
    const ticket = await tickets.issue(keys.identify('k'), PARAMS)
    const before = await tickets.identify(ticket, false)
    expect(before.principal).toBe(keys.identify('k').principal)
    keys.replace(keysText([{ ...KEY, bounds: { merchantId: ['m_2'] } }]))
    const after = await tickets.identify(ticket, false)
    expect(after.principal.bounds).toEqual({ merchantId: ['m_2'] })
    expect(before.principal.bounds).toEqual({ merchantId: ['m_1'] })
    expect(after.operation).toEqual(before.operation)
    keys.replace(keysText([{ ...KEY, key: 'another' }]))
    expect(await outcome(ticket)).toBe('UNAUTHENTICATED')
    keys.replace('[]')
    expect(await outcome(ticket)).toBe('UNAUTHENTICATED')
  })

  test('is valid at every instance that has the secret, and at no other', async () => {
    const { tickets, token } = setUp()
    const ticket = await tickets.issue(token, PARAMS)
    expect(await setUp().outcome(ticket)).toBe('accepted')
    expect(await setUp({}, new Seal('x'.repeat(32))).outcome(ticket)).toBe('UNAUTHENTICATED')
    expect(await setUp({}, new Seal()).outcome(ticket)).toBe('UNAUTHENTICATED')
  })

  test('that was changed anywhere is none', async () => {
    const { tickets, token, outcome } = setUp()
    const ticket = await tickets.issue(token, PARAMS)
    for (let at = 0; at < ticket.length; at += 7) {
      const changed = `${ticket.slice(0, at)}${ticket[at] === 'Q' ? 'g' : 'Q'}${ticket.slice(at + 1)}`
      expect(await outcome(changed)).toBe('UNAUTHENTICATED')
    }
  })

  test.each<[string, string | (() => Promise<string>)]>([
    ['no JWE', 'x'],
    ['dots', '....'],
    ['sealed with this secret for something else', () => new Seal(SECRET).close({ other: 1 })],
    [
      'sealed with the secret itself',
      () =>
        new CompactEncrypt(Buffer.from('{}'))
          .setProtectedHeader({ alg: 'dir', enc: 'A256GCM' })
          .encrypt(Buffer.from(SECRET)),
    ],
  ])('that is %s is refused', async (_what, make) => {
    expect(await setUp().outcome(typeof make === 'string' ? make : await make())).toBe('UNAUTHENTICATED')
  })

  test('has the digest of a long operation only', async () => {
    const { tickets, token } = setUp()
    const long = someParams(`subscription { orders { id } } # ${'x'.repeat(3_000)}`)
    const { operation } = await tickets.identify(await tickets.issue(token, long), false)
    expect(operation).toEqual({ digest: digestOf(long), params: undefined })
  })

  test('is not given where it would not fit a URL', async () => {
    const { tickets } = setUp()
    const bounds = { merchantId: Array.from({ length: 1_000 }, (_, i) => `merchant_${i}`) }
    const expiresAt = Date.now()
    await expect(tickets.issue(anIdentity({ bounds, expiresAt }), PARAMS)).rejects.toMatchObject({
      code: 'BAD_REQUEST',
    })
  })

  test('is one of so many that the cache is within its budget', async () => {
    const { tickets, token } = setUp()
    for (let i = 0; i < 500; i++) await tickets.identify(await tickets.issue(token, someParams(`{ a${i} }`)), false)
    expect(tickets.cacheBytes).toBeGreaterThan(500 * 1_500)
    expect(tickets.cacheBytes).toBeLessThanOrEqual(16 * 1024 * 1024)
  })
})

describe('the operation of a ticket', () => {
  const params = fc.record({
    query: fc.option(fc.constantFrom('{ a }', '{ b }'), { nil: undefined }),
    documentId: fc.option(fc.constantFrom('a', 'b'), { nil: undefined }),
    operationName: fc.option(fc.constantFrom('a', 'b'), { nil: undefined }),
    variables: fc.option(fc.dictionary(fc.string({ maxLength: 2 }), fc.jsonValue({ maxDepth: 2 })), { nil: undefined }),
    extensions: fc.option(fc.dictionary(fc.constantFrom('persistedQuery', 'x'), fc.jsonValue({ maxDepth: 2 })), {
      nil: undefined,
    }),
  })
  const meaning = ({ query, documentId, operationName, variables, extensions }: ReturnType<typeof someParams>) =>
    fc.stringify([query, documentId, operationName, sorted(variables ?? {}), sorted(extensions ?? {})])
  const shuffled = (value: unknown): never =>
    JSON.parse(JSON.stringify(value), (_name, member) =>
      typeof member !== 'object' || member === null || Array.isArray(member)
        ? member
        : Object.fromEntries(Object.entries(member).reverse()),
    ) as never
  const statistics = new Statistics('operations of tickets', ['the same', 'the same in another order', 'others'])
  afterAll(() => statistics.report())
  const sorted = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(sorted)
    if (typeof value !== 'object' || value === null) return Object.is(value, -0) ? 0 : value
    return Object.entries(value)
      .map(([name, member]) => [name, sorted(member)])
      .sort()
  }

  test('is the same exactly where everything of it is the same', () => {
    const pairs = fc.oneof(
      fc.tuple(params, params),
      params.map((one) => [one, shuffled(one)] as const),
      fc.tuple(params, params).map(([one, { query }]) => [one, { ...one, query }] as const),
    )
    fc.assert(
      fc.property(pairs, ([one, other]) => {
        const isSame = meaning(one) === meaning(other)
        statistics.count(isSame ? 'the same' : 'others')
        if (isSame && JSON.stringify(one) !== JSON.stringify(other)) statistics.count('the same in another order')
        expect(digestOf(one) === digestOf(other)).toBe(isSame)
      }),
      { numRuns: 3000 },
    )
    fc.assert(
      fc.property(params, (one) => {
        expect(digestOf(JSON.parse(JSON.stringify(one)))).toBe(digestOf(one))
      }),
    )
  })

  test('does not depend on the order of variables, nor on where it is resumed', () => {
    const other = {
      ...PARAMS,
      variables: { b: [{ x: 2, y: 1 }], a: 1 },
      extensions: { lastEventId: 'x', operationId: '1' },
    }
    expect(digestOf(other)).toBe(digestOf(PARAMS))
  })

  test.each([
    ['query', { query: 'subscription { other { id } }' }],
    ['documentId', { documentId: 'x' }],
    ['operationName', { operationName: 'x' }],
    ['variables', { variables: { ...PARAMS.variables, a: 2 } }],
    ['extensions', { extensions: { persistedQuery: { sha256Hash: 'x' } } }],
  ])('with another %s is another one, and refused', (_what, difference) => {
    const binding = { digest: digestOf(PARAMS), params: PARAMS }
    expect(() => demandBound(binding, PARAMS)).not.toThrow()
    expect(() => demandBound(undefined, PARAMS)).not.toThrow()
    expect(() => demandBound(binding, { ...PARAMS, ...difference })).toThrow(
      expect.objectContaining({ code: 'FORBIDDEN' }),
    )
  })
})
