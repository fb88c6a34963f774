import { writeFileSync } from 'node:fs'
import { EventSource } from 'eventsource'
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { startCuttingProxy } from '../../e2e/cutting-proxy.ts'
import { keysFile, keysText } from '../../kit/api-keys.ts'
import { startTestGateway, type TestGateway } from '../../kit/gateway.ts'
import { recordedLog } from '../../kit/log-lines.ts'
import { RawStream } from '../../kit/raw-stream.ts'
import { type Issuer, makeIssuer } from '../../kit/tokens.ts'
import { until } from '../../kit/until.ts'

const QUERY = 'subscription ($region: Region!) { ordersByRegion(region: $region) { id } }'
const OPERATION = { query: QUERY, variables: { region: 'EUROPE' } }
const STREAM = { accept: 'text/event-stream' }
const MINUTE_MS = 60_000

let issuer: Issuer
beforeAll(async () => {
  issuer = await makeIssuer()
})

async function start(env: Record<string, string> = {}) {
  const clock = { ms: Date.now() }
  const { log, lines } = recordedLog()
  const gateway = await startTestGateway({ log, env: { AUTH_KEY_FILE: issuer.keyFile(), ...env }, now: () => clock.ms })
  return { gateway, clock, lines }
}

async function post(gateway: TestGateway, body: unknown, headers?: Record<string, string>): Promise<Response> {
  return fetch(`${gateway.url}/ticket`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(headers ?? { authorization: `Bearer ${await issuer.sign()}` }) },
    body: JSON.stringify(body),
  })
}

async function ticketOf(response: Promise<Response>): Promise<string> {
  return ((await (await response).json()) as { ticket: string }).ticket
}

const open = (gateway: TestGateway, search: Record<string, string>, headers: Record<string, string> = {}) =>
  RawStream.send(gateway.graphql, { search: `?${new URLSearchParams(search)}`, headers: { ...STREAM, ...headers } })

async function answerOf(stream: Promise<RawStream>) {
  const answer = await stream
  await answer.untilWhole()
  return [answer.status, /"code":"(\w+)"/.exec(answer.body)?.[1]]
}

