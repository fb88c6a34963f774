import { expect, test } from 'vitest'
import type { Identity } from '../../../src/admission/principal.ts'
import { ANONYMOUS, type Audience } from '../../../src/schema/context.ts'
import { Sessions } from '../../../src/transport/single/sessions.ts'
import { aPrincipal } from '../../kit/admission.ts'

const NARROW: Audience = { claims: { scopes: ['narrow'] } }

function identity(expiresAt: number | undefined, audience: Audience = ANONYMOUS, tokenId?: string): Identity {
  return { principal: aPrincipal({ expiresAt, tokenId }), audience }
}

test('a stream expires with the credentials that it was reserved with', () => {
  expect(new Sessions(identity(10)).expiresAt).toBe(10)
  expect(new Sessions(identity(undefined)).expiresAt).toBeUndefined()
})

test('newer credentials with the same rights prolong it, and older ones do not shorten it', () => {
  const sessions = new Sessions(identity(10))
  expect([sessions.renew(identity(5)), sessions.expiresAt]).toEqual([false, 10])
  expect([sessions.renew(identity(20)), sessions.expiresAt]).toEqual([true, 20])
  expect([sessions.renew(identity(undefined)), sessions.expiresAt]).toEqual([true, undefined])
  expect([sessions.renew(identity(30)), sessions.expiresAt]).toEqual([false, undefined])
})

test('credentials with other rights do not: what was admitted must not outlive the rights that it was admitted with', () => {
  const sessions = new Sessions(identity(10))
  expect([sessions.renew(identity(20, NARROW)), sessions.expiresAt]).toEqual([false, 10])
})

test('rights are the same if their claims are, also where they are two objects', () => {
  const sessions = new Sessions(identity(10, { claims: { scopes: ['narrow'] } }))
  expect([sessions.renew(identity(20, NARROW)), sessions.expiresAt]).toEqual([true, 20])
  for (let i = 0; i < 20; i++) sessions.begin(identity(20, { claims: { scopes: ['narrow'] } }))
  expect([...sessions]).toHaveLength(1)
})

test('with operations of different rights it expires with the first of them, and each is prolonged by its own', () => {
  const sessions = new Sessions(identity(10))
  sessions.begin(identity(5, NARROW))
  expect(sessions.expiresAt).toBe(5)
  sessions.renew(identity(20, NARROW))
  expect(sessions.expiresAt).toBe(10)
  sessions.renew(identity(30))
  expect(sessions.expiresAt).toBe(20)
})

test('it names the credentials by which it goes on', () => {
  const sessions = new Sessions(identity(10, ANONYMOUS, 'first'))
  sessions.begin(identity(10, NARROW, 'narrow'))
  sessions.renew(identity(20, ANONYMOUS, 'second'))
  expect([...sessions].map(({ tokenId }) => tokenId)).toEqual(['second', 'narrow'])
})

test('operations of eight different rights at most run on one stream', () => {
  const sessions = new Sessions(identity(10))
  for (let i = 1; i < 8; i++) sessions.begin(identity(10, { claims: { i } }))
  const ninth = identity(10, { claims: { i: 9 } })
  expect(() => sessions.demandRoom(ninth)).toThrow(expect.objectContaining({ code: 'TOO_MANY_OPERATIONS' }))
  sessions.demandRoom(identity(20))
})
