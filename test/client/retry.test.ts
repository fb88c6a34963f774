import type { createClient } from 'graphql-sse'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { createResumingClient } from '../../packages/client/src/graphql-sse.ts'
import { createResumingFetch } from '../../packages/client/src/index.ts'
import { retryAfterMs } from '../../packages/client/src/retry.ts'
import { asking, Body, COMPLETE, cannedFetch, result } from './canned.ts'

const URL = 'http://gateway/graphql'
const opening = (retryMs: number) => `retry: ${retryMs}\nid: 0\n\n`
const busy = (retryAfter: string) => () =>
  new Response('busy', { status: 503, headers: { 'retry-after': retryAfter, 'content-type': 'application/json' } })

/** Half of every random span. */
const RANDOM = 0.5

beforeEach(() => {
  vi.useFakeTimers()
  vi.spyOn(Math, 'random').mockReturnValue(RANDOM)
})
afterEach(() => vi.useRealTimers())

/** When each request was made, ms from the start, by what it asks for. */
function timedFetch(answers: Record<string, Parameters<typeof cannedFetch>>) {
  const start = Date.now()
  const topics = Object.entries(answers).map(([topic, own]) => {
    const { fetch } = cannedFetch(...own)
    return { topic, fetch, times: [] as number[] }
  })
  return {
    times: Object.fromEntries(topics.map(({ topic, times }) => [topic, times])),
    fetch: async (input: unknown, init?: RequestInit) => {
      const own = topics.find(({ topic }) => String(init?.body).includes(topic))
      own?.times.push(Date.now() - start)
      return (await own?.fetch(input, init)) ?? Response.error()
    },
  }
}

function subscribe(client: ReturnType<typeof createClient>, topic: string): () => void {
  const sink = { next: () => {}, error: () => {}, complete: () => {} }
  return client.subscribe({ query: `subscription { ${topic} }` }, sink)
}

/** The waits between the requests, in ms; each is up to two more, for the turn in which a failure is told. */
const gaps = (times: number[] = []) => times.slice(1).map((time, i) => time - (times[i] ?? 0))
const about = (ms: number) => expect.toSatisfy((gap: number) => gap >= ms && gap <= ms + 2, `about ${ms}`)

