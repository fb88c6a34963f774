import { type ExecutionResult, execute, parse, subscribe } from 'graphql'
import { describe, expect, test } from 'vitest'
import { Authorization } from '../../../src/admission/authorization/authorization.ts'
import { prepareOperation } from '../../../src/delivery/operation/operation.ts'
import type { SluiceError } from '../../../src/errors/codes.ts'
import { createBuilder } from '../../../src/schema/builder.ts'
import { ANONYMOUS, type Audience, type Context } from '../../../src/schema/context.ts'
import { anEntry, aPrincipal, openAdmission, someParams } from '../../kit/admission.ts'
import { silentLog } from '../../kit/log-lines.ts'
import { shop } from './shop.ts'

const authorization = new Authorization({ schema: shop, log: silentLog })
const admission = openAdmission(shop, { authorization })

/** The verdict on an operation, when it is admitted and, if it is a subscription, prepared. */
async function codeOf(query: string, scopes: readonly string[], variables?: Record<string, unknown>) {
  const principal = aPrincipal({ scopes: new Set(scopes) })
  const identity = { principal, audience: authorization.audienceOf(principal) }
  const result = await admission.admit(anEntry(), identity, someParams(query, { variables }))
  if ('errors' in result) {
    const [{ message, extensions } = { message: '', extensions: {} }] = result.errors
    return `${String(extensions?.code)}: ${message}`
  }
  if (result.admitted.operation.operation !== 'subscription') return 'admitted'
  try {
    const context = { audience: identity.audience, streams: {} as Context['streams'] }
    prepareOperation({ schema: shop, document: parse(query), operationName: undefined, variables, context })
    return 'admitted'
  } catch (error) {
    const { code, message } = error as SluiceError
    return `${code}: ${message}`
  }
}

const EMAIL = 'FORBIDDEN: The field "Sale.buyer" needs the scope "pii"'

describe.each<[what: string, query: string, refusal: string, variables?: Record<string, unknown>]>([
  ['plainly', '{ sale { buyer { email } } }', EMAIL],
  ['by an alias', '{ sale { id: buyer { x: email } } }', EMAIL],
  ['in a fragment', '{ sale { ...a } } fragment a on Sale { ...b } fragment b on Sale { buyer { email } }', EMAIL],
  ['in an inline fragment', '{ sale { ... { ... on Sale { buyer { email } } } } }', EMAIL],
  ['in a subscription', 'subscription { sales { buyer { email } } }', EMAIL],
  ['in a mutation', 'mutation { sell { buyer { email } } }', EMAIL],
  ['only that there is one', '{ sale { buyer { __typename } } }', EMAIL],
  ['of an interface', '{ deal { buyer { email } } }', 'FORBIDDEN: The field "Deal.buyer" needs the scope "pii"'],
  ['of an object behind an interface', '{ deal { ... on Sale { buyer { email } } } }', EMAIL],
  [
    'included by a variable',
    'query ($pii: Boolean!) { sale { buyer @include(if: $pii) { email } } }',
    EMAIL,
    { pii: true },
  ],
  ['not skipped', 'query ($no: Boolean = false) { sale { buyer @skip(if: $no) { email } } }', EMAIL],
  ['of a type', '{ margin { percent } }', 'FORBIDDEN: The field "Margin.percent" needs the scope "finance"'],
  [
    'that a type is there',
    '{ margin { __typename } }',
    'FORBIDDEN: The field "Margin.__typename" needs the scope "finance"',
  ],
])('what needs a scope, asked for %s', (_what, query, refusal, variables) => {
  test('is refused without it, as a whole', async () => {
    expect(await codeOf(query, ['sales', 'other'], variables)).toBe(refusal)
  })

  test('is admitted with it', async () => {
    expect(await codeOf(query, ['pii', 'finance'], variables)).toBe('admitted')
  })
})

test.each<[string, Record<string, unknown> | undefined]>([
  ['query ($pii: Boolean!) { sale { id buyer @include(if: $pii) { email } } }', { pii: false }],
  ['query ($no: Boolean = true) { sale { id ...f @skip(if: $no) } } fragment f on Sale { buyer { email } }', undefined],
  ['{ sale { id } deal { id } __schema { types { name } } }', undefined],
])('what is left out needs no scope: %s', async (query, variables) => {
  expect(await codeOf(query, [], variables)).toBe('admitted')
})

