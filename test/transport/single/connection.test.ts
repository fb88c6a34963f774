import { describe, expect, test, vi } from 'vitest'
import { Admission } from '../../../src/admission/admission.ts'
import { anIdentity } from '../../kit/admission.ts'
import { startTestGateway } from '../../kit/gateway.ts'
import { RawStream, requestBytes } from '../../kit/raw-stream.ts'
import { until } from '../../kit/until.ts'
import { probeSchema } from '../probe-schema.ts'
import { SingleClient } from './client.ts'

const HEADER = 'x-graphql-event-stream-token'
const STREAM = { accept: 'text/event-stream' }
const ASIA = 'subscription { ordersByRegion(region: ASIA) { id } }'
const EUROPE = 'subscription { ordersByRegion(region: EUROPE) { id } }'

/** Status and code of an answer. */
const outcome = (answer: RawStream) => [answer.status, answer.body && answer.json.errors[0].extensions.code]

describe('1. a reservation', () => {
  test('is answered 201 with a token, as plain text that is safe in a URL and names the instance', async () => {
    const gateway = await startTestGateway({ env: { INSTANCE_ID: 'gateway-7' } })
    const answer = await RawStream.answer(gateway.graphql, { method: 'PUT' })
    expect([answer.status, answer.headers['content-type']]).toEqual([201, 'text/plain; charset=utf-8'])
    expect(answer.headers['cache-control']).toBe('no-store')
    // 128 bits are 22 characters of base64url.
    expect(answer.body).toMatch(/^gateway-7\.[\w-]{22}$/)
    expect(encodeURIComponent(answer.body)).toBe(answer.body)
    expect(await gateway.metric('sluice_reserved_streams')).toBe(1)
  })

  test('is another one each time', async () => {
    const gateway = await startTestGateway()
    const tokens = new Set<string>()
    for (let count = 0; count < 100; count++) {
      tokens.add((await RawStream.answer(gateway.graphql, { method: 'PUT' })).body)
    }
    expect(tokens.size).toBe(100)
  })

  test.each(['*/*', 'text/plain', 'TEXT/PLAIN', 'text/*', 'application/json, text/plain;q=0.1', undefined])(
    'is made for who accepts %s',
    async (accept) => {
      const gateway = await startTestGateway()
      const answer = await RawStream.answer(gateway.graphql, { method: 'PUT', headers: accept ? { accept } : {} })
      expect(answer.status).toBe(201)
    },
  )

  test.each(['application/json', 'text/event-stream', 'text/html', 'text/plain;q=0', 'nonsense'])(
    'is refused with 406 to who accepts %s',
    async (accept) => {
      const gateway = await startTestGateway()
      const answer = await RawStream.answer(gateway.graphql, { method: 'PUT', headers: { accept } })
      expect(outcome(answer)).toEqual([406, 'NOT_ACCEPTABLE'])
      expect(await gateway.metric('sluice_reserved_streams')).toBe(0)
    },
  )

  test('has a token of its own, whatever token is sent along', async () => {
    const gateway = await startTestGateway()
    const { token } = await SingleClient.open(gateway.graphql)
    for (const old of [token, 'unknown', '']) {
      const answer = await RawStream.answer(gateway.graphql, {
        method: 'PUT',
        search: '?token=another',
        headers: { [HEADER]: old },
      })
      expect([answer.status, answer.body === token]).toEqual([201, false])
    }
  })

  test('is read past a body that nobody asked for', async () => {
    const gateway = await startTestGateway()
    const answer = await RawStream.answer(gateway.graphql, { method: 'PUT', body: { query: '{ __typename }' } })
    expect(answer.status).toBe(201)
  })
})