describe('graphql-sse comes back', () => {
  const run = async (answers: Record<string, Parameters<typeof cannedFetch>>, ms: number) => {
    const { fetch, times } = timedFetch(answers)
    const client = createResumingClient({ url: URL, resume: { fetch, heartbeatTimeoutMs: Number.POSITIVE_INFINITY } })
    for (const topic of Object.keys(answers)) subscribe(client, topic)
    await vi.advanceTimersByTimeAsync(ms)
    client.dispose()
    return times
  }

  test('after spans that double up to a cap, a random part of each', async () => {
    const { a } = await run({ a: [new TypeError('fetch failed')] }, 90_000)
    expect(gaps(a).slice(0, 8)).toEqual([500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000, 15_000].map(about))
  })

  test('after what its stream said last, and a little', async () => {
    const stream = () => new Body(`${opening(3_000) + result(1)}retry: 7000\n\n`).end()
    const { a } = await run({ a: [stream, new TypeError('fetch failed'), new Body(opening(2_000))] }, 60_000)
    expect(gaps(a)).toEqual([about(7_500), about(8_000)])
  })

  test('after what the answer to its last request said, in seconds or as a date', async () => {
    const date = () => busy(new Date(Date.now() + 30_000).toUTCString())()
    const { a } = await run({ a: [busy('20'), date, new Body(opening(0))] }, 90_000)
    expect(gaps(a)[0]).toEqual(about(20_500))
    expect(gaps(a)[1]).toSatisfy((gap: number) => gap > 29_000 && gap <= 31_002) // dates have whole seconds
  })

  test('each subscription after its own wait, also when all fail in one moment', async () => {
    const ends = Array.from({ length: 20 }, (_, i) => ({ topic: `topic${String.fromCharCode(97 + i)}`, ms: i * 1_000 }))
    const answers = ends.map(({ topic, ms }, i): [string, Parameters<typeof cannedFetch>] => [
      topic,
      i % 2
        ? [busy(String(ms / 1_000)), new Body(opening(0))]
        : [new Body(opening(ms) + result(1)).end(), new Body(opening(0))],
    ])
    const times = await run(Object.fromEntries(answers), 60_000)
    for (const { topic, ms } of ends) expect(gaps(times[topic]), topic).toEqual([about(ms + 500)])
  })

  test('from the shortest span after a stream that was well, however quiet, and however often', async () => {
    const heartbeat = 'id: 0\n\n'
    const { a } = await run({ a: [() => new Body(opening(0) + heartbeat).end()] }, 20_000)
    expect(a?.length).toBeGreaterThan(30) // the client itself would count on, since no result came
    expect(gaps(a)).toEqual(gaps(a).map(() => about(500)))
  })

  test('after longer and longer spans while streams break right behind their opening', async () => {
    const { a } = await run({ a: [() => new Body(opening(0)).end()] }, 90_000)
    expect(gaps(a).slice(0, 6)).toEqual([500, 1_000, 2_000, 4_000, 8_000, 15_000].map(about))
  })

  test('not at all after complete', async () => {
    const { a } = await run({ a: [new Body(opening(0) + result(1) + COMPLETE).end()] }, 600_000)
    expect(a).toHaveLength(1)
  })

  test('not at all once unsubscribed, and keeps no timer', async () => {
    const { fetch, times } = timedFetch({ a: [busy('3000')] })
    const stop = subscribe(createResumingClient({ url: URL, resume: { fetch } }), 'a')
    await vi.advanceTimersByTimeAsync(1_000)
    expect(vi.getTimerCount()).toBe(1)
    stop()
    await vi.advanceTimersByTimeAsync(0)
    expect(vi.getTimerCount()).toBe(0)
    expect(times.a).toHaveLength(1)
  })

  test('no later than an hour, whatever it is told', async () => {
    const { a } = await run({ a: [busy('99999999999'), new Body(opening(0))] }, 4_000_000)
    expect(gaps(a)).toEqual([about(3_600_500)])
  })

  test('in single connection mode too, to a reservation that was refused', async () => {
    const times: number[] = []
    const fetch = async () => {
      times.push(Date.now())
      return busy('5')()
    }
    const client = createResumingClient({ url: URL, singleConnection: true, resume: { fetch } })
    subscribe(client, 'a')
    await vi.advanceTimersByTimeAsync(20_000)
    client.dispose()
    expect(gaps(times)).toEqual([about(5_500), about(6_000), about(7_000)].slice(0, gaps(times).length))
    expect(times.length).toBeGreaterThan(2)
  })
})

describe('by a handle', () => {
  test('its own failures count, and its own hints', async () => {
    const { fetch } = cannedFetch(new TypeError('fetch failed'), busy('9'), new Body(opening(1_000) + result(1)).end())
    const subscription = createResumingFetch({ fetch }).subscription()
    const waits: number[] = []
    for (let i = 0; i < 3; i++) {
      const answered = subscription.fetch(URL, asking()).then(
        (response) => response.text(),
        () => {},
      )
      await vi.runAllTimersAsync()
      await answered
      const start = Date.now()
      const waited = subscription.retryWait()
      await vi.runAllTimersAsync()
      await waited
      waits.push(Date.now() - start)
    }
    expect(waits).toEqual([500, 10_000, 1_500])
  })

  test('an abort ends the wait', async () => {
    const control = new AbortController()
    const subscription = createResumingFetch({ fetch: cannedFetch(busy('9')).fetch }).subscription()
    const answered = subscription.fetch(URL, asking({ signal: control.signal }))
    await vi.runAllTimersAsync()
    await answered
    const waited = subscription.retryWait()
    control.abort()
    await waited
    expect(vi.getTimerCount()).toBe(0)
  })
})

test('without a failure to go by, the number of tries decides', async () => {
  const { retryWait } = createResumingFetch()
  const start = Date.now()
  const waited = retryWait(3).then(() => Date.now() - start)
  await vi.runAllTimersAsync()
  expect(await waited).toBe(4_000)
})

test.each([
  ['120', 120_000],
  ['0', 0],
  ['Sat, 21 Nov 2026 00:01:00 GMT', 60_000],
  ['Fri, 20 Nov 2026 00:00:00 GMT', 0],
  ['soon', 0],
  ['', 0],
  ['-5', 0],
  [null, 0],
])('Retry-After %j is a wait of %d ms', (value, ms) => {
  expect(retryAfterMs(value, Date.parse('2026-11-21T00:00:00Z'))).toBe(ms)
})
