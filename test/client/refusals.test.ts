import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { type ConnectionState, createSluiceClient, type SluiceClientError } from '../../packages/client/src/index.ts'
import { Body, OPENING } from './canned.ts'
import { ModelGateway, refusal } from './model-gateway.ts'

const URL = 'http://gateway.test/graphql'
const OPERATION = { query: 'subscription { n }' }
const REFUSING = [400, 401, 403, 404, 405, 406, 409, 410, 413, 415, 422, 451]
const PASSING = [408, 425, 429, 500, 502, 503, 504, 507]
const MINUTE = 60_000
const SILENT = { heartbeatTimeoutMs: Number.POSITIVE_INFINITY }
/** A try a second at most, on average: the first wait is up to a second, and doubles. */
const MOST_TRIES = 40

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

interface Told {
  readonly states: ConnectionState[]
  readonly errors: SluiceClientError[]
}

type Answer = (method: string, model: ModelGateway) => Response | undefined

/** A client of a model gateway that answers some requests otherwise. */
function clientOf(answer: Answer, options: { singleConnection?: boolean; auth?: () => string } = {}) {
  const model = new ModelGateway()
  const requests: { method: string; at: number; authorization: string | null }[] = []
  const fetch = async (input: unknown, init: RequestInit = {}) => {
    const method = init.method ?? 'GET'
    requests.push({ method, at: Date.now(), authorization: new Headers(init.headers).get('authorization') })
    return answer(method, model) ?? (await model.fetch(input, init))
  }
  // The model sends no heartbeats.
  const client = createSluiceClient({ url: URL, fetch: fetch as never, ...SILENT, ...options })
  const subscribe = (next: (result: unknown) => void = () => {}): Told => {
    const told: Told = { states: [], errors: [] }
    client.subscribe(OPERATION, {
      next,
      error: (error) => told.errors.push(error),
      onState: (state) => told.states.push(state),
    })
    return told
  }
  return { client, model, requests, subscribe }
}

/** Each request that can be refused: by its mode and method. */
const REQUESTS = [
  ['a stream of its own', false, 'POST'],
  ['a reservation', true, 'PUT'],
  ['the opening of a stream', true, 'GET'],
  ['the start of an operation', true, 'POST'],
] as const

/** Their stream is gone: another is reserved. */
const isGone = (status: number, method: string, single: boolean) =>
  (status === 404 && single && method !== 'PUT') || (status === 409 && method === 'GET')

test.each(REQUESTS)('a refusal of %s ends the subscription with the code', async (_name, singleConnection, method) => {
  for (const status of REFUSING.filter((each) => !isGone(each, method, singleConnection))) {
    const { requests, subscribe } = clientOf((asked) => (asked === method ? refusal(status, 'NO') : undefined), {
      singleConnection,
    })
    const { states, errors } = subscribe()
    await vi.advanceTimersByTimeAsync(MINUTE)
    expect(errors, `status ${status}`).toHaveLength(1)
    expect(errors[0]).toMatchObject({ code: 'NO', status, message: 'It is NO' })
    expect(states.at(-1)).toEqual({ status: 'ended', why: 'refused', error: errors[0] })
    expect(requests.filter((request) => request.method === method)).toHaveLength(1)
  }
})

test.each(REQUESTS)('an outage at %s is waited for, and growing', async (_name, singleConnection, method) => {
  for (const status of PASSING) {
    let isOut = true
    const answer = (asked: string) => (isOut && asked === method ? refusal(status, 'LATER') : undefined)
    const { client, requests, subscribe } = clientOf(answer, { singleConnection })
    const { states, errors } = subscribe()
    await vi.advanceTimersByTimeAsync(MINUTE)
    expect(requests.length, `requests in a minute, status ${status}`).toBeLessThan(MOST_TRIES)
    expect(requests.length).toBeGreaterThan(3)
    expect(states.at(-1)).toMatchObject({ status: 'reconnecting', cause: { code: 'LATER', status } })
    isOut = false
    await vi.advanceTimersByTimeAsync(MINUTE)
    expect(states.at(-1)).toEqual({ status: 'live' })
    expect(errors).toEqual([])
    client.dispose()
  }
})

test.each(REQUESTS)('a Retry-After of %s is kept', async (_name, singleConnection, method) => {
  const answer = (asked: string) => (asked === method ? refusal(503, 'NOT_READY', { 'retry-after': '100' }) : undefined)
  const { client, requests, subscribe } = clientOf(answer, { singleConnection })
  subscribe()
  await vi.advanceTimersByTimeAsync(99_000)
  expect(requests.filter((request) => request.method === method)).toHaveLength(1)
  await vi.advanceTimersByTimeAsync(3_000)
  expect(requests.filter((request) => request.method === method).length).toBeGreaterThan(1)
  client.dispose()
})