describe('2. the token', () => {
  test('is taken from the header or from the URL, by every request', async () => {
    const gateway = await startTestGateway()
    for (const way of ['header', 'URL']) {
      const { token } = await SingleClient.reserve(gateway.graphql)
      const headers: Record<string, string> = way === 'header' ? { [HEADER]: token } : {}
      const search = way === 'URL' ? `?token=${token}` : '?'
      const stream = await RawStream.send(gateway.graphql, { search, headers: { ...STREAM, ...headers } })
      await stream.untilBlocks(1)
      const body = { query: ASIA, extensions: { operationId: '1' } }
      const started = await RawStream.answer(gateway.graphql, { method: 'POST', search, headers, body })
      const stopped = await RawStream.answer(gateway.graphql, {
        method: 'DELETE',
        search: `${search}&operationId=1`,
        headers,
      })
      expect([stream.status, started.status, stopped.status]).toEqual([200, 202, 200])
    }
  })

  test.each([
    ['the header and the URL', '?token=other', 'token'],
    ['the URL twice', '?token=one&token=other', undefined],
  ])('is refused with 400 where %s differ', async (_what, search, header) => {
    const gateway = await startTestGateway()
    for (const method of ['GET', 'POST', 'DELETE']) {
      const headers = { ...STREAM, ...(header && { [HEADER]: header }) }
      const answer = await RawStream.answer(gateway.graphql, { method, search, headers })
      expect(outcome(answer)).toEqual([400, 'BAD_REQUEST'])
    }
  })

  test('may come by both ways, if they agree', async () => {
    const gateway = await startTestGateway()
    const client = await SingleClient.reserve(gateway.graphql)
    const stopped = await client.ask({ method: 'DELETE', search: `?operationId=1&token=${client.token}` })
    expect(stopped.status).toBe(200)
  })
})

describe('3. the stream', () => {
  test('is opened by GET or POST with what every event stream has, and says something at once', async () => {
    const gateway = await startTestGateway()
    for (const request of [{ method: 'GET' }, { method: 'POST' }, { method: 'POST', body: {} }]) {
      const { token } = await SingleClient.reserve(gateway.graphql)
      const stream = await RawStream.send(gateway.graphql, { ...request, headers: { ...STREAM, [HEADER]: token } })
      await stream.untilBlocks(1)
      expect(stream.status).toBe(200)
      expect(stream.headers).toMatchObject({
        'content-type': 'text/event-stream; charset=utf-8',
        'cache-control': 'no-cache, no-transform',
        'x-accel-buffering': 'no',
      })
      expect(stream.headers).not.toHaveProperty('transfer-encoding')
      expect(stream.blocks).toEqual([{ retry: expect.stringMatching(/^\d{4}$/) }])
      await stream.close()
    }
  })

  test('is opened once: a second open is answered 409, and the first one goes on', async () => {
    const gateway = await startTestGateway({ schema: probeSchema().schema })
    const client = await SingleClient.open(gateway.graphql)
    const second = await client.ask({ headers: STREAM })
    expect(outcome(second)).toEqual([409, 'STREAM_ALREADY_OPEN'])
    await client.start('1', '{ hello }')
    expect(await client.untilTold(2)).toHaveLength(2)
  })

  test.each([
    'text/event-stream',
    'Text/Event-Stream',
    'application/json;q=0.5, text/event-stream',
    'text/event-stream, */*',
  ])('is opened by who accepts %s', async (accept) => {
    const gateway = await startTestGateway()
    const client = await SingleClient.reserve(gateway.graphql)
    const stream = await RawStream.send(gateway.graphql, { headers: { accept, [HEADER]: client.token } })
    await stream.untilHead()
    expect(stream.status).toBe(200)
  })

  test.each(['*/*', 'application/json', 'text/event-stream;q=0'])(
    'is not opened by who accepts %s: that is an operation without a query',
    async (accept) => {
      const gateway = await startTestGateway()
      const client = await SingleClient.reserve(gateway.graphql)
      expect(outcome(await client.ask({ headers: { accept } }))).toEqual([400, 'BAD_REQUEST'])
      expect(await gateway.metric('sluice_reserved_streams')).toBe(1)
    },
  )

  test('is not there for an unknown token', async () => {
    const gateway = await startTestGateway()
    for (const token of ['unknown', 'test.AAAAAAAAAAAAAAAAAAAAAA', '__proto__']) {
      const client = new SingleClient(gateway.graphql, token)
      expect(outcome(await client.ask({ headers: STREAM }))).toEqual([404, 'STREAM_NOT_FOUND'])
    }
  })

  test('has heartbeats of its own, also while no operation runs', async () => {
    const gateway = await startTestGateway({ env: { HEARTBEAT_MS: '100' } })
    const { stream } = await SingleClient.open(gateway.graphql)
    await until('three heartbeats came', () => stream.body.endsWith(':\n\n:\n\n:\n\n'))
  })
})

