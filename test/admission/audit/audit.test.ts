import { describe, expect, test } from 'vitest'
import { Audit } from '../../../src/admission/audit/audit.ts'
import type { OpenStream } from '../../../src/admission/open-stream.ts'
import { ANYBODY, anIdentity, anOwner, aPrincipal } from '../../kit/admission.ts'
import { as, believePrincipals } from '../../kit/believed-principals.ts'
import { startTestGateway } from '../../kit/gateway.ts'
import { recordedLog } from '../../kit/log-lines.ts'
import { RawStream } from '../../kit/raw-stream.ts'
import { until } from '../../kit/until.ts'

const ORDERS = 'subscription Secret { orders(where: { city: { eq: "Hidden" } }) { id } }'

function setup() {
  const clock = { now: 1_000 }
  const { log, lines } = recordedLog()
  return { clock, lines, audit: new Audit({ log, now: () => clock.now }) }
}

const streamOf = (id: string): OpenStream => ({
  owner: anOwner({ identity: anIdentity({ id }), operation: { hash: 'abc', name: 'Orders' } }),
  transport: 'distinct',
  openedAt: 500,
  events: 2,
  bytesWritten: 300,
})

describe('through a gateway', () => {
  async function gatewayWithAudit(env: Record<string, string> = {}) {
    believePrincipals()
    const { log, lines } = recordedLog()
    const gateway = await startTestGateway({ log, env: { AUDIT_LOG: 'true', ...env } })
    return { gateway, audited: () => lines.filter(({ audit }) => audit === true) }
  }

  test('a stream in parts is told of as such', async () => {
    const { gateway, audited } = await gatewayWithAudit()
    const headers = { ...as('acme'), accept: 'multipart/mixed;subscriptionSpec=1.0' }
    const stream = await RawStream.subscribe(gateway.graphql, ORDERS, { headers })
    await stream.close()
    await until('its end is told', () => audited().length === 2)
    expect(audited()).toMatchObject([
      { msg: 'Stream opened', transport: 'multipart' },
      { msg: 'Stream ended', transport: 'multipart' },
    ])
  })

  test('a stream is told of when it opens and when it ends: whose, what, why, for how long, and how much', async () => {
    const { gateway, audited } = await gatewayWithAudit()
    const headers = { ...as('acme'), 'x-request-id': 'r-1' }
    const stream = await RawStream.subscribe(gateway.graphql, ORDERS, { headers })
    await stream.untilBlocks(1)
    await gateway.produce({ city: 'Hidden' })
    await stream.untilResults(1)
    await stream.close()
    await until('its end is told', () => audited().length === 2)
    const who = { principal: 'acme', kind: 'token', jti: 'jti of acme', address: '127.0.0.1', requestId: 'r-1' }
    const operation = { hash: expect.stringMatching(/^[0-9a-f]{64}$/), name: 'Secret' }
    expect(audited()).toMatchObject([
      { msg: 'Stream opened', ...who, operation, transport: 'distinct' },
      {
        msg: 'Stream ended',
        ...who,
        operation,
        transport: 'distinct',
        reason: 'client',
        ms: expect.any(Number),
        events: 1,
        bytes: stream.received.length,
      },
    ])
    expect(JSON.stringify(audited())).not.toMatch(/Hidden|Bearer|orders\(/)
  })

  test('why a stream ended is told: a drain, as well', async () => {
    const { gateway, audited } = await gatewayWithAudit()
    const stream = await RawStream.subscribe(gateway.graphql, ORDERS)
    await stream.untilBlocks(1)
    await gateway.close()
    expect(audited().at(-1)).toMatchObject({ msg: 'Stream ended', reason: 'shutdown', kind: 'anonymous' })
  })

  test('queries, and the operations of a stream that carries several, are told of', async () => {
    const { gateway, audited } = await gatewayWithAudit()
    await RawStream.answer(gateway.graphql, {
      method: 'POST',
      headers: as('a'),
      body: { query: 'query Q { __typename }' },
    })
    const { body: token } = await RawStream.answer(gateway.graphql, { method: 'PUT', headers: as('a') })
    const headers = { ...as('a'), 'x-graphql-event-stream-token': token }
    const stream = await RawStream.send(gateway.graphql, { headers: { ...headers, accept: 'text/event-stream' } })
    await stream.untilBlocks(1)
    const body = { query: ORDERS, extensions: { operationId: '1' } }
    await RawStream.answer(gateway.graphql, { method: 'POST', headers, body })
    expect(audited()).toMatchObject([
      { msg: 'Operation admitted', type: 'query', operation: { name: 'Q' } },
      { msg: 'Stream opened', transport: 'single' },
      { msg: 'Operation admitted', type: 'subscription', transport: 'single', operation: { name: 'Secret' } },
    ])
    expect(JSON.stringify(audited())).not.toContain(token)
  })

  test('refusals are told of with their code and reason, by a limit or not', async () => {
    const { gateway, audited } = await gatewayWithAudit({ MAX_STREAMS_PER_PRINCIPAL: '1' })
    await (await RawStream.subscribe(gateway.graphql, ORDERS, { headers: as('a') })).untilBlocks(1)
    for (let count = 0; count < 5; count++) await RawStream.subscribe(gateway.graphql, ORDERS, { headers: as('a') })
    await RawStream.answer(gateway.graphql, { method: 'POST', headers: as('b'), body: { query: '{ nothing }' } })
    expect(audited().filter(({ msg }) => msg === 'Refused')).toMatchObject([
      { principal: 'a', code: 'RATE_LIMITED', reason: 'principal_streams' },
      { principal: 'b', code: 'GRAPHQL_VALIDATION_FAILED', reason: 'graphql_validation_failed' },
    ])
    expect(await gateway.metric('sluice_limit_refusals_total', { limit: 'principal_streams' })).toBe(5)
    expect(await gateway.metric('sluice_refusals_total', { code: 'GRAPHQL_VALIDATION_FAILED' })).toBe(1)
    expect(await gateway.metric('sluice_admissions_total', { outcome: 'refused' })).toBe(6)
  })

  test('nothing is told of where it is off', async () => {
    const { gateway, audited } = await gatewayWithAudit({ AUDIT_LOG: 'false' })
    await (await RawStream.subscribe(gateway.graphql, ORDERS)).untilBlocks(1)
    expect(audited()).toEqual([])
  })
})

describe('the volume', () => {
  test('of one client is bounded, what is left out is told with the next line, and others have their lines', () => {
    const { clock, lines, audit } = setup()
    for (let count = 0; count < 10_000; count++) audit.opened(streamOf('greedy'))
    expect(lines).toHaveLength(2_500)
    audit.opened(streamOf('friendly'))
    expect(lines.at(-1)).toMatchObject({ principal: 'friendly' })
    expect(lines.at(-1)).not.toHaveProperty('unlogged')
    clock.now += 50
    audit.closed(streamOf('greedy'), 'client')
    expect(lines.at(-1)).toMatchObject({ msg: 'Stream ended', ms: 550, unlogged: 7_500 })
  })

  test('of all clients is bounded, by whatever names they come', () => {
    const { clock, lines, audit } = setup()
    for (let count = 0; count < 50_000; count++) audit.opened(streamOf(`made up ${count}`))
    expect(lines).toHaveLength(20_000)
    clock.now += 1_000
    for (let count = 0; count < 1_000; count++) audit.opened(streamOf(`later ${count}`))
    expect(lines).toHaveLength(20_200)
    expect(lines[20_000]).toMatchObject({ unlogged: 30_000 })
  })

  test('of a refusal that is repeated is one line, which says how often when it comes again', () => {
    const { lines, audit } = setup()
    const refusal = { code: 'RATE_LIMITED', reason: 'principal_requests', address: '192.0.2.1' }
    for (let count = 0; count < 1_000; count++) audit.refused({ ...refusal, principal: aPrincipal({ id: 'greedy' }) })
    audit.refused({ ...refusal, principal: ANYBODY.principal })
    audit.refused({ ...refusal, principal: undefined, code: 'UNAUTHENTICATED' })
    expect(lines).toHaveLength(3)
  })
})
