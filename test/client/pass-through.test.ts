import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { expect, onTestFinished, test } from 'vitest'
import { createResumingFetch } from '../../packages/client/src/index.ts'
import { asking, Body, cannedFetch, OPENING, result } from './canned.ts'

const URL = 'http://gateway/graphql'

test.each([
  ['JSON', () => Response.json({ data: {} })],
  ['an error', () => Response.json({ errors: [] }, { status: 400 })],
  ['an error that calls itself an event stream', () => new Response('x', { status: 500, headers: STREAM })],
  ['nothing', () => new Response(null, { status: 202 })],
  ['a stream of another kind', () => new Response('--x', { headers: { 'content-type': 'multipart/mixed' } })],
])('%s is passed on as it came', async (_what, make) => {
  const answer = make()
  const { fetch } = cannedFetch(answer)
  expect(await createResumingFetch({ fetch })(URL, asking({ signal: new AbortController().signal }))).toBe(answer)
})

const STREAM = { 'content-type': 'text/event-stream' }

test('what fetch throws is thrown on, and an abort at once', async () => {
  const broken = new TypeError('fetch failed')
  const resuming = createResumingFetch({ fetch: cannedFetch(broken).fetch })
  await expect(resuming(URL, asking())).rejects.toBe(broken)
  const signal = AbortSignal.abort('enough')
  await expect(createResumingFetch()('http://127.0.0.1:9/', asking({ signal }))).rejects.toBe('enough')
})

test('a stream keeps its status, headers and URL, and its bytes', async () => {
  const server = createServer((_, response) => {
    response.writeHead(200, 'Fine', { ...STREAM, 'x-request-id': 'r1' }).end(`${OPENING + result(1)}id: 2\ndata: cut`)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/graphql`
  const response = await createResumingFetch()(url, asking())
  expect(response).toMatchObject({ ok: true, status: 200, statusText: 'Fine', url })
  expect(response.headers.get('x-request-id')).toBe('r1')
  expect(await response.text()).toBe(OPENING + result(1))
})

test('nothing is read ahead of the reader, and cancelling reaches the connection', async () => {
  let pulls = 0
  let cancelled: unknown
  const source = new ReadableStream<Uint8Array>(
    {
      pull: (controller) => controller.enqueue(new TextEncoder().encode(result(++pulls))),
      cancel: (reason) => {
        cancelled = reason
      },
    },
    { highWaterMark: 0 },
  )
  const { fetch } = cannedFetch(new Response(source, { headers: STREAM }))
  const response = await createResumingFetch({ fetch })(URL, asking())
  await new Promise((resolve) => setTimeout(resolve))
  expect(pulls).toBe(0)
  const reader = response.body!.getReader()
  await reader.read()
  expect(pulls).toBe(1)
  await reader.cancel('enough')
  expect(cancelled).toBe('enough')
})

test('a stream may be cancelled while it waits for bytes', async () => {
  const body = new Body(OPENING)
  const response = await createResumingFetch({ fetch: cannedFetch(body).fetch })(URL, asking())
  const reader = response.body!.getReader()
  await reader.read()
  const waiting = reader.read()
  await reader.cancel('enough')
  expect(await waiting).toEqual({ done: true, value: undefined })
  expect(body.cancelled).toBe('enough')
})

test('an abort ends a stream with its reason', async () => {
  const server = createServer((_, response) => {
    response.writeHead(200, STREAM).write(OPENING)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  const control = new AbortController()
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/graphql`
  const response = await createResumingFetch()(url, asking({ signal: control.signal }))
  const reader = response.body!.getReader()
  await reader.read()
  const waiting = reader.read()
  control.abort(new Error('enough'))
  await expect(waiting).rejects.toThrow('enough')
})

test('a block that is too large breaks the stream, after all before it', async () => {
  const body = new Body(`${result(1)}data: ${'x'.repeat(200)}`)
  const subscription = createResumingFetch({ fetch: cannedFetch(body).fetch, maxBlockBytes: 100 }).subscription()
  const reader = (await subscription.fetch(URL, asking())).body!.getReader()
  expect(new TextDecoder().decode((await reader.read()).value)).toBe(result(1))
  await expect(reader.read()).rejects.toMatchObject({ code: 'BLOCK_TOO_LARGE' })
  expect(body.cancelled).toMatchObject({ code: 'BLOCK_TOO_LARGE' })
  expect(subscription.lastEventId).toBe('1')
})

test('a fetch whose bodies are streams of another kind is refused', async () => {
  const response = { ok: true, headers: new Headers(STREAM), body: Readable.from([]) } as unknown as Response
  const { fetch } = cannedFetch(() => response)
  const other = async () => (await fetch('')) && response
  await expect(createResumingFetch({ fetch: other })(URL, asking())).rejects.toMatchObject({
    code: 'BODY_NOT_READABLE',
  })
})

test.each(['heartbeatTimeoutMs', 'maxBlockBytes', 'baseWaitMs', 'maxWaitMs'])('%s must be a time or a size', (name) => {
  for (const value of [-1, Number.NaN, 2 ** 31]) {
    expect(() => createResumingFetch({ [name]: value })).toThrow(RangeError)
  }
  createResumingFetch({ [name]: Number.POSITIVE_INFINITY })
})
