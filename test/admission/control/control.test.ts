import fc from 'fast-check'
import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { Control, type Enforcer, type KeyEnd } from '../../../src/admission/control/control.ts'
import { CONTROL_KINDS, type ControlEntry, controlKey } from '../../../src/admission/control/control-entry.ts'
import type { Principal } from '../../../src/admission/principal.ts'
import { ANYBODY, anEntry, anOwner, aPrincipal, openAdmission, someParams } from '../../kit/admission.ts'
import { Statistics } from '../../kit/statistics.ts'
import { probeSchema } from '../../transport/probe-schema.ts'

const HASH = 'a'.repeat(64)

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'] })
  onTestFinished(() => void vi.useRealTimers())
})

function entry(kind: ControlEntry['kind'], value: string, until?: number): ControlEntry {
  return { kind, value, at: Date.now(), until, reason: undefined }
}

const REVOKED = expect.objectContaining({ code: 'REVOKED', status: 403 })

describe('what is revoked', () => {
  const token = aPrincipal({ id: 'acme', kind: 'token', tokenId: 'j' })
  const key = aPrincipal({ id: 'acme', kind: 'key' })
  test.each<[string, ControlEntry['kind'], string, boolean, boolean]>([
    ['a principal, with all that was issued for it', 'principal', 'acme', true, true],
    ['a key, and not the tokens of its principal', 'key', 'acme', false, true],
    ['a token, by its id', 'token', 'j', true, false],
    ['no other principal', 'principal', 'other', false, false],
    ['no principal by a token id', 'principal', 'j', false, false],
  ])('is %s', (_what, kind, value, isToken, isKey) => {
    const control = new Control()
    control.put(entry(kind, value))
    expect([control.isRevoked(token), control.isRevoked(key)]).toEqual([isToken, isKey])
  })

  test('is never a client without credentials, whatever its principal is called', () => {
    const control = new Control()
    control.put(entry('principal', ANYBODY.principal.id))
    control.demandNotRevoked(ANYBODY.principal)
    expect(() => control.demandNotRevoked(aPrincipal({ id: 'anonymous' }))).toThrow(REVOKED)
  })
})

test('an operation is blocked by the hash of its document, and by its name', () => {
  const control = new Control()
  control.put(entry('operation', HASH))
  control.put(entry('operation', 'Watch'))
  const blocked = expect.objectContaining({ code: 'OPERATION_BLOCKED' })
  expect(() => control.demandNotBlocked({ hash: HASH, name: undefined })).toThrow(blocked)
  expect(() => control.demandNotBlocked({ hash: 'b'.repeat(64), name: 'Watch' })).toThrow(blocked)
  control.demandNotBlocked({ hash: 'b'.repeat(64), name: undefined })
})

test('an identity that authentication has cached is refused, since revocations are looked up after it', async () => {
  const control = new Control()
  const identity = { ...ANYBODY, principal: aPrincipal({ id: 'acme' }) }
  const authentication = { identify: () => identity }
  const { schema } = probeSchema()
  const admission = openAdmission(schema, { control, authentication: authentication as never })
  expect(await admission.identify(anEntry())).toBe(identity)
  control.put(entry('principal', 'acme'))
  await expect(admission.identify(anEntry())).rejects.toThrow(REVOKED)
  control.delete('principal:acme')
  expect(await admission.identify(anEntry())).toBe(identity)
})

test('a document that is cached is refused once its operation is blocked', async () => {
  const control = new Control()
  const { schema } = probeSchema()
  const admission = openAdmission(schema, { control })
  const admit = () => admission.admit(anEntry(), ANYBODY, someParams('query Hello { hello }'))
  expect(await admit()).toHaveProperty('admitted')
  control.put(entry('operation', 'Hello'))
  expect(await admit()).toMatchObject({ errors: [{ extensions: { code: 'OPERATION_BLOCKED' } }] })
})

test('nobody gets in while revocations are not known', () => {
  const control = new Control()
  control.awaitLoad()
  const notReady = expect.objectContaining({ code: 'NOT_READY', status: 503 })
  for (const principal of [ANYBODY.principal, aPrincipal()])
    expect(() => control.demandNotRevoked(principal)).toThrow(notReady)
  expect(() => control.demandStanding(anOwner())).toThrow(notReady)
  control.replace(control.newList())
  control.demandStanding(anOwner())
})

test('a full list refuses another entry, and forgets none but those that are over', () => {
  const control = new Control({ maxEntries: 3 })
  const overAt = Date.now() + 1_000
  expect(['a', 'b'].map((value) => control.put(entry('principal', value)))).toEqual([true, true])
  expect(control.put(entry('principal', 'short', overAt))).toBe(true)
  expect(control.put(entry('principal', 'c'))).toBe(false)
  // One that is known has room already.
  expect(control.put(entry('principal', 'a', overAt))).toBe(true)
  vi.setSystemTime(overAt)
  expect(control.put(entry('principal', 'c'))).toBe(true)
  expect([...control.list].map(({ value }) => value)).toEqual(['b', 'c'])
})

