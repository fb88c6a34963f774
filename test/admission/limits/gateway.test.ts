import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { Limits } from '../../../src/admission/limits/limits.ts'
import { aPrincipal } from '../../kit/admission.ts'
import { as, at, believePrincipals } from '../../kit/believed-principals.ts'
import { startTestGateway, type TestGateway } from '../../kit/gateway.ts'
import { RawStream } from '../../kit/raw-stream.ts'
import { until } from '../../kit/until.ts'

const ORDERS = 'subscription { orders { id } }'
const STREAM = { accept: 'text/event-stream' }
const TOKEN = 'x-graphql-event-stream-token'
const BEHIND_PROXY = { TRUSTED_PROXIES: '127.0.0.1' }

function gatewayWith(env: Record<string, string> = {}): Promise<TestGateway> {
  believePrincipals()
  return startTestGateway({ env: { ...BEHIND_PROXY, ...env } })
}

const open = (gateway: TestGateway, headers: Record<string, string>, query = ORDERS) =>
  RawStream.subscribe(gateway.graphql, query, { headers })

const refusals = (gateway: TestGateway, limit: string) => gateway.metric('sluice_limit_refusals_total', { limit })

/** Status, code, and whether it is said when to come back. */
function outcome({ status, json, headers }: RawStream) {
  return [status, json.errors[0].extensions.code, Number(headers['retry-after']) > 0]
}
const LIMITED = [429, 'RATE_LIMITED', true]

describe('streams of a principal', () => {
  test('beyond its limit are refused by 429 with Retry-After, wherever it comes from, until one has closed', async () => {
    const gateway = await gatewayWith({ MAX_STREAMS_PER_PRINCIPAL: '2' })
    const first = await open(gateway, as('greedy', '192.0.2.1'))
    await open(gateway, as('greedy', '192.0.2.2'))
    const refused = await open(gateway, as('greedy', '192.0.2.3'))
    expect(outcome(refused)).toEqual(LIMITED)
    expect(refused.json.errors[0].message).toContain('MAX_STREAMS_PER_PRINCIPAL')
    expect(refused.json.errors[0].extensions.limit).toBe('principal_streams')
    expect(await refusals(gateway, 'principal_streams')).toBe(1)
    expect((await open(gateway, as('friendly', '192.0.2.3'))).status).toBe(200)
    await first.close()
    await until('its room is free', async () => (await open(gateway, as('greedy'))).status === 200)
  })

  test('beyond its limit are refused late, so that asking again at once is no way to be heard', async () => {
    const gateway = await gatewayWith({ MAX_STREAMS_PER_PRINCIPAL: '1' })
    await open(gateway, as('greedy'))
    const began = performance.now()
    for (let count = 0; count < 3; count++) expect(outcome(await open(gateway, as('greedy')))).toEqual(LIMITED)
    // Timers are never early by more than their resolution.
    expect(performance.now() - began).toBeGreaterThan(3 * 199)
  })

  test('that were opened and refused, or never opened, take no room', async () => {
    const gateway = await gatewayWith({ MAX_STREAMS_PER_PRINCIPAL: '1' })
    for (const query of [
      'subscription { orders(after: "damaged") { id } }',
      '{ __typename }',
      'subscription { nothing }',
    ])
      for (let count = 0; count < 3; count++) await open(gateway, as('acme'), query)
    const stream = await open(gateway, as('acme'))
    expect([stream.status, stream.headers['content-type']]).toEqual([200, 'text/event-stream; charset=utf-8'])
    await stream.untilBlocks(1)
    expect(await gateway.metric('sluice_streams')).toBe(1)
  })

  test('are answered to a native EventSource by 200, a `retry:` and the end', async () => {
    const gateway = await gatewayWith({ MAX_STREAMS_PER_PRINCIPAL: '1' })
    await open(gateway, as('greedy'))
    const search = `?query=${encodeURIComponent(ORDERS)}`
    const answer = await RawStream.answer(gateway.graphql, { search, headers: { ...STREAM, ...as('greedy') } })
    expect(answer.status).toBe(200)
    expect(answer.blocks).toEqual([{ retry: expect.any(String) }])
    expect(Number(answer.blocks[0]?.retry)).toBeGreaterThanOrEqual(1_000)
  })

  test('count in single connection mode as well: at the reservation, and when it is opened', async () => {
    const gateway = await gatewayWith({ MAX_STREAMS_PER_PRINCIPAL: '2' })
    const reserve = () => RawStream.answer(gateway.graphql, { method: 'PUT', headers: as('greedy') })
    const [a, b, c] = [await reserve(), await reserve(), await reserve()]
    const opened = (token: string) =>
      RawStream.send(gateway.graphql, { headers: { ...STREAM, ...as('greedy'), [TOKEN]: token } })
    for (const { body } of [a, b]) await (await opened(body)).untilBlocks(1)
    const refused = await RawStream.answer(gateway.graphql, {
      headers: { ...STREAM, ...as('greedy'), [TOKEN]: c.body },
    })
    expect(outcome(refused)).toEqual(LIMITED)
    expect(outcome(await reserve())).toEqual(LIMITED)
    expect(outcome(await open(gateway, as('greedy')))).toEqual(LIMITED)
  })
})

