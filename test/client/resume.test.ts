import fc from 'fast-check'
import { createClient } from 'graphql-sse'
import { expect, onTestFinished, test } from 'vitest'
import { createResumingClient } from '../../packages/client/src/graphql-sse.ts'
import { createResumingFetch } from '../../packages/client/src/index.ts'
import { Statistics } from '../kit/statistics.ts'
import { until } from '../kit/until.ts'
import { asking, Body, COMPLETE, cannedFetch, OPENING, result } from './canned.ts'
import { CutServer, type Framing, openingBytes } from './cut-server.ts'

interface Application {
  readonly events: number[]
  error: unknown
  done: boolean
}

type Client = ReturnType<typeof createClient>

function subscribe(client: Client, topic = 'a'): Application {
  const application: Application = { events: [], error: undefined, done: false }
  client.subscribe<{ n: number }>(
    { query: 'subscription ($topic: String) { n(topic: $topic) text }', variables: { topic } },
    {
      next: ({ data }) => void application.events.push(data?.n ?? Number.NaN),
      error: (error) => {
        application.error = error
        application.done = true
      },
      complete: () => {
        application.done = true
      },
    },
  )
  return application
}

function resumingClient(url: string): Client {
  const client = createResumingClient({ url, resume: { baseWaitMs: 0 } })
  onTestFinished(() => client.dispose())
  return client
}

function plainClient(url: string): Client {
  const retry = () => Promise.resolve()
  const client = createClient({ url, retryAttempts: Number.POSITIVE_INFINITY, retry })
  onTestFinished(() => client.dispose())
  return client
}

const EVENTS = [1, 2, 3, 4, 5]
/** What is lost without the wrapper needs no proof at every byte. */
const PLAIN_EVERY = 5

/** The bytes of a whole stream of `EVENTS`, so that every place in it can be cut. */
async function streamBytes(framing: Framing): Promise<number> {
  const server = await CutServer.start({ framing })
  const body = JSON.stringify({ variables: { topic: 'a' } })
  const response = await fetch(server.url, { method: 'POST', body })
  server.append('a', ...EVENTS)
  server.finish('a')
  return (await response.arrayBuffer()).byteLength
}

test.each(['close', 'chunked'] as const)(
  'a stream that is cut at any byte is whole for the application, and would not be without (ends told by: %s)',
  async (framing) => {
    const size = await streamBytes(framing)
    const first = openingBytes()
    let [lossy, lost, stuck] = [0, 0, 0]
    for (let place = first; place <= size; place++) {
      for (const make of place % PLAIN_EVERY === 0 ? [resumingClient, plainClient] : [resumingClient]) {
        // The cut comes with the events: the opening block has gone out, or the subscription had not begun.
        const server = await CutServer.start({ framing, cuts: place === first ? [first] : [place] })
        const application = subscribe(make(server.url))
        await until('the client has its opening block', () => server.ready + (place === first ? 1 : 0) > 0)
        if (place === first) await until('the cut stream has been asked for again', () => server.opened.length > 1)
        server.append('a', ...EVENTS)
        server.finish('a')
        if (make === resumingClient) {
          await until(`the application is done, cut at ${place}`, () => application.done)
          expect(application, `cut at ${place}`).toEqual({ events: EVENTS, error: undefined, done: true })
        } else {
          await until('the plain client is done', () => application.done, 250).catch(() => stuck++)
          if (application.events.length < EVENTS.length) lossy++
          lost += EVENTS.length - application.events.length
        }
      }
    }
    const cuts = size - first + 1
    const plain = Math.floor(size / PLAIN_EVERY) - Math.ceil(first / PLAIN_EVERY) + 1
    console.log(`${framing}: ${cuts} cuts, nothing lost; without: ${lossy} of ${plain} runs lost ${lost} events`)
    if (stuck > 0) console.log(`${stuck} plain clients never ended`)
    expect(lossy).toBeGreaterThan(plain * 0.8)
  },
)

