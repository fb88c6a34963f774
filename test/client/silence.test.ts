import { createServer } from 'node:http'
import { type AddressInfo, createServer as createTcpServer, type Server } from 'node:net'
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { createResumingClient } from '../../packages/client/src/graphql-sse.ts'
import { createResumingFetch } from '../../packages/client/src/index.ts'
import { until } from '../kit/until.ts'
import { asking, Body, COMPLETE, cannedFetch, OPENING, result } from './canned.ts'

const URL = 'http://gateway/graphql'

describe('by the clock', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  test('a stream that is silent for 40 s breaks, and its connection is closed', async () => {
    const body = new Body(OPENING)
    const response = await createResumingFetch({ fetch: cannedFetch(body).fetch })(URL, asking())
    const reader = response.body!.getReader()
    await reader.read()
    let broken: unknown
    const waiting = reader.read().catch((error) => {
      broken = error
    })
    await vi.advanceTimersByTimeAsync(39_999)
    expect(broken).toBeUndefined()
    await vi.advanceTimersByTimeAsync(2)
    await waiting
    expect(broken).toMatchObject({ code: 'STREAM_SILENT', message: 'Nothing came for 40000 ms' })
    expect(body.cancelled).toBe(broken)
    expect(vi.getTimerCount()).toBeLessThanOrEqual(1) // the end of the turn in which it was told
  })

  test('any byte is a sign of life, also of a block that does not end', async () => {
    const body = new Body(OPENING)
    const response = await createResumingFetch({ fetch: cannedFetch(body).fetch, heartbeatTimeoutMs: 1_000 })(
      URL,
      asking(),
    )
    const reader = response.body!.getReader()
    await reader.read()
    const waiting = reader.read()
    for (const byte of result(1)) {
      await vi.advanceTimersByTimeAsync(900)
      body.write(byte)
    }
    expect(new TextDecoder().decode((await waiting).value)).toBe(result(1))
  })

  test('a reader that takes its time is not silence', async () => {
    const body = new Body(OPENING + result(1) + result(2))
    const response = await createResumingFetch({ fetch: cannedFetch(body).fetch, heartbeatTimeoutMs: 1_000 })(
      URL,
      asking(),
    )
    const reader = response.body!.getReader()
    for (let i = 0; i < 3; i++) {
      expect((await reader.read()).done).toBe(false)
      await vi.advanceTimersByTimeAsync(60_000)
    }
  })

  test('an answer that does not begin is given up, but only where a stream was asked for', async () => {
    const signals: AbortSignal[] = []
    const fetch = (_: unknown, init?: RequestInit) => {
      if (init?.signal) signals.push(init.signal)
      return new Promise<Response>(() => {})
    }
    const resuming = createResumingFetch({ fetch })
    const settled: string[] = []
    void resuming(URL, asking()).catch((error) => settled.push(error.code))
    void resuming(URL, { method: 'POST', body: '{}' }).catch(() => settled.push('query'))
    await vi.advanceTimersByTimeAsync(40_001)
    expect(settled).toEqual(['STREAM_SILENT'])
    await vi.advanceTimersByTimeAsync(400_000)
    expect(settled).toEqual(['STREAM_SILENT'])
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, false])
  })
})

async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/graphql`
}

test('graphql-sse leaves a connection that died without a word, and resumes', async () => {
  const asked: (string | undefined)[] = []
  let left = 0
  const url = await listen(
    createServer((request, response) => {
      const id = request.headers['last-event-id'] as string | undefined
      asked.push(id)
      response.on('close', () => left++)
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      if (id === undefined)
        response.write(OPENING + result(1) + result(2).slice(0, 20)) // and never again
      else response.end(result(2) + COMPLETE)
    }),
  )
  const client = createResumingClient({ url, resume: { heartbeatTimeoutMs: 1_000, baseWaitMs: 0 } })
  const events: unknown[] = []
  for await (const { data } of client.iterate<{ n: number }>({ query: 'subscription { n }' })) events.push(data?.n)
  expect(events).toEqual([1, 2])
  expect(asked).toEqual([undefined, '1'])
  await until('the dead connection is closed', () => left === 2)
})

test('graphql-sse leaves a server that accepts and says nothing', async () => {
  let [connections, closed] = [0, 0]
  const url = await listen(
    createTcpServer((socket) => {
      connections++
      socket
        .resume()
        .on('close', () => closed++)
        .on('error', () => {})
    }),
  )
  const client = createResumingClient({ url, resume: { heartbeatTimeoutMs: 50, baseWaitMs: 0 } })
  client.subscribe({ query: 'subscription { n }' }, { next: () => {}, error: () => {}, complete: () => {} })
  await until('it has tried three times', () => connections >= 3)
  client.dispose()
  await until('no connection is left behind', () => closed === connections)
})