describe('streams of an address', () => {
  test('are counted for its /64 network if it is an IPv6 address', async () => {
    const gateway = await gatewayWith({ MAX_STREAMS_PER_ADDRESS: '2' })
    await open(gateway, at('2001:db8:0:1::1'))
    await open(gateway, at('2001:db8:0:1:ffff::2'))
    const refused = await open(gateway, at('2001:db8:0:1:1234:5678:9abc:def0'))
    expect(outcome(refused)).toEqual(LIMITED)
    expect(refused.json.errors[0].message).toContain('The address 2001:db8:0:1::/64 has 2 open streams')
    expect((await open(gateway, at('2001:db8:0:2::1'))).status).toBe(200)
    expect(await refusals(gateway, 'address_streams')).toBe(1)
  })

  test('leave room for others when they have filled the half that they may', async () => {
    const gateway = await gatewayWith({ MAX_STREAMS: '10' })
    for (let count = 0; count < 5; count++) expect((await open(gateway, at('192.0.2.1'))).status).toBe(200)
    expect(outcome(await open(gateway, at('192.0.2.1')))).toEqual(LIMITED)
    for (let count = 0; count < 5; count++) expect((await open(gateway, at('192.0.2.2'))).status).toBe(200)
    expect((await open(gateway, at('192.0.2.3'))).status).toBe(503)
  })

  test('are counted for all its principals together', async () => {
    const gateway = await gatewayWith({ MAX_STREAMS_PER_ADDRESS: '2' })
    for (const id of ['a', 'b']) await open(gateway, as(id, '192.0.2.1'))
    expect(outcome(await open(gateway, as('c', '192.0.2.1')))).toEqual(LIMITED)
  })

  test('beyond the rate are refused, though all before have closed', async () => {
    const gateway = await gatewayWith({ MAX_STREAMS_PER_ADDRESS: '1', NEW_STREAMS_PER_ADDRESS: '1' })
    const codes: unknown[] = []
    for (let count = 0; count < 14; count++) {
      const stream = await open(gateway, at('192.0.2.1'))
      if (stream.status === 200) {
        await stream.close()
        await until('it has closed', async () => (await gateway.metric('sluice_streams')) === 0)
      } else codes.push(stream.json.errors[0].extensions.limit)
    }
    expect(codes.length).toBeGreaterThan(0)
    expect(new Set(codes)).toEqual(new Set(['address_new_streams']))
  })
})

test('requests beyond the rate are refused by 429, to a native EventSource by `retry:`', async () => {
  const spy = vi.spyOn(Limits.prototype, 'demandRequest')
  onTestFinished(() => spy.mockRestore())
  const gateway = await gatewayWith()
  const request = { method: 'POST', headers: as('greedy', '192.0.2.1'), body: { query: '{ __typename }' } }
  expect((await RawStream.answer(gateway.graphql, request)).status).toBe(200)
  const limits = spy.mock.contexts[0] as Limits
  /** More than any client of this test sends in so short a time. */
  const useUp = () =>
    expect(() => {
      for (let count = 0; count < 1e6; count++) limits.demandRequest(aPrincipal({ id: 'greedy' }), '192.0.2.1')
    }).toThrow(expect.objectContaining({ code: 'RATE_LIMITED' }))
  await until('a request is refused', async () => {
    useUp()
    const answer = await RawStream.answer(gateway.graphql, request)
    if (answer.status === 200) return false
    expect(outcome(answer)).toEqual(LIMITED)
    expect(answer.json.errors[0].extensions.limit).toBe('principal_requests')
    return true
  })
  await until('an EventSource is refused', async () => {
    useUp()
    const search = `?query=${encodeURIComponent(ORDERS)}`
    const stream = await RawStream.send(gateway.graphql, {
      search,
      headers: { ...STREAM, ...as('greedy', '192.0.2.1') },
    })
    const [block] = await stream.untilBlocks(1)
    expect(stream.status).toBe(200)
    await stream.close()
    return block?.id === undefined && Number(block?.retry) >= 1_000
  })
  expect((await open(gateway, as('friendly', '192.0.2.1'))).status).toBe(200)
})