const stream = (body: Body) => new Response(body.stream, { headers: { 'content-type': 'text/event-stream' } })
const html = () => new Response('<!doctype html>', { headers: { 'content-type': 'text/html' } })
const json = () => new Response('{"data":{"n":1}}', { headers: { 'content-type': 'application/json' } })
const MARKER = 'id: 0\nevent: next\ndata: {"extensions":{"caughtUp":true}}\n\n'

test.each([
  ['a page', html],
  ['a result as JSON', json],
  ['nothing', () => new Response(null, { status: 204 })],
  ['an empty 200', () => new Response('')],
  ['an empty stream', () => stream(new Body().end())],
  ['a redirect that is not followed', () => new Response(null, { status: 302, headers: { location: '/' } })],
  ['a stream that ends after its opening block', () => stream(new Body(OPENING).end())],
  ['a stream that ends after its marker', () => stream(new Body(OPENING, MARKER).end())],
  ['a stream that breaks after its marker', () => stream(new Body(OPENING, MARKER).break())],
  ['a stream of no JSON', () => stream(new Body(OPENING, 'id: 1\nevent: next\ndata: {\n\n').end())],
  ['a stream of JSON that is no object', () => stream(new Body(OPENING, 'id: 1\nevent: next\ndata: null\n\n').end())],
  ['a body of another coding', () => new Response('x', { headers: { 'content-type': 'application/gzip' } })],
])('a server that answers everything with %s is asked at intervals that grow', async (_name, answer) => {
  for (const singleConnection of [false, true]) {
    for (const method of singleConnection ? ['PUT', 'GET', 'POST'] : ['POST']) {
      const { client, requests, subscribe } = clientOf((asked) => (asked === method ? answer() : undefined), {
        singleConnection,
      })
      const { states, errors } = subscribe()
      await vi.advanceTimersByTimeAsync(5 * MINUTE)
      const asked = requests.filter((request) => request.method === method)
      const first = asked.filter(({ at }) => at < asked[0]!.at + MINUTE)
      expect(first.length, `requests in a minute, ${method}`).toBeLessThan(MOST_TRIES)
      expect(asked.length, `requests in five minutes, ${method}`).toBeLessThan(2 * MOST_TRIES)
      expect(asked.length).toBeGreaterThan(5)
      expect(errors).toEqual([])
      expect(states.some(({ status }) => status === 'reconnecting')).toBe(true)
      client.dispose()
    }
  }
})

test('an answer as JSON whose errors say why is a refusal', async () => {
  const { subscribe } = clientOf(() => refusal(200, 'FORBIDDEN'))
  const { errors } = subscribe()
  await vi.advanceTimersByTimeAsync(MINUTE)
  expect(errors).toMatchObject([{ code: 'FORBIDDEN', status: 200 }])
})

test('a refusal that says no code has that of its status, however large or broken its body', async () => {
  const bodies = ['', '{', '[]', 'null', '{"errors":[]}', '{"errors":{}}', 'x'.repeat(1_000_000)]
  for (const body of bodies) {
    const { subscribe } = clientOf(() => new Response(body, { status: 403 }))
    const { errors } = subscribe()
    await vi.advanceTimersByTimeAsync(MINUTE)
    expect(errors).toMatchObject([{ code: 'HTTP_403', status: 403 }])
  }
})

test.each([false, true])(
  'credentials are asked for once more after a 401 (single connection: %s)',
  async (singleConnection) => {
    let tokens = 0
    const { client, requests, subscribe } = clientOf(
      () => (requests.at(-1)?.authorization === 'Bearer 1' ? refusal(401, 'UNAUTHENTICATED') : undefined),
      { singleConnection, auth: () => String(++tokens) },
    )
    const { states } = subscribe()
    await vi.advanceTimersByTimeAsync(1_000)
    expect(states).toEqual([{ status: 'live' }])
    expect(requests.map(({ authorization }) => authorization).slice(0, 2)).toEqual(['Bearer 1', 'Bearer 2'])
    client.dispose()

    const second = clientOf(() => refusal(401, 'UNAUTHENTICATED'), { singleConnection, auth: () => 'old' })
    const { errors } = second.subscribe()
    await vi.advanceTimersByTimeAsync(MINUTE)
    expect(errors).toMatchObject([{ code: 'UNAUTHENTICATED' }])
    expect(second.requests).toHaveLength(2)
  },
)

test('credentials that cannot be had are an outage', async () => {
  let isOut = true
  const { client, requests, subscribe } = clientOf(() => undefined, {
    auth: () => {
      if (isOut) throw new Error('The issuer is away')
      return 'token'
    },
  })
  const { states } = subscribe()
  await vi.advanceTimersByTimeAsync(MINUTE)
  expect(states.at(-1)).toMatchObject({ status: 'reconnecting', cause: new Error('The issuer is away') })
  expect(requests).toEqual([])
  isOut = false
  await vi.advanceTimersByTimeAsync(MINUTE)
  expect(states.at(-1)).toEqual({ status: 'live' })
  client.dispose()
})

