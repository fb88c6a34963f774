import { expect, test } from 'vitest'
import type { Authentication } from '../../../src/admission/authentication/authentication.ts'
import { Limits } from '../../../src/admission/limits/limits.ts'
import { quotasOf } from '../../../src/admission/limits/quotas.ts'
import { SluiceError } from '../../../src/errors/codes.ts'
import { schema } from '../../../src/resolvers/schema.ts'
import { anEntry, anIdentity, openAdmission } from '../../kit/admission.ts'

const CONFIG = {
  MAX_STREAMS_PER_PRINCIPAL: 10,
  MAX_STREAMS_PER_ADDRESS: 10,
  NEW_STREAMS_PER_PRINCIPAL: 10,
  MAX_GROUPS_PER_PRINCIPAL: 10,
}

/** Verification that counts, and refuses all but the friend. */
function setUp() {
  let verified = 0
  const authentication = {
    identify({ headers }: { headers: { authorization?: string } }) {
      verified++
      if (headers.authorization === 'Bearer friend') return anIdentity({ id: 'friend' })
      throw new SluiceError('UNAUTHENTICATED')
    },
  } as unknown as Authentication
  const clock = { ms: 0 }
  const limits = new Limits({ quotas: quotasOf(CONFIG, 100), now: () => clock.ms })
  const admission = openAdmission(schema, { authentication, limits })
  const code = (address: string, authorization = 'Bearer x') =>
    admission.identify(anEntry({ address, headers: { authorization } })).then(
      ({ principal }) => principal.id,
      (error: SluiceError) => error.code,
    )
  return { code, clock, verified: () => verified }
}

test('an address that sends credentials that are not valid is refused by its rate, before any are verified', async () => {
  const { code, clock, verified } = setUp()
  let sent = 0
  for (; (await code('192.0.2.1')) === 'UNAUTHENTICATED' && sent < 100_000; sent++);
  console.log(`refused after ${sent} requests in one moment`)
  expect(sent).toBeLessThan(100_000)
  const before = verified()
  expect(await code('192.0.2.1', 'Bearer friend')).toBe('RATE_LIMITED')
  expect(verified()).toBe(before)
  expect(await code('192.0.2.2', 'Bearer friend')).toBe('friend')
  clock.ms += 1_000
  expect(await code('192.0.2.1', 'Bearer friend')).toBe('friend')
})