describe.each<[what: string, filter: string]>([
  ['as it is', '{ buyer: { email: { startsWith: "a" } } }'],
  ['in a list', '{ or: [{ id: { eq: "1" } }, { and: [{ buyer: { id: { eq: "b" } } }] }] }'],
  ['negated', '{ not: { not: { buyer: { isNull: true } } } }'],
  ['with nothing to hold', '{ buyer: {} }'],
])('a filter by what needs a scope, %s', (_what, filter) => {
  test.each([
    ['as a literal', `subscription { sales(where: ${filter}) { id } }`, undefined],
    ['as a default', `subscription ($where: SaleFilter = ${filter}) { sales(where: $where) { id } }`, undefined],
    ['in a field that is written by hand', `{ find(where: ${filter}) }`, undefined],
    ['in an input type of the definition', `{ search(by: { wheres: [${filter}] }) }`, undefined],
    ['in a fragment', `subscription { ...s } fragment s on Subscription { sales(where: ${filter}) { id } }`, undefined],
  ])('%s is refused', async (_how, query, variables) => {
    expect(await codeOf(query, [], variables)).toMatch(/^FORBIDDEN: ".*buyer" needs the scope "pii"$/)
    expect(await codeOf(query, ['pii'], variables)).toBe('admitted')
  })
})

test('a filter in variables is looked into', async () => {
  const query = 'subscription ($where: SaleFilter) { sales(where: $where) { id } }'
  const where = { and: [{ buyer: { email: { eq: 'a@example.com' } } }] }
  expect(await codeOf(query, [], { where })).toBe('FORBIDDEN: "where.and[0].buyer" needs the scope "pii"')
  expect(await codeOf(query, ['pii'], { where })).toBe('admitted')
  const path = 'subscription ($of: BuyerFilterInput!) { sales { id } }'
  expect(await codeOf(path, [])).toMatch(/^GRAPHQL_VALIDATION_FAILED/)
})

test.each([
  ['all of a list', 'both', ['a', 'b'], ['a'], 'needs the scopes "a", "b"'],
  ['any of a list', 'either', ['b'], ['c'], 'needs one of the scopes "a", "b"'],
  ['any of parts', 'parts', ['a'], ['b'], 'needs the scope "a" or credentials'],
])('a rule asks for %s', async (_what, field, enough, tooFew, refusal) => {
  expect(await codeOf(`{ ${field} }`, enough)).toBe('admitted')
  // A token is enough for the last.
  if (field === 'parts') expect(await codeOf(`{ ${field} }`, tooFew)).toBe('admitted')
  else expect(await codeOf(`{ ${field} }`, tooFew)).toContain(refusal)
  const anonymous = { principal: aPrincipal({ kind: 'anonymous' }), audience: ANONYMOUS }
  const result = await admission.admit(anEntry(), anonymous, someParams(`{ ${field} }`))
  expect(JSON.stringify(result)).toContain(refusal.replaceAll('"', String.raw`\"`))
})

describe('executed by graphql-js alone', () => {
  const context = (audience: Audience): Context => ({ audience, streams: {} as Context['streams'] })
  const withPii: Audience = { claims: { scopes: ['pii'] } }

  test('a field checks its scope', async () => {
    const document = parse('{ sale { id buyer { email } } }')
    const refused = (await execute({ schema: shop, document, contextValue: context(ANONYMOUS) })) as ExecutionResult
    expect(refused.data).toEqual({ sale: { id: 's', buyer: null } })
    expect(refused.errors?.[0]).toMatchObject({
      message: 'The field "Sale.buyer" needs the scope "pii"',
      extensions: { code: 'FORBIDDEN' },
    })
    const allowed = (await execute({ schema: shop, document, contextValue: context(withPii) })) as ExecutionResult
    expect(allowed).toEqual({ data: { sale: { id: 's', buyer: { email: 'b@example.com' } } } })
  })

  test('a filter of a stream, and what it is throttled by, check it too', async () => {
    const open = async (query: string, audience: Audience) => {
      const feed = { subscribe: () => ({ [Symbol.asyncIterator]: () => ({}) }) }
      const streams = { feed: () => feed } as unknown as Context['streams']
      return await subscribe({ schema: shop, document: parse(query), contextValue: { audience, streams } })
    }
    for (const query of [
      'subscription { sales(where: { buyer: { id: { eq: "b" } } }) { id } }',
      'subscription { sales(throttle: { everyMs: 1000, by: "buyer.id" }) { id } }',
      'subscription { secretSales { id } }',
    ]) {
      expect(await open(query, ANONYMOUS)).toMatchObject({ errors: [{ extensions: { code: 'FORBIDDEN' } }] })
      expect(await open(query, withPii)).not.toHaveProperty('errors')
    }
  })
})

test.each([
  ['a function', { authScopes: () => true }, /are an object/],
  ['an unknown part', { authScopes: { role: 'admin' } }, /have no part role/],
  ['nothing', { authScopes: {} }, /ask for nothing/],
  ['an empty list', { authScopes: { $any: { anyScope: [] } } }, /have no part anyScope/],
  ['grants', { grantScopes: ['a'] }, /are not to be had/],
])('a schema is not built with a rule that is %s', (_what, options, message) => {
  const builder = createBuilder()
  builder.queryType({ fields: (t) => ({ one: t.boolean({ ...options, resolve: () => true } as never) }) })
  expect(() => builder.toSchema()).toThrow(message)
})