test('a token that is gone is reserved anew, with the operations of the stream where they were', async () => {
  const received: unknown[] = []
  let isGone = false
  const { client, model, requests, subscribe } = clientOf(
    (method) => {
      if (!isGone || method !== 'POST') return undefined
      isGone = false
      model.restart()
      return refusal(404, 'STREAM_NOT_FOUND')
    },
    { singleConnection: true },
  )
  subscribe((result) => received.push(result))
  await vi.advanceTimersByTimeAsync(1_000)
  model.append(1)
  isGone = true
  subscribe()
  await vi.advanceTimersByTimeAsync(1)
  model.append(2)
  await vi.advanceTimersByTimeAsync(MINUTE)
  expect(received).toMatchObject([{ data: { n: 1 } }, { data: { n: 2 } }])
  expect(requests.filter(({ method }) => method === 'PUT')).toHaveLength(2)
  expect(model.running).toBe(2)
  client.dispose()
})

test('a subscription that is stopped in the turn in which it began costs no request', async () => {
  for (const singleConnection of [false, true]) {
    const { client, requests } = clientOf(() => undefined, { singleConnection })
    client.subscribe(OPERATION, { next() {} }).unsubscribe()
    await vi.advanceTimersByTimeAsync(MINUTE)
    expect(requests).toEqual([])
  }
})

test('a request that stops an operation is sent once more, and again when the operation still has results', async () => {
  let isLost = true
  const { client, model, requests } = clientOf(
    (method) => {
      if (isLost && method === 'DELETE') throw new TypeError('fetch failed')
      return undefined
    },
    { singleConnection: true },
  )
  const first = client.subscribe(OPERATION, { next() {} })
  client.subscribe(OPERATION, { next() {} })
  await vi.advanceTimersByTimeAsync(1_000)
  expect(model.running).toBe(2)
  first.unsubscribe()
  await vi.advanceTimersByTimeAsync(MINUTE)
  expect(requests.filter(({ method }) => method === 'DELETE')).toHaveLength(2)
  isLost = false
  model.append(1)
  await vi.advanceTimersByTimeAsync(1_000)
  expect(model.running).toBe(1)
  client.dispose()
})

test('an operation is stopped once its start is answered, and the request is not aborted', async () => {
  let answer = (_response: Response) => {}
  const aborted: boolean[] = []
  const model = new ModelGateway()
  const fetch = async (input: unknown, init: RequestInit = {}) => {
    const response = await model.fetch(input, init)
    if (init.method !== 'POST') return response
    return new Promise<Response>((resolve) => {
      init.signal?.addEventListener('abort', () => aborted.push(true))
      answer = resolve
      setTimeout(() => answer(response), 100)
    })
  }
  const client = createSluiceClient({ url: URL, fetch: fetch as never, ...SILENT, singleConnection: true })
  client.subscribe(OPERATION, { next() {} })
  const quick = client.subscribe(OPERATION, { next() {} })
  await vi.advanceTimersByTimeAsync(20)
  expect(model.running).toBe(2)
  quick.unsubscribe()
  await vi.advanceTimersByTimeAsync(20)
  expect(model.requests.some((request) => request.startsWith('DELETE'))).toBe(false)
  await vi.advanceTimersByTimeAsync(1_000)
  expect(model.running).toBe(1)
  expect(aborted).toEqual([])
  client.dispose()
})

test('a subscription that begins while the stream is being closed is carried by another, at intervals that grow', async () => {
  let isOut = false
  const { client, requests, subscribe } = clientOf(() => (isOut ? refusal(503, 'LATER') : undefined), {
    singleConnection: true,
  })
  subscribe()
  await vi.advanceTimersByTimeAsync(100)
  isOut = true
  client.dispose()
  const { states } = subscribe()
  await vi.advanceTimersByTimeAsync(MINUTE)
  expect(requests.length).toBeLessThan(MOST_TRIES)
  isOut = false
  await vi.advanceTimersByTimeAsync(MINUTE)
  expect(states.at(-1)).toEqual({ status: 'live' })
  client.dispose()
})

test('the last subscription of a stream takes it along, a second later', async () => {
  const { client, model, requests } = clientOf(() => undefined, { singleConnection: true })
  for (let i = 0; i < 3; i++) {
    const subscription = client.subscribe(OPERATION, { next() {} })
    await vi.advanceTimersByTimeAsync(100)
    subscription.unsubscribe()
    await vi.advanceTimersByTimeAsync(100)
  }
  expect(requests.filter(({ method }) => method === 'PUT')).toHaveLength(1)
  await vi.advanceTimersByTimeAsync(2_000)
  expect(model.open).toBe(0)
})