describe('4. an operation', () => {
  test('is answered 202 with no body, by POST and by GET', async () => {
    const gateway = await startTestGateway()
    const client = await SingleClient.open(gateway.graphql)
    const posted = await client.start('1', ASIA)
    const search = `?${new URLSearchParams({ query: ASIA, extensions: JSON.stringify({ operationId: '2' }) })}`
    const got = await client.ask({ search })
    for (const answer of [posted, got]) expect([answer.status, answer.body]).toEqual([202, ''])
    await gateway.produce({ id: 'a', region: 'ASIA' })
    expect((await client.untilTold(2)).map(({ id }) => id).sort()).toEqual(['1', '2'])
  })

  test('is an operation, and no second open, where it accepts an event stream', async () => {
    const gateway = await startTestGateway()
    const client = await SingleClient.open(gateway.graphql)
    const body = { query: ASIA, extensions: { operationId: '1' } }
    const answer = await client.ask({ method: 'POST', headers: STREAM, body })
    expect(answer.status).toBe(202)
  })

  test.each([undefined, '', 7, null, {}])('with the id %j is refused with 400', async (id) => {
    const gateway = await startTestGateway()
    const client = await SingleClient.open(gateway.graphql)
    expect(outcome(await client.start(id, ASIA))).toEqual([400, 'BAD_REQUEST'])
    expect(await gateway.metric('sluice_subscribers')).toBe(0)
  })

  test('with an id that is nested 5,000 deep is refused with 400', async () => {
    const gateway = await startTestGateway()
    const client = await SingleClient.open(gateway.graphql)
    const nested = '['.repeat(5_000) + ']'.repeat(5_000)
    const body = `{"query":${JSON.stringify(ASIA)},"extensions":{"operationId":${nested}}}`
    const headers = { 'content-type': 'application/json' }
    expect(outcome(await client.ask({ method: 'POST', headers, body }))).toEqual([400, 'BAD_REQUEST'])
  })

  test('with an id that is in use is refused with 409, and the first one goes on', async () => {
    const probe = probeSchema()
    const gateway = await startTestGateway({ schema: probe.schema })
    const client = await SingleClient.open(gateway.graphql)
    await client.start('1', 'subscription { silent }')
    expect(outcome(await client.start('1', 'mutation { shout(text: "x") }'))).toEqual([409, 'OPERATION_ID_IN_USE'])
    // Also while the first one is still on its way to start.
    const slow = client.start('2', 'subscription { slowToStart }')
    await until('it is refused', async () => (await client.start('2', '{ hello }')).status === 409)
    probe.release()
    expect((await slow).status).toBe(202)
    expect([probe.shouts, probe.open]).toEqual([0, 2])
  })

  test('may have an id again that is free again', async () => {
    const gateway = await startTestGateway({ schema: probeSchema().schema })
    const client = await SingleClient.open(gateway.graphql)
    for (const count of [2, 4, 6]) {
      expect((await client.start('1', '{ hello }')).status).toBe(202)
      await client.untilTold(count)
    }
  })

  test('for an unknown token is refused with 404', async () => {
    const probe = probeSchema()
    const gateway = await startTestGateway({ schema: probe.schema })
    const client = new SingleClient(gateway.graphql, 'test.unknown')
    expect(outcome(await client.start('1', 'mutation { shout(text: "x") }'))).toEqual([404, 'STREAM_NOT_FOUND'])
    expect(probe.shouts).toBe(0)
  })

  test.each([
    ['a syntax error', 'subscription {', {}, 'GRAPHQL_PARSE_FAILED'],
    ['an unknown field', 'subscription { nope }', {}, 'GRAPHQL_VALIDATION_FAILED'],
    ['a wrong variable', 'subscription ($to: Int!) { count(to: $to) }', { to: 'x' }, 'BAD_USER_INPUT'],
    ['a wrong variable of a query', 'query ($on: Boolean!) { hello @include(if: $on) }', {}, 'BAD_USER_INPUT'],
    ['a damaged cursor', 'subscription { orderIds(after: "x") }', {}, 'CURSOR_INVALID'],
  ])('that is refused for %s says so in its own answer, 400 JSON', async (_what, query, variables, code) => {
    const gateway = await startTestGateway({ schema: probeSchema().schema })
    const client = await SingleClient.open(gateway.graphql)
    const answer = await client.start('1', query, { variables })
    expect(outcome(answer)).toEqual([400, code])
    expect(answer.headers['content-type']).toBe('application/json; charset=utf-8')
    expect(answer.body).not.toContain('secret')
    // Nothing of it is left, and its id is free.
    expect((await client.start('1', '{ hello }')).status).toBe(202)
    expect((await client.untilTold(2)).map(({ event }) => event)).toEqual(['next', 'complete'])
  })

  test('whose source cannot start is accepted, and says so on the stream', async () => {
    const gateway = await startTestGateway({ schema: probeSchema().schema })
    const client = await SingleClient.open(gateway.graphql)
    for (const [query, code] of [
      ['subscription { refuses }', 'INTERNAL_SERVER_ERROR'],
      ['subscription { refusesInItsWords }', 'SUBSCRIBE_FAILED'],
      ['subscription { whereThrows }', 'INTERNAL_SERVER_ERROR'],
    ] as const) {
      const before = client.told().length
      const answer = await client.start('1', query)
      expect([answer.status, answer.body]).toEqual([202, ''])
      const told = (await client.untilTold(before + 2)).slice(before)
      expect(told).toEqual([
        { event: 'next', id: '1', payload: { errors: [expect.objectContaining({ extensions: { code } })] } },
        { event: 'complete', id: '1' },
      ])
    }
    expect(client.stream.body).not.toContain('secret')
    expect(await gateway.metric('sluice_subscribers')).toBe(0)
    expect((await client.start('1', '{ hello }')).status).toBe(202)
  })

  test('is read like any other: what is no operation is refused by its status', async () => {
    const gateway = await startTestGateway({ schema: probeSchema().schema })
    const client = await SingleClient.open(gateway.graphql)
    const headers = { 'content-type': 'text/plain' }
    expect(outcome(await client.ask({ method: 'POST', headers, body: 'x' }))).toEqual([415, 'UNSUPPORTED_MEDIA_TYPE'])
    expect(outcome(await client.ask({ method: 'POST', body: '{' }))).toEqual([400, 'BAD_REQUEST'])
    expect(outcome(await client.start('1', ''))).toEqual([400, 'BAD_REQUEST'])
    const search = `?${new URLSearchParams({ query: 'mutation { shout(text: "x") }', extensions: '{"operationId":"1"}' })}`
    const mutation = await client.ask({ search })
    expect([...outcome(mutation), mutation.headers.allow]).toEqual([405, 'METHOD_NOT_ALLOWED', 'POST'])
  })

  test('is one of 200 on its stream, and the next is refused with 429', async () => {
    const gateway = await startTestGateway()
    const client = await SingleClient.open(gateway.graphql)
    const answers = await Promise.all(Array.from({ length: 201 }, (_each, id) => client.start(`${id}`, ASIA)))
    expect(answers.filter(({ status }) => status === 202)).toHaveLength(200)
    const [refused] = answers.filter(({ status }) => status !== 202)
    expect(outcome(refused as RawStream)).toEqual([429, 'TOO_MANY_OPERATIONS'])
    expect(await gateway.metric('sluice_groups')).toBe(1)
  })

  test.each([
    ['PATCH', 'GET, POST, PUT, DELETE'],
    ['HEAD', 'GET, POST, PUT, DELETE'],
  ])('is not sent by %s', async (method, allow) => {
    const gateway = await startTestGateway()
    const client = await SingleClient.reserve(gateway.graphql)
    const answer = await RawStream.send(gateway.graphql, { method, headers: { [HEADER]: client.token } })
    await answer.untilHead()
    expect([answer.status, answer.headers.allow]).toEqual([405, allow])
  })
})