test('many subscriptions over streams that are cut again and again, anyhow, have every event once and in order', async () => {
  const statistics = new Statistics('cut streams', [
    'runs',
    'subscriptions',
    'streams',
    'resumed streams',
    'cuts within the opening block',
    'LF',
    'CR',
    'CRLF',
    'chunked',
    'small writes',
  ])
  const run = fc.record({
    subscriptions: fc.integer({ min: 1, max: 6 }),
    events: fc.integer({ min: 1, max: 30 }),
    cuts: fc.array(fc.oneof(fc.nat(60), fc.nat(1_500)), { maxLength: 20 }),
    framing: fc.constantFrom('close', 'chunked'),
    lineEnd: fc.constantFrom('\n', '\r', '\r\n'),
    writes: fc.constantFrom(1, 7, Number.POSITIVE_INFINITY),
    bursts: fc.integer({ min: 1, max: 5 }),
  })
  await fc.assert(
    fc.asyncProperty(run, async ({ subscriptions, events, cuts, bursts, ...options }) => {
      // What is cut before a position came is a subscription that has not begun: those begin first.
      const whole = Array.from({ length: subscriptions }, () => openingBytes(options.lineEnd))
      const server = await CutServer.start({ ...options, cuts: [...whole, ...cuts] })
      const client = resumingClient(server.url)
      const topics = whole.map((_, i) => `topic ${i % 3}`)
      const applications = topics.map((topic) => subscribe(client, topic))
      await until('every subscription has had a stream', () => server.opened.length > subscriptions)
      const first = server.opened.slice(0, subscriptions)
      expect(first.every(({ lastEventId }) => lastEventId === undefined)).toBe(true)
      await until('every subscription resumes', () => resumed(server) >= subscriptions)

      const wanted = Array.from({ length: events }, (_, i) => i)
      for (let burst = 0; burst < bursts; burst++) {
        const part = wanted.filter((event) => event % bursts === burst)
        for (const topic of new Set(topics)) server.append(topic, ...part)
        const count = part.length
        const sofar = wanted.filter((event) => event % bursts <= burst).length
        if (count) await until('all have the burst', () => applications.every((one) => one.events.length >= sofar))
      }
      for (const topic of new Set(topics)) server.finish(topic)
      await until('all are done', () => applications.every(({ done }) => done))
      const order = Array.from({ length: bursts }, (_, burst) => wanted.filter((event) => event % bursts === burst))
      for (const application of applications) {
        expect(application).toEqual({ events: order.flat(), error: undefined, done: true })
      }
      client.dispose()

      statistics.count('runs')
      statistics.count('subscriptions', subscriptions)
      statistics.count('streams', server.opened.length)
      statistics.count('resumed streams', resumed(server))
      statistics.count('cuts within the opening block', cuts.filter((place) => place < 20).length)
      statistics.count({ '\n': 'LF', '\r': 'CR', '\r\n': 'CRLF' }[options.lineEnd])
      if (options.framing === 'chunked') statistics.count('chunked')
      if (options.writes < 10) statistics.count('small writes')
    }),
    { numRuns: 60, interruptAfterTimeLimit: 30_000 },
  )
  statistics.report()
})

function resumed(server: CutServer): number {
  return server.opened.filter(({ lastEventId }) => lastEventId !== undefined).length
}

test('a stream that ends in the moment of its last message neither hangs nor ends the client', async () => {
  const bodies = () => [
    new Body(OPENING + result(1) + result(2)).end(),
    new Body(OPENING + result(3)).break(),
    new Body(`${OPENING}${result(3)}${result(4)}${COMPLETE}`),
  ]
  const { fetch, lastEventIds } = cannedFetch(...bodies())
  const client = createResumingClient({ url: 'http://gateway/graphql', resume: { fetch, baseWaitMs: 0 } })
  const application = subscribe(client)
  await until('the application is done', () => application.done)
  // A body that errors drops what was not read of it: 3 comes with the next one.
  expect(application).toEqual({ events: [1, 2, 3, 4], error: undefined, done: true })
  expect(lastEventIds).toEqual([null, '2', '2'])
})

test('graphql-sse alone is at its end when an error follows a message at once', async () => {
  let pulls = 0
  const source = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (pulls++ === 0) controller.enqueue(new TextEncoder().encode(result(1)))
      else controller.error(new TypeError('terminated'))
    },
  })
  const { fetch, lastEventIds } = cannedFetch(new Response(source))
  const application = subscribe(createClient({ url: 'http://gateway/graphql', fetchFn: fetch, retryAttempts: 9 }))
  await until('the application is done', () => application.done)
  expect(application).toMatchObject({ events: [1], error: { message: 'terminated' } })
  expect(lastEventIds).toHaveLength(1)
})

test.each([
  ['end', (body: Body) => body.end()],
  ['error', (body: Body) => body.break()],
])('the %s of a stream comes when everything that waited for its last block has run', async (_what, finish) => {
  const body = new Body(result(1))
  const response = await createResumingFetch({ fetch: cannedFetch(body).fetch })('http://gateway/', asking())
  const reader = response.body!.getReader()
  await reader.read()
  finish(body)
  let told = false
  const tell = () => {
    told = true
  }
  reader.read().then(tell, tell)
  for (let i = 0; i < 1_000; i++) await Promise.resolve()
  expect(told).toBe(false)
  await until('it is told', () => told)
})

test.each(['close', 'chunked'] as const)(
  'a client that reads through pipes, and slowly, loses nothing that the pipes hold (ends told by: %s)',
  async (framing) => {
    const server = await CutServer.start({ framing, cuts: [200, 150, 150] })
    const subscription = createResumingFetch({ baseWaitMs: 0 }).subscription()
    const body = JSON.stringify({ variables: { topic: 'a' } })
    const events: number[] = []
    let [done, errors] = [false, 0]
    for (; !done; await subscription.retryWait()) {
      const response = await subscription.fetch(server.url, asking({ body }))
      if (server.opened.length === 1) {
        server.append('a', ...EVENTS)
        server.finish('a')
      }
      const texts = response.body?.pipeThrough(new TextDecoderStream()).pipeThrough(new TransformStream())
      try {
        for await (const block of texts ?? []) {
          await new Promise((resolve) => setTimeout(resolve, 5)) // the stream ends before its reader is through
          for (const [, n] of block.matchAll(/"n":(\d+)/g)) events.push(Number(n))
          if (block.startsWith('event: complete')) done = true
        }
      } catch {
        errors++ // by chunks, a cut is an error; by the connection's close it cannot be told from an end
      }
    }
    expect(events).toEqual(EVENTS)
    expect(server.opened.length).toBeGreaterThan(2)
    expect(errors).toBe(framing === 'chunked' ? server.opened.length - 1 : 0)
  },
)
