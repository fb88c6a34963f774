import { beforeEach, describe, expect, test, vi } from 'vitest'
import { createBuilder } from '../../src/schema/builder.ts'
import { startTestGateway, type TestGateway } from '../kit/gateway.ts'
import { bearer, believeTokens, type Pretended } from '../kit/pretended-tokens.ts'
import { RawStream } from '../kit/raw-stream.ts'
import { until } from '../kit/until.ts'
import { probeSchema } from './probe-schema.ts'
import { SingleClient } from './single/client.ts'

const QUERY = 'subscription Watch { orders { id } }'
const OTHER = 'subscription Other { orders { id region } }'
const SOON_MS = 600

beforeEach(() => {
  believeTokens()
  // No spread: tests of that are in expiries.test.ts.
  vi.spyOn(Math, 'random').mockReturnValue(0)
  return () => void vi.restoreAllMocks()
})

const start = (options: Parameters<typeof startTestGateway>[0] = {}): Promise<TestGateway> =>
  startTestGateway({ ...options, env: { AUTH_CLOCK_TOLERANCE_MS: '0', ...options.env } })

const idOf = (data: unknown) => (data as { orders: { id: string } } | undefined)?.orders.id

/** What `POST /revoke` or `/block` answers. */
async function post(gateway: TestGateway, path: string, body: object): Promise<Record<string, unknown>> {
  const response = await fetch(`${gateway.adminUrl}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  expect([response.status, response.headers.get('content-type')]).toEqual([200, 'application/json; charset=utf-8'])
  return (await response.json()) as Record<string, unknown>
}

const subscribe = (gateway: TestGateway, token: Pretended, headers: Record<string, string> = {}, query = QUERY) =>
  RawStream.subscribe(gateway.graphql, query, { headers: { ...bearer(token), ...headers } })

const codesOf = (stream: RawStream) =>
  stream.results.flatMap(({ errors = [] }) => errors.map((e) => e.extensions?.code))

describe('distinct connections mode', () => {
  test('a stream ends at its token’s expiry, and resumes with a new token: nothing is lost or told twice', async () => {
    const gateway = await start()
    const stream = await subscribe(gateway, { id: 'acme', expiresAt: Date.now() + SOON_MS })
    await gateway.produce({ id: 'before' })
    await stream.untilResults(1)
    await stream.untilEnd()
    expect(codesOf(stream)).toEqual(['SESSION_EXPIRED'])
    const [last, retry] = stream.blocks.slice(-2)
    expect([last?.event, last?.id, retry?.event, retry?.id]).toEqual(['next', undefined, undefined, undefined])
    expect(Number(retry?.retry)).toBeLessThanOrEqual(1_250)
    expect(await gateway.metric('sluice_closes_total', { reason: 'expired' })).toBe(1)

    await gateway.produce({ id: 'between' })
    const cursor = stream.blocks.findLast(({ id }) => id !== undefined)?.id as string
    const old = { ...bearer({ id: 'acme', expiresAt: Date.now() - 1 }), 'last-event-id': cursor }
    const refused = await RawStream.subscribe(gateway.graphql, QUERY, { headers: old })
    expect([refused.status, refused.body]).toEqual([401, expect.stringContaining('SESSION_EXPIRED')])
    const again = await subscribe(gateway, { id: 'acme', expiresAt: Date.now() + 60_000 }, { 'last-event-id': cursor })
    await gateway.produce({ id: 'after' })
    await again.untilResults(2)
    const told = [stream, again].flatMap(({ results }) => results.flatMap(({ data }) => idOf(data) ?? []))
    expect(told).toEqual(['before', 'between', 'after'])
  })

  test('a stream with gzip ends with a whole gzip stream, with its error', async () => {
    const gateway = await start()
    const token = bearer({ id: 'acme', expiresAt: Date.now() + SOON_MS })
    const response = await fetch(`${gateway.graphql}?query=${encodeURIComponent(QUERY)}`, {
      headers: { ...token, accept: 'text/event-stream', 'accept-encoding': 'gzip' },
    })
    expect(response.headers.get('content-encoding')).toBe('gzip')
    // fetch decodes it, and fails where the end is cut.
    expect(await response.text()).toMatch(/"code":"SESSION_EXPIRED"}}\]}\n\nretry: \d+\n\n$/)
  })

  test('a hand-written subscription ends as well, and so does its source', async () => {
    const probe = probeSchema()
    const gateway = await start({ schema: probe.schema })
    const query = 'subscription { silent }'
    const expiring = await subscribe(gateway, { id: 'acme', expiresAt: Date.now() + SOON_MS }, {}, query)
    const revoked = await subscribe(gateway, { id: 'other' }, {}, query)
    await until('both sources have started', () => probe.open === 2)
    expect(await post(gateway, '/revoke', { principal: 'other' })).toEqual({
      revoked: { principal: 'other' },
      streams: 1,
    })
    await revoked.untilEnd()
    expect([codesOf(revoked), revoked.blocks.at(-1)?.event]).toEqual([['REVOKED'], 'complete'])
    await expiring.untilEnd()
    expect(codesOf(expiring)).toEqual(['SESSION_EXPIRED'])
    await until('both sources have ended', () => probe.open === 0)
  })

  test('a revoked principal’s streams end with REVOKED and complete; its cached token is refused, and others go on', async () => {
    const gateway = await start()
    const [one, second, other] = [
      await subscribe(gateway, { id: 'acme', tokenId: 'a' }),
      await subscribe(gateway, { id: 'acme', tokenId: 'b' }),
      await subscribe(gateway, { id: 'friend' }),
    ] as const
    await until('three streams are open', () => gateway.engine.subscribers === 3)
    expect(await post(gateway, '/revoke', { principal: 'acme' })).toEqual({
      revoked: { principal: 'acme' },
      streams: 2,
    })
    for (const stream of [one, second]) {
      await stream.untilEnd()
      expect([codesOf(stream), stream.blocks.at(-1)?.event]).toEqual([['REVOKED'], 'complete'])
    }
    const answer = await subscribe(gateway, { id: 'acme', tokenId: 'a' })
    expect([answer.status, answer.json.errors[0].extensions.code]).toEqual([403, 'REVOKED'])
    await gateway.produce({ id: 'x' })
    await other.untilResults(1)
    expect(await gateway.metric('sluice_closes_total', { reason: 'revoked' })).toBe(2)
    expect(await gateway.metric('sluice_revocations')).toBe(1)

    expect(await post(gateway, '/revoke', { principal: 'acme', undo: true })).toEqual({ undone: { principal: 'acme' } })
    expect((await subscribe(gateway, { id: 'acme', tokenId: 'a' })).status).toBe(200)
  })

  test('a revoked token id ends the streams of that token alone, and a key’s those of that key', async () => {
    const gateway = await start()
    const token = await subscribe(gateway, { id: 'acme', tokenId: 'stolen' })
    const sibling = await subscribe(gateway, { id: 'acme', tokenId: 'fresh' })
    const key = await subscribe(gateway, { id: 'acme', kind: 'key' })
    expect(await post(gateway, '/revoke', { jti: 'stolen' })).toMatchObject({ streams: 1 })
    await token.untilEnd()
    expect(await post(gateway, '/revoke', { key: 'acme' })).toMatchObject({ streams: 1 })
    await key.untilEnd()
    await gateway.produce({ id: 'x' })
    await sibling.untilResults(1)
  })

  test('a blocked operation ends by its name or its hash, everywhere, and is refused until that is undone', async () => {
    const gateway = await start()
    const [named, other] = [await subscribe(gateway, { id: 'a' }), await subscribe(gateway, { id: 'b' }, {}, OTHER)]
    expect(await post(gateway, '/block', { operation: 'Watch' })).toEqual({
      blocked: { operation: 'Watch' },
      streams: 1,
    })
    await named.untilEnd()
    expect([codesOf(named), named.blocks.at(-1)?.event]).toEqual([['OPERATION_BLOCKED'], 'complete'])
    const refused = await subscribe(gateway, { id: 'c' })
    await refused.untilWhole()
    expect([refused.status, codesOf(refused)]).toEqual([200, ['OPERATION_BLOCKED']])

    const hash = await sha256(OTHER)
    expect(await post(gateway, '/block', { operation: hash.toUpperCase() })).toMatchObject({ streams: 1 })
    await other.untilEnd()
    expect(await gateway.metric('sluice_blocked_operations')).toBe(2)
    for (const operation of [hash, 'Watch']) await post(gateway, '/block', { operation, undo: true })
    await subscribe(gateway, { id: 'b' }, {}, OTHER)
    await subscribe(gateway, { id: 'b' })
    await until('both run again', () => gateway.engine.subscribers === 2)
  })

  test.each([
    ['its operation is blocked', '/block', { operation: 'Late' }, 200, 'OPERATION_BLOCKED'],
    ['its principal is revoked', '/revoke', { principal: 'acme' }, 403, 'REVOKED'],
  ])(
    'a subscription that is being prepared does not begin when %s meanwhile',
    async (_what, path, body, status, code) => {
      const late = lateSchema()
      const gateway = await start({ schema: late.schema })
      const pending = RawStream.subscribe(gateway.graphql, 'subscription Late { late }', {
        headers: bearer({ id: 'acme' }),
      })
      await until('it is being prepared', () => late.waiting())
      await post(gateway, path, body)
      late.release()
      const answer = await pending
      await answer.untilWhole()
      expect([answer.status, answer.body]).toEqual([status, expect.stringContaining(code)])
      expect([gateway.engine.subscribers, late.open()]).toEqual([0, 0])
    },
  )
})

describe('single connection mode', () => {
  const open = (gateway: TestGateway, token: Pretended) => SingleClient.open(gateway.graphql, bearer(token))

  /** The same stream, by another token. */
  function by(client: SingleClient, token: Pretended): SingleClient {
    return new SingleClient(client.url, client.token, bearer(token))
  }

  test('at the expiry each operation is told in its envelope, and the stream ends with a short retry', async () => {
    const gateway = await start()
    const client = await open(gateway, { id: 'acme', expiresAt: Date.now() + SOON_MS })
    await client.start('1', QUERY, { extensions: { cursor: true } })
    await client.start('2', OTHER)
    await client.stream.untilEnd()
    const errors = [{ message: expect.any(String), extensions: { code: 'SESSION_EXPIRED' } }]
    for (const id of ['1', '2']) expect(client.told(id).at(-1)).toEqual({ event: 'next', id, payload: { errors } })
    expect(Number(client.stream.blocks.at(-1)?.retry)).toBeLessThanOrEqual(1_250)
    expect((await client.start('3', QUERY)).status).toBe(401)
    expect((await by(client, { id: 'acme' }).start('3', QUERY)).status).toBe(404)
  })

  test('any request with a newer token of the same rights prolongs the stream, and it goes on', async () => {
    const gateway = await start()
    const expiresAt = Date.now() + SOON_MS
    const client = await open(gateway, { id: 'acme', expiresAt })
    await client.start('1', QUERY)
    await by(client, { id: 'acme', expiresAt: expiresAt + 60_000 }).stop('no such')
    const short = await subscribe(gateway, { id: 'acme', expiresAt })
    await short.untilEnd()
    await gateway.produce({ id: 'later' })
    await client.untilTold(1)
    expect(client.data('1')).toEqual([{ orders: { id: 'later' } }])
  })

  test('a newer token of other rights does not prolong what was admitted with the old ones', async () => {
    const gateway = await start()
    const client = await open(gateway, { id: 'acme', expiresAt: Date.now() + SOON_MS, rights: 'wide' })
    await client.start('1', QUERY)
    const narrow = by(client, { id: 'acme', expiresAt: Date.now() + 60_000, rights: 'narrow' })
    expect((await narrow.start('2', QUERY)).status).toBe(202)
    await client.stream.untilEnd()
    expect(client.told('1').at(-1)?.payload?.errors?.[0]?.extensions.code).toBe('SESSION_EXPIRED')
  })

  test('an operation whose token expires before the stream’s ends it, since its rights have ended', async () => {
    const gateway = await start()
    const client = await open(gateway, { id: 'acme', expiresAt: Date.now() + 60_000, rights: 'wide' })
    await by(client, { id: 'acme', expiresAt: Date.now() + SOON_MS, rights: 'narrow' }).start('1', QUERY)
    await client.stream.untilEnd()
    expect(client.told('1').at(-1)?.payload?.errors?.[0]?.extensions.code).toBe('SESSION_EXPIRED')
  })

  test('a revocation tells each operation, with complete, and takes reserved streams too', async () => {
    const gateway = await start()
    const client = await open(gateway, { id: 'acme' })
    await client.start('1', QUERY)
    await client.start('2', OTHER)
    const reserved = await SingleClient.reserve(gateway.graphql, bearer({ id: 'acme' }))
    await reserved.start('1', QUERY)
    expect(await post(gateway, '/revoke', { principal: 'acme' })).toMatchObject({ streams: 2 })
    await client.stream.untilEnd()
    for (const id of ['1', '2']) {
      const [result, complete] = client.told(id)
      expect([result?.payload?.errors?.[0]?.extensions.code, complete?.event]).toEqual(['REVOKED', 'complete'])
    }
    expect(await gateway.metric('sluice_reserved_streams')).toBe(0)
    expect((await reserved.ask({ headers: { accept: 'text/event-stream' } })).status).toBe(403)
    await post(gateway, '/revoke', { principal: 'acme', undo: true })
    expect((await reserved.ask({ headers: { accept: 'text/event-stream' } })).status).toBe(404)
  })

  test('a revoked token ends the stream on which it has started an operation, or which it has prolonged', async () => {
    const gateway = await start()
    const [first, second] = [
      await open(gateway, { id: 'acme', tokenId: 'a' }),
      await open(gateway, { id: 'acme', tokenId: 'a' }),
    ]
    const expiresAt = Date.now() + 60_000
    await by(first, { id: 'acme', tokenId: 'b', rights: 'others' }).start('1', QUERY)
    const untouched = await open(gateway, { id: 'acme', tokenId: 'a', expiresAt })
    await by(untouched, { id: 'acme', tokenId: 'c', expiresAt: expiresAt + 1 }).stop('no such')
    expect(await post(gateway, '/revoke', { jti: 'b' })).toMatchObject({ streams: 1 })
    await first.stream.untilEnd()
    expect(await post(gateway, '/revoke', { jti: 'c' })).toMatchObject({ streams: 1 })
    await untouched.stream.untilEnd()
    expect(second.stream.ended).toBe(false)
  })

  test('a blocked operation ends alone, is refused on its stream, and runs again when that is undone', async () => {
    const gateway = await start()
    const client = await open(gateway, { id: 'acme' })
    await client.start('1', QUERY)
    await client.start('2', OTHER)
    expect(await post(gateway, '/block', { operation: 'Watch' })).toMatchObject({ streams: 1 })
    const [result, complete] = await client.untilTold(2, '1')
    expect([result?.payload?.errors?.[0]?.extensions.code, complete?.event]).toEqual(['OPERATION_BLOCKED', 'complete'])
    const refused = await client.start('3', QUERY)
    expect([refused.status, refused.json.errors[0].extensions.code]).toEqual([400, 'OPERATION_BLOCKED'])
    await gateway.produce({ id: 'x' })
    await client.untilTold(1, '2')
    expect(client.told('1')).toHaveLength(2)
    await post(gateway, '/block', { operation: 'Watch', undo: true })
    expect((await client.start('3', QUERY)).status).toBe(202)
  })

  test('an operation that is blocked while it is being prepared ends, and its source with it', async () => {
    const late = lateSchema()
    const gateway = await start({ schema: late.schema })
    const client = await open(gateway, { id: 'acme' })
    const pending = client.start('1', 'subscription Late { late }')
    await until('it is being prepared', () => late.waiting())
    await post(gateway, '/block', { operation: 'Late' })
    const [result, complete] = await client.untilTold(2, '1')
    expect([result?.payload?.errors?.[0]?.extensions.code, complete?.event]).toEqual(['OPERATION_BLOCKED', 'complete'])
    late.release()
    await pending
    expect([gateway.engine.subscribers, late.open()]).toEqual([0, 0])
    expect(client.told('1')).toHaveLength(2)
  })
})

async function sha256(text: string): Promise<string> {
  return Buffer.from(await crypto.subtle.digest('SHA-256', Buffer.from(text))).toString('hex')
}

/** A subscription whose `subscribe` waits until it is released. */
function lateSchema() {
  const builder = createBuilder()
  const gate = Promise.withResolvers<void>()
  let waits = false
  let open = 0
  async function* source(): AsyncGenerator<number> {
    open++
    try {
      yield await new Promise<number>(() => {})
    } finally {
      open--
    }
  }
  builder.queryType({ fields: (t) => ({ ok: t.boolean({ resolve: () => true }) }) })
  builder.subscriptionType({
    fields: (t) => ({
      late: t.int({
        subscribe: async () => {
          waits = true
          await gate.promise
          return source()
        },
        resolve: (value: unknown) => value as number,
      }),
    }),
  })
  return { schema: builder.toSchema(), waiting: () => waits, release: () => gate.resolve(), open: () => open }
}
