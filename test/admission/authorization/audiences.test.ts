import { expect, test } from 'vitest'
import { Authorization } from '../../../src/admission/authorization/authorization.ts'
import { NOBODY } from '../../../src/admission/principal.ts'
import { schema as orders } from '../../../src/resolvers/schema.ts'
import { ANONYMOUS } from '../../../src/schema/context.ts'
import { aPrincipal } from '../../kit/admission.ts'
import { silentLog } from '../../kit/log-lines.ts'
import { shop } from './shop.ts'

const { audienceOf } = new Authorization({ schema: shop, log: silentLog })

test('an audience has what makes a difference, in one form', () => {
  const audience = audienceOf(
    aPrincipal({ scopes: new Set(['pii', 'unheard.of', 'a']), bounds: { z: ['2', '1', '2'], a: [] }, historyMs: 5 }),
  )
  expect(JSON.stringify(audience)).toBe(
    '{"claims":{"scopes":["a","pii"],"bounds":{"a":[],"z":["1","2"]},"historyMs":5,"authenticated":true}}',
  )
})

test('equal principals have one audience, which nobody can change', () => {
  const one = audienceOf(aPrincipal({ id: 'one', scopes: new Set(['a', 'b']), bounds: { x: ['1', '2'] } }))
  const other = audienceOf(
    aPrincipal({ id: 'other', scopes: new Set(['b', 'a']), bounds: { x: ['2', '1'] }, kind: 'key' }),
  )
  expect(one).toBe(other)
  expect(() => (one.claims.scopes as string[]).push('c')).toThrow(TypeError)
  expect(() => ((one.claims.bounds as Record<string, unknown>).x = [])).toThrow(TypeError)
  expect(() => (one.claims.bounds as { x: string[] }).x.push('3')).toThrow(TypeError)
  expect(() => ((one as { claims: unknown }).claims = {})).toThrow(TypeError)
})

test('who may do no more than anonymous clients is one of them', () => {
  const own = new Authorization({ schema: orders, log: silentLog })
  expect(own.audienceOf(NOBODY)).toBe(ANONYMOUS)
  expect(own.audienceOf(aPrincipal({ scopes: new Set(['unheard.of']) }))).toBe(ANONYMOUS)
  expect(own.audienceOf(aPrincipal({ scopes: new Set(['orders:pii']) }))).not.toBe(ANONYMOUS)
  // The shop has a rule for whoever has any credentials.
  expect(audienceOf(aPrincipal())).not.toBe(ANONYMOUS)
  expect(audienceOf(NOBODY)).toBe(ANONYMOUS)
})
