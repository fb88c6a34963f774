import { writeFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { CLOSE_REASONS } from '../../../src/delivery/outlet.ts'
import type { Inspection } from '../../../src/server/inspect/inspection.ts'
import { RefusalLog } from '../../../src/server/inspect/refusal-log.ts'
import { Ring } from '../../../src/server/inspect/ring.ts'
import { keysFile, keysText } from '../../kit/api-keys.ts'
import { startTestGateway, type TestGateway } from '../../kit/gateway.ts'
import { recordedLog } from '../../kit/log-lines.ts'
import { RawStream } from '../../kit/raw-stream.ts'
import { Statistics } from '../../kit/statistics.ts'
import { fileWith, makeIssuer } from '../../kit/tokens.ts'
import { until } from '../../kit/until.ts'
import { SingleClient } from '../../transport/single/client.ts'

const QUERY = 'subscription Sales { orders { id } }'

async function inspect(gateway: TestGateway, query = ''): Promise<Inspection> {
  return (await fetch(`${gateway.adminUrl}/inspect.json${query}`)).json()
}

const as = (requestId: string, more: Record<string, string> = {}) => ({
  headers: { 'x-request-id': requestId, ...more },
})

describe('ends', () => {
  test('why a stream ended is found by the request id that its client was answered', async () => {
    const gateway = await startTestGateway({ partitions: 1 })
    const stream = await RawStream.subscribe(gateway.graphql, QUERY, as('mine'))
    expect(stream.headers['x-request-id']).toBe('mine')
    expect((await inspect(gateway, '?request=mine')).request).toMatchObject({ open: { count: 1 }, ends: [] })
    await gateway.produce({}, {})
    await stream.untilResults(2)
    await stream.close()
    await until('its end is known', async () => (await inspect(gateway)).ends.count === 1)
    const { request, ends } = await inspect(gateway, '?request=mine')
    expect(request).toMatchObject({
      open: { count: 0 },
      ends: [{ requestId: 'mine', reason: 'client', operation: { name: 'Sales' }, events: 2, transport: 'distinct' }],
    })
    expect(ends.byReason.client).toBe(1)
  })

  test('an operation on a stream of several has the request id of its own start, also in the audit log', async () => {
    const { log, lines } = recordedLog()
    const gateway = await startTestGateway({ partitions: 1, log, env: { AUDIT_LOG: 'true' } })
    const client = await SingleClient.open(gateway.graphql, { 'x-request-id': 'the-stream' })
    const one = new SingleClient(gateway.graphql, client.token, { 'x-request-id': 'op-one' })
    const two = new SingleClient(gateway.graphql, client.token, { 'x-request-id': 'op-two' })
    await one.start('1', QUERY)
    await two.start('2', QUERY)
    await client.stop('1')
    await fetch(`${gateway.adminUrl}/block`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ operation: 'Sales' }),
    })
    const reasonOf = async (id: string) => (await inspect(gateway, `?request=${id}`)).request?.ends[0]?.reason
    await until('both have ended', async () => (await reasonOf('op-two')) !== undefined)
    expect([await reasonOf('op-one'), await reasonOf('op-two')]).toEqual(['client', 'blocked'])
    expect(
      lines.filter(({ msg }) => msg === 'Operation ended').map(({ requestId, reason }) => [requestId, reason]),
    ).toEqual([
      ['op-one', 'client'],
      ['op-two', 'blocked'],
    ])
    await client.stream.close()
    await until('the stream has ended', async () => (await reasonOf('the-stream')) === 'client')
  })

  test('a drain is a change, and the ends of its streams say so', async () => {
    const gateway = await startTestGateway({ partitions: 1 })
    for (const id of ['a', 'b', 'c']) await RawStream.subscribe(gateway.graphql, QUERY, as(id))
    const closing = gateway.close(60_000)
    await until('one has ended', async () => (await inspect(gateway)).ends.byReason.shutdown > 0)
    const { health, restart, changes } = await inspect(gateway)
    expect(health).toMatchObject({ isReady: false, isDraining: true })
    expect(restart).toMatchObject({
      verdict: 'wait',
      blockers: [expect.stringMatching(/shutting down/), expect.any(String)],
    })
    expect(changes.map(({ what }) => what)).toContain('Shutting down: streams end, and no new ones are accepted')
    await closing
  })
})