describe('5. operations before the stream opens', () => {
  test('have their results wait, and flush when it opens', async () => {
    const gateway = await startTestGateway({ schema: probeSchema().schema })
    const client = await SingleClient.reserve(gateway.graphql)
    await client.start('query', '{ hello }')
    await client.start('count', 'subscription { count(to: 3) }')
    await client.start('orders', 'subscription { orderIds }')
    await gateway.produce({ id: 'a' }, { id: 'b' })
    await client.openStream()
    await until('all came', () => client.told().length >= 8)
    expect(client.told('query')).toEqual([
      { event: 'next', id: 'query', payload: { data: { hello: 'world' } } },
      { event: 'complete', id: 'query' },
    ])
    expect(client.data('count')).toEqual([{ count: 1 }, { count: 2 }, { count: 3 }])
    expect(client.data('orders')).toEqual([{ orderIds: 'a' }, { orderIds: 'b' }])
  })
})

describe('6. frames', () => {
  test('name their operation, and results of one operation are in order', async () => {
    const gateway = await startTestGateway()
    const client = await SingleClient.open(gateway.graphql)
    await client.start('asia', ASIA)
    await client.start('europe', EUROPE)
    const orders = Array.from(
      { length: 500 },
      (_each, n) => ({ id: `${n}`, region: n % 2 ? 'ASIA' : 'EUROPE' }) as const,
    )
    for (let at = 0; at < orders.length; at += 50) await gateway.produce(...orders.slice(at, at + 50))
    await client.untilTold(500)
    const ids = (id: string) =>
      client.data(id).map((data) => (data as { ordersByRegion: { id: string } }).ordersByRegion.id)
    expect(ids('asia')).toEqual(orders.filter(({ region }) => region === 'ASIA').map(({ id }) => id))
    expect(ids('europe')).toEqual(orders.filter(({ region }) => region === 'EUROPE').map(({ id }) => id))
    expect(client.stream.body).toContain(
      'event: next\ndata: {"id":"asia","payload":{"data":{"ordersByRegion":{"id":"1"}}}}\n\n',
    )
  })

  test('have no id lines: a position is one operation’s, not the stream’s', async () => {
    const gateway = await startTestGateway({ env: { HEARTBEAT_MS: '100' } })
    const client = await SingleClient.open(gateway.graphql)
    await client.start('1', ASIA)
    await gateway.produce({ region: 'ASIA' }, { region: 'EUROPE' })
    await client.untilTold(1)
    await until('heartbeats came', () => client.stream.body.endsWith(':\n\n:\n\n'))
    expect(client.stream.body).not.toMatch(/^id:/m)
  })

  test('say complete for a finite subscription, a query and a mutation, and then the id is free', async () => {
    const probe = probeSchema()
    const gateway = await startTestGateway({ schema: probe.schema })
    const client = await SingleClient.open(gateway.graphql)
    await client.start('q', '{ hello }')
    await client.start('m', 'mutation { shout(text: "hey") }')
    await client.start('s', 'subscription { count(to: 2) }')
    await client.untilTold(7)
    expect(client.told('m')).toEqual([
      { event: 'next', id: 'm', payload: { data: { shout: 'HEY' } } },
      { event: 'complete', id: 'm' },
    ])
    expect(client.told('s').map(({ event }) => event)).toEqual(['next', 'next', 'complete'])
    expect(probe.shouts).toBe(1)
    await client.start('q', '{ hello }')
    await client.untilTold(4, 'q')
  })

  test('tell errors of a query that has begun as a result', async () => {
    const gateway = await startTestGateway({ schema: probeSchema().schema })
    const client = await SingleClient.open(gateway.graphql)
    expect((await client.start('1', '{ hello fails }')).status).toBe(202)
    const [next] = await client.untilTold(2)
    expect(next?.payload).toMatchObject({
      data: null,
      errors: [{ message: 'Unexpected error', extensions: { code: 'INTERNAL_SERVER_ERROR' } }],
    })
  })

  test('move the position of a quiet operation on, for who asks for it', async () => {
    const gateway = await startTestGateway({ env: { HEARTBEAT_MS: '100' } })
    const client = await SingleClient.open(gateway.graphql)
    await client.start('asking', ASIA, { extensions: { cursor: true } })
    await client.start('silent', ASIA)
    await gateway.produce({ id: 'a', region: 'EUROPE' })
    await until('the position moved', () => client.told('asking').length > 0)
    const { payload } = client.told('asking').at(-1) ?? {}
    expect(payload).toEqual({ extensions: { cursor: expect.any(String) } })
    expect(client.told('silent')).toEqual([])
    // It goes on behind what it was told of, and not before.
    await client.stop('asking')
    await client.start('again', 'subscription { ordersByRegion(region: EUROPE) { id } }', {
      extensions: { lastEventId: payload?.extensions?.cursor },
    })
    await gateway.produce({ id: 'b', region: 'EUROPE' })
    await client.untilTold(1, 'again')
    expect(client.data('again')).toEqual([{ ordersByRegion: { id: 'b' } }])
  })
})

