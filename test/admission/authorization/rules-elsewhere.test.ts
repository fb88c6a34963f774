import { expect, onTestFinished, test, vi } from 'vitest'
import { Authorization } from '../../../src/admission/authorization/authorization.ts'
import type {
  Authorize,
  AuthorizedOperation,
  AuthorizedPrincipal,
} from '../../../src/admission/authorization/rules-elsewhere.ts'
import { anEntry, aPrincipal, openAdmission, someParams } from '../../kit/admission.ts'
import { recordedLog, silentLog } from '../../kit/log-lines.ts'
import { shop } from './shop.ts'

const QUERY = 'query Q($email: String = "a") { found: find(where: { seller: { eq: $email } }) }'

function ask(authorize: Authorize, { log = silentLog, query = QUERY, params = {} } = {}) {
  const authorization = new Authorization({ schema: shop, log, authorize })
  const admission = openAdmission(shop, { authorization })
  const principal = aPrincipal({ scopes: new Set(['b', 'a']), bounds: { seller: ['m'] } })
  const identity = { principal, audience: authorization.audienceOf(principal) }
  return (variables = {}) => admission.admit(anEntry(), identity, someParams(query, { variables, ...params }))
}

test('rules that live elsewhere see who asks for what, and can change nothing of it', async () => {
  const asked: [AuthorizedPrincipal, AuthorizedOperation][] = []
  const admit = ask((...given) => void asked.push([given[0], given[1]]))
  expect(await admit({ email: 'm' })).toHaveProperty('admitted')
  const [[principal, operation]] = asked as [[AuthorizedPrincipal, AuthorizedOperation]]
  expect(principal).toEqual({ id: 'somebody', kind: 'token', scopes: ['a', 'b'], bounds: { seller: ['m'] } })
  expect(operation).toEqual({
    type: 'query',
    name: 'Q',
    hash: expect.stringMatching(/^[0-9a-f]{64}$/),
    fields: [{ name: 'find', arguments: { where: { seller: { eq: 'm' } } } }],
    isResumed: false,
  })
  const where = operation.fields[0]?.arguments.where as { seller: { eq: string } }
  for (const change of [
    () => ((where.seller as { eq: string }).eq = 'x'),
    () => ((principal.bounds as Record<string, unknown>).seller = []),
    () => (principal.scopes as string[]).push('c'),
    () => (operation.fields as unknown[]).push(1),
  ]) {
    expect(change).toThrow(TypeError)
  }
})

test.each([
  ['nothing', () => undefined, 'admitted'],
  ['true', () => true, 'admitted'],
  ['true, later', async () => true, 'admitted'],
  ['false', () => false, 'FORBIDDEN These credentials do not allow this'],
  ['a reason', async () => 'Only on weekdays', 'FORBIDDEN Only on weekdays'],
  ['a reason without end', () => 'x'.repeat(10_000), `FORBIDDEN ${'x'.repeat(500)}`],
] as [string, Authorize, string][])('answered with %s', async (_what, authorize, verdict) => {
  const result = await ask(authorize)()
  const [error] = 'errors' in result ? result.errors : []
  expect(error ? `${String(error.extensions?.code)} ${error.message}` : 'admitted').toBe(verdict)
})

test.each([
  [
    'throws',
    () => {
      throw new Error('secret of the rules')
    },
  ],
  [
    'rejects',
    async () => {
      throw new Error('secret of the rules')
    },
  ],
  ['rejects with nothing', () => Promise.reject(undefined)],
  ['answers with a number', () => 1 as never],
  ['answers with null', () => null as never],
  ['answers with an object', () => ({ allowed: true }) as never],
] as [string, Authorize][])('one that %s is a refusal for now, and says nothing of why', async (_what, authorize) => {
  const { log, lines } = recordedLog()
  const refusal = await ask(authorize, { log })().catch((error: unknown) => error)
  expect(refusal).toMatchObject({ code: 'AUTHORIZATION_UNAVAILABLE', status: 503, retryAfterMs: 2000 })
  expect(String(refusal)).not.toContain('secret')
  expect(lines).toMatchObject([{ msg: 'The hook "authorize" failed: operations are refused' }])
})

test('one that does not answer in time is a refusal for now, and hears of it', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  onTestFinished(() => void vi.useRealTimers())
  let signal: AbortSignal | undefined
  const { promise, reject } = Promise.withResolvers<void>()
  const admit = ask((_principal, _operation, given) => {
    signal = given
    return promise
  })
  const refused = admit().catch((error: unknown) => error)
  await vi.waitFor(() => expect(signal).toBeDefined())
  expect(signal?.aborted).toBe(false)
  await vi.advanceTimersByTimeAsync(3_000)
  expect(await refused).toMatchObject({ code: 'AUTHORIZATION_UNAVAILABLE', message: /in time/ })
  expect(signal?.aborted).toBe(true)
  // What it says later is nobody's unhandled rejection.
  reject(new Error('too late'))
  await new Promise((resolve) => setImmediate(resolve))
})

test('so many wait for their verdict, and no more', async () => {
  const { promise, resolve } = Promise.withResolvers<void>()
  let asked = 0
  const admit = ask(() => {
    asked++
    return promise
  })
  const waiting = Array.from({ length: 1_000 }, () => admit())
  await vi.waitFor(() => expect(asked).toBe(1_000))
  expect(await admit().catch((error: unknown) => error)).toMatchObject({ code: 'AUTHORIZATION_UNAVAILABLE' })
  resolve()
  for (const result of await Promise.all(waiting)) expect(result).toHaveProperty('admitted')
  expect(await admit()).toHaveProperty('admitted')
})

test('they are asked after the scopes, and not about what cannot run', async () => {
  const authorize = vi.fn<Authorize>(() => true)
  expect(await ask(authorize, { query: '{ margin { percent } }' })()).toHaveProperty('errors')
  expect(await ask(authorize)({ email: { no: 'text' } })).toHaveProperty('admitted')
  expect(authorize).not.toHaveBeenCalled()
})

test('an operation with one field that cannot run is not run in part, unasked', async () => {
  const authorize = vi.fn<Authorize>(() => false)
  const query = 'query ($by: ID = "a", $yes: Boolean = true) { one: sold(by: $by) two: sale @include(if: $yes) { id } }'
  const [error] = ((await ask(authorize, { query })({ by: null })) as { errors: readonly object[] }).errors
  expect(error).toMatchObject({ extensions: { code: 'BAD_USER_INPUT' } })
  await ask(authorize, { query: 'query ($yes: Boolean = true) { sale @include(if: $yes) { id } }' })({ yes: null })
  expect(authorize).toHaveBeenCalledTimes(1)
})

test.each([
  ['a header or parameter', 'subscription { sales { id } }', { lastEventId: 'x' }, true],
  ['an argument', 'subscription { ...s } fragment s on Subscription { sales(after: "x") { id } }', {}, true],
  ['nothing', 'subscription { sales(last: 3) { id } }', {}, false],
])('that a subscription resumes is said by %s', async (_what, query, params, isResumed) => {
  const authorize = vi.fn<Authorize>()
  await ask(authorize, { query, params })()
  expect(authorize.mock.calls[0]?.[1]).toMatchObject({ type: 'subscription', isResumed })
})