describe('refusals', () => {
  test('each is found by its request id, with its code and principal, whatever refused it', async () => {
    const keys = keysFile([{ id: 'acme', key: 'secret-of-acme' }])
    const gateway = await startTestGateway({
      partitions: 1,
      env: { API_KEYS_FILE: keys, ANONYMOUS: 'true', MAX_STREAMS_PER_PRINCIPAL: '1' },
    })
    const acme = { 'x-api-key': 'secret-of-acme' }
    await RawStream.subscribe(gateway.graphql, QUERY, as('open', acme))
    await RawStream.subscribe(gateway.graphql, QUERY, as('quota', acme))
    await RawStream.subscribe(gateway.graphql, '{ nothing }', as('invalid', acme))
    await RawStream.subscribe(gateway.graphql, QUERY, as('unknown', { 'x-api-key': 'another' }))
    await RawStream.subscribe(gateway.graphql, QUERY, as('cursor', { ...acme, 'last-event-id': 'nonsense' }))
    await RawStream.answer(gateway.graphql, { method: 'PATCH', ...as('method') })
    const { refusals, principals } = await inspect(gateway)
    expect(
      Object.fromEntries(refusals.latest.map(({ requestId, code, principal }) => [requestId, [code, principal]])),
    ).toEqual({
      quota: ['RATE_LIMITED', 'acme'],
      invalid: ['GRAPHQL_VALIDATION_FAILED', 'acme'],
      unknown: ['UNAUTHENTICATED', null],
      cursor: [expect.stringMatching(/RATE_LIMITED|CURSOR_INVALID/), 'acme'],
      method: ['METHOD_NOT_ALLOWED', null],
    })
    expect(principals.shown.find(({ principal }) => principal === 'acme')).toMatchObject({
      streams: 1,
      maxStreams: 1,
      refusals: { GRAPHQL_VALIDATION_FAILED: 1 },
    })
    expect((await inspect(gateway, '?principal=acme')).principal).toMatchObject({ open: { count: 1 } })
  })

  test('those of any number of principals take bounded memory: the longest unrefused are forgotten', () => {
    const log = new RefusalLog()
    const principal = (id: string) => ({
      id,
      kind: 'key' as const,
      tokenId: undefined,
      scopes: new Set<string>(),
      bounds: {},
    })
    for (let n = 0; n < 7_000; n++) {
      const who = principal(`p_${n}`) as never
      log.answered({ requestId: `r_${n}`, address: '192.0.2.1', principal: who, code: 'RATE_LIMITED' })
      log.refused({ code: 'REVOKED', reason: 'revoked', principal: who, address: '192.0.2.1', requestId: `never ${n}` })
    }
    expect([...log.ring].length).toBe(5_000)
    expect(log.ring.count).toBe(7_000)
    expect(log.of({ kind: 'key', id: 'p_0' })).toEqual({})
    expect(log.of({ kind: 'key', id: 'p_6999' })).toEqual({ RATE_LIMITED: 1 })
  })
})

test('no secret of the configuration is shown, and what is set is', async () => {
  const secrets = { TICKET_SECRET: 'ticket-secret-of-thirty-two-characters', AUTH_COOKIE: 'hidden-cookie-name' }
  const keys = fileWith('keys.json', keysText([{ id: 'acme', key: 'hidden key' }]))
  const issuer = await makeIssuer({ algorithm: 'HS256' })
  const gateway = await startTestGateway({
    env: {
      ...secrets,
      API_KEYS_FILE: keys,
      AUTH_KEY_FILE: issuer.keyFile(),
      AUTH_ALGORITHMS: 'HS256',
      MAX_STREAMS: '77',
    },
  })
  const { instance } = await inspect(gateway)
  expect(instance.config).toMatchObject({ MAX_STREAMS: 77, TICKET_SECRET: '(set)', INSTANCE_ID: 'test' })
  const text = JSON.stringify(await inspect(gateway))
  const [jwk] = issuer.jwks.keys
  for (const hidden of [...Object.values(secrets), 'hidden key', keys, String(jwk?.k)])
    expect(text).not.toContain(hidden)
})

test('a file of keys that is read again, and partitions that are added, are changes', async () => {
  const keys = fileWith('keys.json', keysText([{ id: 'acme', key: 'one' }]))
  const gateway = await startTestGateway({ partitions: 1, env: { API_KEYS_FILE: keys, ANONYMOUS: 'true' } })
  const told = async () => (await inspect(gateway)).changes.map(({ about, what }) => `${about}: ${what}`)
  expect(await told()).toEqual(expect.arrayContaining(['orders: partitions: 1 partitions', 'orders: ready']))
  gateway.embedded.addPartitions('orders', 3)
  await gateway.produce(...Array.from({ length: 30 }, (_, n) => ({ merchantId: `m_${n}` })))
  await until('partitions are told', async () =>
    (await told()).some((line) => line === 'orders: partitions: 3 partitions'),
  )
  writeFileSync(
    keys,
    keysText([
      { id: 'acme', key: 'one' },
      { id: 'more', key: 'two' },
    ]),
  )
  await until('keys are told', async () => (await told()).includes('API keys: 2 keys, by the file as it was read'))
})

test('a parameter that is too long is refused with a sentence', async () => {
  const gateway = await startTestGateway()
  for (const name of ['search', 'request', 'principal', 'group']) {
    const response = await fetch(`${gateway.adminUrl}/inspect.json?${name}=${'x'.repeat(201)}`)
    expect([response.status, await response.text()]).toEqual([400, `"${name}" has at most 200 characters\n`])
  }
  expect(await inspect(gateway, '?group=unknown')).toMatchObject({ group: null })
})

test('a ring holds the newest of what was added, the newest first', () => {
  const statistics = new Statistics('Ring', ['full', 'not full', 'empty'])
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 9 }),
      fc.array(fc.nat(), { maxLength: 30 }),
      fc.nat(12),
      (max, items, count) => {
        const ring = new Ring<number>(max)
        for (const item of items) ring.add(item)
        const kept = items.slice(-max).reverse()
        expect([...ring]).toEqual(kept)
        expect(ring.count).toBe(items.length)
        const isEven = (item: number) => item % 2 === 0
        expect(ring.newest(count, isEven)).toEqual(kept.filter(isEven).slice(0, count))
        statistics.count(items.length === 0 ? 'empty' : items.length >= max ? 'full' : 'not full')
      },
    ),
  )
  statistics.report()
})

test('every reason of an end has a place in the counts', async () => {
  const gateway = await startTestGateway()
  expect(Object.keys((await inspect(gateway)).ends.byReason)).toEqual([...CLOSE_REASONS])
})