describe('7. the end of an operation', () => {
  test('is answered 200, and nothing more of it comes; also for an id that is unknown', async () => {
    const gateway = await startTestGateway()
    const client = await SingleClient.open(gateway.graphql)
    await client.start('1', ASIA)
    await client.start('2', ASIA)
    for (const id of ['1', 'unknown', '1']) {
      const answer = await client.stop(id)
      expect([answer.status, answer.body]).toEqual([200, ''])
    }
    expect(await gateway.metric('sluice_subscribers')).toBe(1)
    await gateway.produce({ region: 'ASIA' })
    await client.untilTold(1, '2')
    expect(client.told('1')).toEqual([])
  })

  test('ends what it waits for: a source that starts later, or a query that runs', async () => {
    const probe = probeSchema()
    const gateway = await startTestGateway({ schema: probe.schema })
    const client = await SingleClient.open(gateway.graphql)
    const slow = client.start('1', 'subscription { slowToStart }')
    const later = client.start('2', '{ later }')
    await until('both run', async () => (await client.start('1', '{ hello }')).status === 409)
    await until('both run', async () => (await client.start('2', '{ hello }')).status === 409)
    await client.stop('1')
    await client.stop('2')
    probe.release()
    expect([(await slow).status, (await later).status]).toEqual([202, 202])
    await until('the source has ended', () => probe.open === 0)
    await client.start('3', '{ hello }')
    await client.untilTold(2, '3')
    expect(client.told()).toHaveLength(2)
  })

  test('wants an id', async () => {
    const gateway = await startTestGateway()
    const client = await SingleClient.open(gateway.graphql)
    for (const search of ['', '?operationId=', '?other=1']) {
      expect(outcome(await client.ask({ method: 'DELETE', search }))).toEqual([400, 'BAD_REQUEST'])
    }
  })

  test('wants a stream', async () => {
    const gateway = await startTestGateway()
    const unknown = await new SingleClient(gateway.graphql, 'test.unknown').stop('1')
    expect(outcome(unknown)).toEqual([404, 'STREAM_NOT_FOUND'])
    const without = await RawStream.answer(gateway.graphql, { method: 'DELETE', search: '?operationId=1' })
    expect(outcome(without)).toEqual([404, 'STREAM_NOT_FOUND'])
  })
})