describe('POST /ticket', () => {
  test.each<[string, unknown, number, string]>([
    ['a query', { query: '{ __typename }' }, 400, 'BAD_REQUEST'],
    ['a mutation', { query: 'mutation { placeOrder(input: {}) { id } }' }, 400, 'GRAPHQL_VALIDATION_FAILED'],
    ['an operation that does not fit the schema', { query: 'subscription { nope }' }, 400, 'GRAPHQL_VALIDATION_FAILED'],
    ['an operation with a syntax error', { query: 'subscription {' }, 400, 'GRAPHQL_PARSE_FAILED'],
    ['no operation', {}, 400, 'BAD_REQUEST'],
    ['a list', [OPERATION], 400, 'BAD_REQUEST'],
    ['a name that is none of its own', { ...OPERATION, operationName: 'X' }, 400, 'OPERATION_NAME_INVALID'],
  ])('gives none for %s', async (_what, body, status, code) => {
    const { gateway } = await start()
    const response = await post(gateway, body)
    const { errors } = (await response.json()) as { errors: { extensions: { code: string } }[] }
    expect([response.status, errors[0]?.extensions.code]).toEqual([status, code])
  })

  test('is the only method, and takes JSON only', async () => {
    const { gateway } = await start()
    for (const method of ['GET', 'PUT', 'DELETE']) {
      const response = await fetch(`${gateway.url}/ticket`, { method })
      expect([response.status, response.headers.get('allow')]).toEqual([405, 'POST'])
    }
    const form = await fetch(`${gateway.url}/ticket`, {
      method: 'POST',
      headers: { authorization: `Bearer ${await issuer.sign()}`, 'content-type': 'text/plain' },
      body: JSON.stringify(OPERATION),
    })
    expect(form.status).toBe(415)
  })

  test('gives none for a ticket, nor for a credential in its URL', async () => {
    const { gateway } = await start()
    const ticket = await ticketOf(post(gateway, OPERATION))
    const again = await fetch(`${gateway.url}/ticket?ticket=${ticket}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(OPERATION),
    })
    expect(again.status).toBe(401)
  })
})

describe('a ticket is good for its operation alone', () => {
  test('which the URL may repeat, with nothing changed', async () => {
    const { gateway } = await start()
    const ticket = await ticketOf(post(gateway, OPERATION))
    const variables = JSON.stringify(OPERATION.variables)
    for (const search of [{ ticket }, { ticket, query: QUERY, variables }]) {
      const stream = await open(gateway, search)
      await stream.untilHead()
      expect(stream.status).toBe(200)
      await gateway.produce({ id: 'ord_x' })
      await until('the order came', () => stream.received.includes('ord_x'))
    }
  })

  test.each([
    ['another operation', { query: '{ __typename }' }],
    ['other variables', { query: QUERY, variables: '{"region":"ASIA"}' }],
    ['its variables alone', { variables: '{"region":"ASIA"}', query: QUERY, operationName: 'X' }],
    ['more extensions', { query: QUERY, variables: '{"region":"EUROPE"}', extensions: '{"x":1}' }],
  ])('and not with %s', async (_what, search) => {
    const { gateway } = await start()
    const ticket = await ticketOf(post(gateway, OPERATION))
    expect(await answerOf(open(gateway, { ticket, ...search }))).toEqual([200, 'FORBIDDEN'])
    expect([await gateway.metric('sluice_streams'), await gateway.metric('sluice_groups')]).toEqual([0, 0])
  })

  test('which has to be repeated where it was too long for the ticket', async () => {
    const { gateway } = await start()
    const query = `${QUERY} # ${'x'.repeat(3_000)}`
    const ticket = await ticketOf(post(gateway, { ...OPERATION, query }))
    expect(await answerOf(open(gateway, { ticket }))).toEqual([400, 'BAD_REQUEST'])
    const stream = await open(gateway, { ticket, query, variables: JSON.stringify(OPERATION.variables) })
    await stream.untilHead()
    expect(stream.status).toBe(200)
  })

  test('and neither for a reservation, nor for a stream of several, nor by POST', async () => {
    const { gateway } = await start()
    const search = `?ticket=${await ticketOf(post(gateway, OPERATION))}`
    for (const request of [
      { method: 'PUT', search },
      { method: 'POST', search, headers: STREAM, body: OPERATION },
      { method: 'DELETE', search: `${search}&token=x` },
      { search: `${search}&token=x`, headers: STREAM },
    ]) {
      expect((await RawStream.answer(gateway.graphql, request)).status).toBe(401)
    }
    expect(await gateway.metric('sluice_reserved_streams')).toBe(0)
  })
})

test('a ticket of an API key ends with the key', async () => {
  const path = keysFile([{ id: 'acme', key: 'k' }])
  const { gateway } = await start({ API_KEYS_FILE: path })
  const ticket = await ticketOf(post(gateway, OPERATION, { 'x-api-key': 'k' }))
  const stream = await open(gateway, { ticket })
  await stream.untilHead()
  expect(stream.status).toBe(200)
  writeFileSync(path, keysText([]))
  await until('the key is gone', async () => (await gateway.metric('sluice_api_keys')) === 0)
  expect(await answerOf(open(gateway, { ticket }, { 'last-event-id': 'x' }))).toEqual([401, 'UNAUTHENTICATED'])
})

test('after its five minutes only a reconnect opens a stream, and after its token nothing does', async () => {
  const { gateway, clock } = await start()
  const ticket = await ticketOf(post(gateway, OPERATION))
  const first = await open(gateway, { ticket })
  const [{ id = '' } = {}] = await first.untilBlocks(1)
  clock.ms += 6 * MINUTE_MS
  expect(await answerOf(open(gateway, { ticket }))).toEqual([401, 'SESSION_EXPIRED'])
  expect(await answerOf(open(gateway, { ticket }, { 'last-event-id': '' }))).toEqual([401, 'SESSION_EXPIRED'])
  expect(await answerOf(open(gateway, { ticket, lastEventId: id }))).toEqual([401, 'SESSION_EXPIRED'])
  const again = await open(gateway, { ticket }, { 'last-event-id': id })
  await again.untilHead()
  expect(again.status).toBe(200)
  clock.ms += 60 * MINUTE_MS
  expect(await answerOf(open(gateway, { ticket }, { 'last-event-id': id }))).toEqual([401, 'SESSION_EXPIRED'])
})

test('no secret is in a log line, at any level', async () => {
  const { gateway, lines } = await start({
    LOG_LEVEL: 'trace',
    API_KEYS_FILE: keysFile([{ id: 'acme', key: 'k-secret' }]),
  })
  const token = await issuer.sign()
  const ticket = await ticketOf(post(gateway, OPERATION, { authorization: `Bearer ${token}` }))
  const requests = [
    open(gateway, { ticket }),
    open(gateway, { ticket: `${ticket}x` }),
    open(gateway, { ticket, query: '{ nope }' }),
    open(gateway, { ticket, query: QUERY }, { 'x-api-key': 'k-secret' }),
    open(gateway, { query: QUERY }, { authorization: `Bearer ${token}` }),
    open(gateway, { query: QUERY }, { authorization: `Bearer ${token}x`, 'x-api-key': 'k-secret' }),
    open(gateway, { query: '{ streams { topic } }' }, { 'x-api-key': 'k-secret' }),
  ]
  for (const request of requests) await (await request).untilHead()
  await gateway.close()
  const text = JSON.stringify(lines)
  for (const secret of [token, ticket, 'k-secret']) expect(text).not.toContain(secret)
})

test('an EventSource with a ticket comes back after every cut, also after five minutes, and misses nothing', async () => {
  const { gateway, clock } = await start()
  const proxy = await startCuttingProxy(gateway.url, 7, 600)
  const url = new URL('/graphql', proxy.url)
  url.searchParams.set('ticket', await ticketOf(post(gateway, OPERATION)))
  const received: string[] = []
  const source = new EventSource(url)
  onTestFinished(() => source.close())
  source.addEventListener('next', ({ data }) => received.push(JSON.parse(data).data.ordersByRegion.id))
  await until('it is subscribed', async () => (await gateway.metric('sluice_subscribers')) === 1)
  proxy.startCutting()
  const produced: string[] = []
  const produceUntilCut = async (times: number) => {
    for (const end = proxy.cuts() + times; proxy.cuts() < end; ) {
      produced.push(`e${produced.length}`)
      await gateway.produce({ id: produced.at(-1) as string })
      await until('it came', () => received.at(-1) === produced.at(-1))
    }
  }
  await produceUntilCut(2)
  clock.ms += 6 * MINUTE_MS
  await produceUntilCut(2)
  expect(received).toEqual(produced)

  clock.ms += 60 * MINUTE_MS
  await until('it gives up at the next cut, with the token', async () => {
    await gateway.produce({})
    return source.readyState === EventSource.CLOSED
  })
})
