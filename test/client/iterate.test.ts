import { expect, onTestFinished, test } from 'vitest'
import { createSluiceClient, type Result } from '../../packages/client/src/index.ts'
import { until } from '../kit/until.ts'
import { Body, COMPLETE, cannedFetch, OPENING, result } from './canned.ts'
import { ModelGateway, refusal } from './model-gateway.ts'

const OPERATION = { query: 'subscription { n }' }
type Data = { n: number }

function clientOf(...answers: Parameters<typeof cannedFetch>) {
  const canned = cannedFetch(...answers)
  const client = createSluiceClient({ url: 'http://gateway.test/graphql', fetch: canned.fetch as never, baseWaitMs: 0 })
  onTestFinished(() => client.dispose())
  return { client, ...canned }
}

const numberOf = ({ value }: IteratorResult<Result<Data>>) => (value as Result<Data> | undefined)?.data?.n

test('it begins with the first next, and ends with complete', async () => {
  const { client, signals } = clientOf(new Body(OPENING, result(1), result(2), COMPLETE))
  const iterator = client.iterate<Data, never>(OPERATION)
  await Promise.resolve()
  expect(signals).toHaveLength(0)
  const received = []
  for await (const { data } of iterator) received.push(data?.n)
  expect(received).toEqual([1, 2])
  expect(await iterator.next()).toEqual({ value: undefined, done: true })
})

test('leaving the loop ends the stream, and so does return while a result is waited for', async () => {
  const body = new Body(OPENING, result(1), result(2))
  for await (const { data } of clientOf(body).client.iterate<Data, never>(OPERATION)) {
    expect(data?.n).toBe(1)
    break
  }
  await until('the stream is left', () => body.cancelled !== undefined)
  const quiet = new Body(OPENING)
  const iterator = clientOf(quiet).client.iterate<Data, never>(OPERATION)
  const pending = iterator.next()
  await until('the stream is open', () => quiet.stream.locked)
  expect(await iterator.return?.()).toEqual({ value: undefined, done: true })
  expect(await pending).toEqual({ value: undefined, done: true })
  await until('the stream is left', () => quiet.cancelled !== undefined)
})

test('its signal ends it, also before it has begun', async () => {
  const body = new Body(OPENING, result(1))
  const stop = new AbortController()
  const { client, signals } = clientOf(body)
  const received = []
  for await (const { data } of client.iterate<Data, never>(OPERATION, { signal: stop.signal })) {
    received.push(data?.n)
    setImmediate(() => stop.abort())
  }
  expect(received).toEqual([1])
  for await (const _ of client.iterate<Data, never>(OPERATION, { signal: stop.signal })) received.push('again')
  expect(received).toEqual([1])
  expect(signals).toHaveLength(1)
})

test('a refusal is thrown once, behind what came before it', async () => {
  const refused = clientOf(() => refusal(403, 'FORBIDDEN')).client.iterate<Data, never>(OPERATION)
  await expect(refused.next()).rejects.toMatchObject({ code: 'FORBIDDEN', status: 403 })
  expect(await refused.next()).toEqual({ value: undefined, done: true })
  const body = new Body(OPENING, result(1), result(2)).end()
  const later = clientOf(body, () => refusal(401, 'UNAUTHENTICATED')).client.iterate<Data, never>(OPERATION)
  expect(numberOf(await later.next())).toBe(1)
  expect(numberOf(await later.next())).toBe(2)
  await expect(later.next()).rejects.toMatchObject({ code: 'UNAUTHENTICATED' })
})

test('variables that cannot be sent are thrown by the first next', async () => {
  const iterator = clientOf(new Body(OPENING)).client.iterate({ query: 'subscription { n }', variables: { a: 1n } })
  await expect(iterator.next()).rejects.toThrow(TypeError)
})

/** So many results may be on their way in the streams of the platform, beside those that wait in the client. */
const MOST_READ = 80

test('of results that nobody takes few are read: the others wait on their way', async () => {
  let sent = 0
  const body = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        controller.enqueue(new TextEncoder().encode(sent === 0 ? OPENING : result(sent)))
        sent++
      },
    },
    { highWaterMark: 0 },
  )
  const answer = () => new Response(body, { headers: { 'content-type': 'text/event-stream' } })
  const iterator = clientOf(answer).client.iterate<Data, never>(OPERATION)
  expect(numberOf(await iterator.next())).toBe(1)
  await until('the client is full', () => sent > 60)
  for (let turn = 0; turn < 200; turn++) await new Promise((resolve) => setImmediate(resolve))
  expect(sent).toBeLessThan(MOST_READ)
  for (let n = 2; n < 500; n++) expect(numberOf(await iterator.next())).toBe(n)
  expect(sent).toBeLessThan(500 + MOST_READ)
  await iterator.return?.()
})

test('in single connection mode an operation whose results nobody takes is stopped, and goes on when they are', async () => {
  const model = new ModelGateway()
  const client = createSluiceClient({
    url: 'http://g.test/graphql',
    fetch: model.fetch as never,
    singleConnection: true,
    baseWaitMs: 0,
  })
  onTestFinished(() => client.dispose())
  const iterator = client.iterate<Data, never>(OPERATION, { from: '0' })
  const first = iterator.next()
  const others: unknown[] = []
  const other = client.subscribe<Data, never>(OPERATION, { next: ({ data }) => others.push(data?.n) }, { from: '0' })
  await until('both run', () => model.running === 2)
  const wanted = Array.from({ length: 1_000 }, (_, i) => i + 1)
  for (const n of wanted) model.append(n)
  await until('the other has all', () => others.length === wanted.length)
  await until('the first is stopped', () => model.running === 1)
  const received = [numberOf(await first)]
  while (received.length < wanted.length) received.push(numberOf(await iterator.next()))
  expect(received).toEqual(wanted)
  expect(others).toEqual(wanted)
  expect(model.requests.filter((request) => request.startsWith('PUT'))).toHaveLength(1)
  await iterator.return?.()
  other.unsubscribe()
  await until('nothing runs', () => model.running === 0)
})

test('its position is that of the last result whose successor was asked for', async () => {
  const values = new Map<string, string>()
  const storage = {
    getItem: (key: string) => values.get(key) ?? null,
    setItem: (key: string, value: string) => void values.set(key, value),
    removeItem: (key: string) => void values.delete(key),
  }
  const load = (body: Body) => {
    const { fetch, lastEventIds } = cannedFetch(body)
    const client = createSluiceClient({ url: 'http://gateway.test/graphql', fetch: fetch as never, storage })
    onTestFinished(() => client.dispose())
    return { iterator: client.iterate<Data, never>(OPERATION, { keep: 'n' }), lastEventIds }
  }
  const { iterator } = load(new Body(OPENING, result(1), result(2), result(3), 'id: 9\n\n'))
  expect(numberOf(await iterator.next())).toBe(1)
  expect(numberOf(await iterator.next())).toBe(2)
  // In the middle of the second.
  await iterator.return?.()
  const next = load(new Body(OPENING, result(2)))
  expect(numberOf(await next.iterator.next())).toBe(2)
  expect(next.lastEventIds).toEqual(['1'])
  // An operation that is complete has no position, also where its last results are taken after its end.
  for await (const _ of load(new Body(OPENING, result(2), result(3), COMPLETE)).iterator) await Promise.resolve()
  expect([...values]).toEqual([])
})