describe('8. the end of the stream', () => {
  test('ends every operation, and frees the token', async () => {
    const probe = probeSchema()
    const gateway = await startTestGateway({ schema: probe.schema })
    const client = await SingleClient.open(gateway.graphql)
    await client.start('1', 'subscription { orderIds }')
    await client.start('2', 'subscription { silent }')
    const later = client.start('3', '{ later }')
    await until('the query runs', async () => (await client.start('3', '{ hello }')).status === 409)
    expect(await gateway.metric('sluice_single_streams')).toBe(1)
    await client.stream.close()
    await until('all is gone', async () => (await gateway.metric('sluice_single_streams')) === 0)
    expect(await gateway.metric('sluice_subscribers')).toBe(0)
    expect(probe.open).toBe(0)
    probe.release()
    expect((await later).status).toBe(202)
    for (const request of [{ headers: STREAM }, { method: 'DELETE', search: '?operationId=1' }]) {
      expect(outcome(await client.ask(request))).toEqual([404, 'STREAM_NOT_FOUND'])
    }
  })

  test('comes when the client sends more on its connection', async () => {
    const gateway = await startTestGateway()
    const client = await SingleClient.open(gateway.graphql)
    client.stream.socket.write(requestBytes(gateway.graphql, { method: 'PUT' }))
    await client.stream.untilEnd()
    await until('it is gone', async () => (await gateway.metric('sluice_single_streams')) === 0)
  })

  test('comes as planned when the gateway closes: a retry, and no complete', async () => {
    const gateway = await startTestGateway({ schema: probeSchema().schema })
    const client = await SingleClient.open(gateway.graphql)
    await client.start('1', 'subscription { orderIds }')
    await client.start('2', 'subscription { silent }')
    const waiting = await SingleClient.reserve(gateway.graphql)
    await waiting.start('1', 'subscription { orderIds }')
    await gateway.close()
    await client.stream.untilEnd()
    expect(client.stream.blocks.slice(1)).toEqual([{ retry: expect.stringMatching(/^\d+$/) }])
    expect(gateway.engine.stats.closes).toMatchObject({ shutdown: 3 })
    expect(gateway.engine.subscribers).toBe(0)
  })
})