test('new documents are refused while a principal has no CPU time left, and known ones are not', async () => {
  const gateway = await gatewayWith()
  const ask = (query: string, headers = as('greedy', '192.0.2.1')) =>
    RawStream.answer(gateway.graphql, { method: 'POST', headers, body: { query } })
  const known = '{ known: __typename }'
  await ask(known)
  const fields = Array.from({ length: 900 }, (_, field) => `f${field}: __typename`).join(' ')
  let refused: RawStream | undefined
  for (let count = 0; count < 3_000 && !refused; count++) {
    const answer = await ask(`query q${count} { ${fields} }`)
    if (answer.status === 429) refused = answer
    // Somebody uses it, so that it stays cached.
    if (count % 10 === 0) await ask(known, as('friendly', '192.0.2.1'))
  }
  expect(refused && outcome(refused)).toEqual(LIMITED)
  expect(refused?.json.errors[0].extensions.limit).toBe('principal_preparing')
  expect((await ask(known)).status).toBe(200)
  expect((await ask('{ friendly: __typename }', as('friendly', '192.0.2.1'))).status).toBe(200)
}, 120_000)

describe('different subscriptions', () => {
  const nth = (n: number) => `subscription { ordersByMerchant(merchantId: "m_${n}") { id } }`
  const groups = (gateway: TestGateway) => gateway.metric('sluice_groups')

  test('of a principal are refused beyond its limit, and those that exist may be joined', async () => {
    const gateway = await gatewayWith({ MAX_GROUPS_PER_PRINCIPAL: '2' })
    const [first] = [await open(gateway, as('greedy'), nth(1)), await open(gateway, as('greedy'), nth(2))]
    const refused = await open(gateway, as('greedy'), nth(3))
    expect(outcome(refused)).toEqual(LIMITED)
    expect(refused.json.errors[0].message).toContain('MAX_GROUPS_PER_PRINCIPAL')
    await open(gateway, as('friendly'), nth(3))
    expect((await open(gateway, as('greedy'), nth(3))).status).toBe(200)
    expect(await groups(gateway)).toBe(3)
    await first.close()
    await until('its group has ended', async () => (await groups(gateway)) === 2)
    expect((await open(gateway, as('greedy'), nth(4))).status).toBe(200)
  })

  test('in all are refused beyond their limit, but for those that make room by ending one that lingers', async () => {
    const gateway = await gatewayWith({ MAX_GROUPS: '2' })
    const lingering = await open(gateway, as('a'), nth(1))
    await lingering.untilBlocks(1)
    await gateway.produce({ merchantId: 'm_1' })
    await lingering.untilResults(1)
    await lingering.close()
    await until('nobody is in it', async () => (await gateway.metric('sluice_subscribers')) === 0)
    expect(await groups(gateway)).toBe(1)
    await open(gateway, as('b'), nth(2))
    expect((await open(gateway, as('b'), nth(3))).status).toBe(200)
    expect(await groups(gateway)).toBe(2)
    const refused = await open(gateway, as('c'), nth(4))
    expect(outcome(refused)).toEqual(LIMITED)
    expect(refused.json.errors[0].message).toContain('MAX_GROUPS')
    expect(await refusals(gateway, 'groups')).toBe(1)
    expect((await open(gateway, as('c'), nth(3))).status).toBe(200)
  })

  test('of a principal that linger end before it is refused', async () => {
    const gateway = await gatewayWith({ MAX_GROUPS_PER_PRINCIPAL: '1' })
    const lingering = await open(gateway, as('a'), nth(1))
    await lingering.untilBlocks(1)
    await gateway.produce({ merchantId: 'm_1' })
    await lingering.untilResults(1)
    await lingering.close()
    await until('nobody is in it', async () => (await gateway.metric('sluice_subscribers')) === 0)
    expect((await open(gateway, as('a'), nth(2))).status).toBe(200)
    expect(await groups(gateway)).toBe(1)
  })

  test('are refused on a stream that carries several by 429 to their request', async () => {
    const gateway = await gatewayWith({ MAX_GROUPS_PER_PRINCIPAL: '1' })
    const { body: token } = await RawStream.answer(gateway.graphql, { method: 'PUT', headers: as('a') })
    const start = (n: number) =>
      RawStream.answer(gateway.graphql, {
        method: 'POST',
        headers: { ...as('a'), [TOKEN]: token },
        body: { query: nth(n), extensions: { operationId: `${n}` } },
      })
    expect((await start(1)).status).toBe(202)
    expect(outcome(await start(2))).toEqual(LIMITED)
    // The refused one has left its id free.
    expect(outcome(await start(2))).toEqual(LIMITED)
  })
})