test('a list is bounded in bytes as well', () => {
  const control = new Control({ maxBytes: 3_000 })
  expect(control.put(entry('token', 'x'.repeat(1_000)))).toBe(true)
  expect(control.put(entry('token', 'y'.repeat(1_000)))).toBe(false)
  control.delete(`token:${'x'.repeat(1_000)}`)
  expect(control.list.bytes).toBe(0)
  expect(control.put(entry('token', 'y'.repeat(1_000)))).toBe(true)
})

test('keys end by what has become of them', async () => {
  const calls: [string, KeyEnd][][] = []
  const enforcer: Enforcer = {
    async enforce(keys) {
      calls.push([...keys])
      return keys.size
    },
  }
  const control = new Control()
  expect(await control.endKeys(['a'])).toBe(0)
  control.enforceBy(enforcer)
  expect(await control.endKeys(['a', 'b'])).toBe(2)
  expect(await control.endKeys(new Set(['c']), 'expired')).toBe(1)
  expect(await control.endKeys([])).toBe(0)
  expect(calls).toEqual([
    [
      ['a', 'revoked'],
      ['b', 'revoked'],
    ],
    [['c', 'expired']],
  ])
})

test('control is what a model of it is: whatever is decided, undone, loaded again, and whenever', () => {
  const statistics = new Statistics('Control', [
    'revoked',
    'allowed',
    'blocked',
    'over',
    'undone',
    'replaced',
    'refused',
  ])
  const values = ['a', 'b', 'c']
  const kind = fc.constantFrom(...CONTROL_KINDS)
  const value = fc.constantFrom(...values)
  const step = fc.oneof(
    fc.record({ do: fc.constant('put' as const), kind, value, forMs: fc.option(fc.integer({ min: 1, max: 5_000 })) }),
    fc.record({ do: fc.constant('undo' as const), kind, value }),
    fc.record({ do: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 3_000 }) }),
    fc.record({ do: fc.constant('replace' as const), keep: fc.array(fc.record({ kind, value }), { maxLength: 4 }) }),
  )
  const MAX_ENTRIES = 4
  fc.assert(
    fc.property(fc.array(step, { minLength: 10, maxLength: 60 }), (steps) => {
      const control = new Control({ maxEntries: MAX_ENTRIES })
      /** By key, until when. */
      let model = new Map<string, number>()
      const inForce = (key: string) => (model.get(key) ?? Number.NEGATIVE_INFINITY) > Date.now()
      const forget = () => {
        for (const key of model.keys()) if (!inForce(key)) model.delete(key)
      }
      for (const each of steps) {
        if (each.do === 'put') {
          const until = each.forMs === null ? undefined : Date.now() + each.forMs
          const decided = entry(each.kind, each.value, until)
          const key = controlKey(decided)
          const isTaken = control.put(decided)
          const others = [...model.keys()].filter((other) => other !== key && inForce(other)).length
          // Entries that are over may still take room, for a second at most.
          if (others >= MAX_ENTRIES) expect(isTaken).toBe(false)
          if (!isTaken) statistics.count('refused')
          else model.set(key, until ?? Number.POSITIVE_INFINITY)
        } else if (each.do === 'undo') {
          const key = controlKey(each)
          control.delete(key)
          if (inForce(key)) statistics.count('undone')
          model.delete(key)
        } else if (each.do === 'wait') {
          const before = [...model.keys()].filter(inForce).length
          vi.setSystemTime(Date.now() + each.ms)
          statistics.count('over', before - [...model.keys()].filter(inForce).length)
        } else {
          const list = control.newList()
          model = new Map()
          for (const kept of each.keep) {
            list.put(entry(kept.kind, kept.value))
            model.set(controlKey(kept), Number.POSITIVE_INFINITY)
          }
          control.replace(list)
          statistics.count('replaced')
        }
        forget()
        for (const id of values) {
          for (const tokenId of [undefined, ...values]) {
            const principals: Principal[] = [
              aPrincipal({ id, kind: 'token', tokenId }),
              aPrincipal({ id, kind: 'key' }),
            ]
            for (const principal of principals) {
              const own = principal.kind === 'key' ? `key:${id}` : `token:${tokenId}`
              const isRevoked = inForce(`principal:${id}`) || inForce(own)
              expect(control.isRevoked(principal)).toBe(isRevoked)
              statistics.count(isRevoked ? 'revoked' : 'allowed')
            }
          }
          const isBlocked = inForce(`operation:${id}`)
          expect(control.isBlocked({ hash: id, name: undefined })).toBe(isBlocked)
          expect(control.isBlocked({ hash: HASH, name: id })).toBe(isBlocked)
          if (isBlocked) statistics.count('blocked')
        }
        expect([...control.list].map(controlKey).sort()).toEqual([...model.keys()].sort())
      }
    }),
    { numRuns: 100 },
  )
  statistics.report()
})