describe('8. the end of the stream, for it and all other streams alike', () => {
  test('comes at its age, with a retry and no complete', async () => {
    const gateway = await startTestGateway({ env: { STREAM_MAX_AGE_MS: '1000' } })
    const client = await SingleClient.open(gateway.graphql)
    await client.start('1', ASIA)
    await client.start('2', EUROPE)
    await client.stream.untilEnd()
    expect(client.stream.blocks.slice(1)).toEqual([{ retry: expect.stringMatching(/^\d+$/) }])
    expect(gateway.engine.stats.closes).toEqual({ age: 2 })
    expect(outcome(await client.start('3', ASIA))).toEqual([404, 'STREAM_NOT_FOUND'])
  })

  test('comes in its turn when the gateway drains, and no other is reserved', async () => {
    const gateway = await startTestGateway()
    const client = await SingleClient.open(gateway.graphql)
    await client.start('1', ASIA)
    const early = await RawStream.write(gateway.graphql)
    const closing = gateway.close(500)
    early.socket.write(requestBytes(gateway.graphql, { method: 'PUT' }))
    await early.untilWhole()
    expect(outcome(early)).toEqual([503, 'NOT_READY'])
    await closing
    await client.stream.untilEnd()
    expect(client.stream.blocks.at(-1)).toEqual({ retry: expect.stringMatching(/^\d+$/) })
  })

  test('is not brought about by new streams: a full gateway reserves no more, and who is there starts operations', async () => {
    const gateway = await startTestGateway({ env: { MAX_STREAMS: '1' } })
    const early = await SingleClient.reserve(gateway.graphql)
    const client = await SingleClient.open(gateway.graphql)
    const refused = await RawStream.answer(gateway.graphql, { method: 'PUT' })
    expect(outcome(refused)).toEqual([503, 'TOO_MANY_STREAMS'])
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0)
    expect(outcome(await early.ask({ headers: STREAM }))).toEqual([503, 'TOO_MANY_STREAMS'])
    // An EventSource would take a 503 for final.
    const source = await RawStream.answer(gateway.graphql, { search: `?token=${early.token}`, headers: STREAM })
    expect([source.status, source.body]).toEqual([200, expect.stringMatching(/^retry: \d+\n\n$/)])
    expect((await client.start('1', ASIA)).status).toBe(202)
    await client.stream.close()
    await until('there is room', async () => (await gateway.metric('sluice_streams')) === 0)
    expect((await early.openStream()).status).toBe(200)
  })
})

describe('9. a token is its principal’s alone', () => {
  test('to anybody else there is no such stream', async () => {
    const spy = vi
      .spyOn(Admission.prototype, 'identify')
      .mockImplementation(async ({ headers }) => anIdentity({ id: String(headers.authorization) }))
    try {
      const gateway = await startTestGateway()
      const mine = await SingleClient.reserve(gateway.graphql, { authorization: 'me' })
      const theirs = new SingleClient(gateway.graphql, mine.token, { authorization: 'them' })
      const attempts = async () => [
        await theirs.ask({ headers: STREAM }),
        await theirs.start('2', ASIA),
        await theirs.stop('1'),
      ]
      const unknown = outcome(await new SingleClient(gateway.graphql, 'test.x').start('1', ASIA))
      for (const answer of await attempts()) expect(outcome(answer)).toEqual(unknown)
      await mine.openStream()
      await mine.start('1', ASIA)
      for (const answer of await attempts()) expect(outcome(answer)).toEqual(unknown)
      await gateway.produce({ region: 'ASIA' })
      expect(await mine.untilTold(1)).toMatchObject([{ id: '1' }])
    } finally {
      spy.mockRestore()
    }
  })
})
