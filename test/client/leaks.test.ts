import { getEventListeners } from 'node:events'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, test } from 'vitest'
import { createResumingClient } from '../../packages/client/src/graphql-sse.ts'
import { createResumingFetch } from '../../packages/client/src/index.ts'
import { Subscriptions } from '../../packages/client/src/subscription.ts'
import { until } from '../kit/until.ts'
import { asking, Body, COMPLETE, cannedFetch, OPENING, result } from './canned.ts'

setFlagsFromString('--expose-gc')
const collect: () => void = runInNewContext('gc')

const URL = 'http://gateway/graphql'
const MANY = 1_000
/** The heap breathes a little. */
const HEAP_SLACK = 1.05

async function untilCollected(what: string, references: readonly WeakRef<object>[]): Promise<void> {
  await until(`${what} are collected`, () => {
    collect()
    return references.every((reference) => reference.deref() === undefined)
  })
}

function heapAfterCollection(): number {
  for (let round = 0; round < 5; round++) collect()
  return process.memoryUsage().heapUsed
}

test('a subscription that ended, however it did, leaves nothing of itself', async () => {
  const ways = ['completed', 'unsubscribed', 'unsubscribed while it waits'] as const
  const references: WeakRef<object>[] = []
  const answers = {
    completed: () => new Body(OPENING + result(1) + COMPLETE).end(),
    unsubscribed: () => new Body(OPENING + result(1)),
    'unsubscribed while it waits': () => new Response('busy', { status: 503, headers: { 'retry-after': '3600' } }),
  }
  let way: (typeof ways)[number] = 'completed'
  const fetch = async (_: unknown, init?: RequestInit): Promise<Response> => {
    const answer = answers[way]()
    const response =
      answer instanceof Body
        ? new Response(answer.stream, { headers: { 'content-type': 'text/event-stream' } })
        : answer
    references.push(new WeakRef(response), ...(init?.signal ? [new WeakRef(init.signal)] : []))
    return response
  }
  const client = createResumingClient({ url: URL, resume: { fetch } })
  for (way of ways) {
    for (let i = 0; i < MANY / 10; i++) {
      let ended = false
      const asked = references.length
      const stop = client.subscribe(
        { query: 'subscription { n }' },
        { next: () => {}, error: () => {}, complete: () => (ended = true) },
      )
      await until('it has been asked for', () => references.length > asked)
      if (way !== 'completed') stop()
      else await until('it is complete', () => ended)
    }
  }
  expect(references).toHaveLength((MANY / 10) * ways.length * 2)
  await untilCollected('responses and signals', references)
})

test('a subscription of many streams hangs nothing on its signal, and holds none of them', async () => {
  const { signal } = new AbortController()
  const references: WeakRef<object>[] = []
  const { fetch } = cannedFetch(() => {
    const body = new Body(OPENING + result(1))
    references.push(new WeakRef(body))
    return references.length % 2 ? body.end() : body
  })
  const resuming = createResumingFetch({ fetch })
  const streams = async (count: number): Promise<void> => {
    for (let i = 0; i < count; i++) {
      const response = await resuming(URL, asking({ signal }))
      const reader = response.body!.getReader()
      await reader.read()
      await reader.read()
      await reader.cancel()
    }
  }
  await streams(MANY)
  references.length = 0
  const heap = heapAfterCollection()
  await streams(MANY)
  await untilCollected('bodies', references)
  references.length = 0
  const growth = heapAfterCollection() / heap
  console.log(
    `heap after ${MANY} streams of one subscription: ${growth.toFixed(3)} of ${(heap / 2 ** 20).toFixed(1)} MiB`,
  )
  expect(getEventListeners(signal, 'abort')).toHaveLength(0)
  expect(growth).toBeLessThan(HEAP_SLACK)
})

test('a thousand waits hang nothing on their signal', async () => {
  const { signal } = new AbortController()
  const { fetch } = cannedFetch(() => new Body(OPENING).end())
  const subscription = createResumingFetch({ fetch, baseWaitMs: 0 }).subscription()
  for (let i = 0; i < MANY; i++) {
    await (await subscription.fetch(URL, asking({ signal }))).text()
    await subscription.retryWait()
  }
  expect(getEventListeners(signal, 'abort')).toHaveLength(0)
})

test('what is complete is not kept, though its signal is', async () => {
  const { signal } = new AbortController()
  const { fetch } = cannedFetch(() => new Body(OPENING + result(1) + COMPLETE).end())
  const resuming = createResumingFetch({ fetch })
  const subscribeTo = async (name: string, count: number): Promise<void> => {
    for (let i = 0; i < count; i++) {
      const body = Buffer.alloc(20_000, `${name} ${i} `).toString() // by its text it would be kept
      await (await resuming(URL, asking({ signal, body }))).text()
    }
  }
  await subscribeTo('to warm up', 100)
  const heap = heapAfterCollection()
  await subscribeTo('to measure', MANY / 2)
  expect(heapAfterCollection() / heap).toBeLessThan(HEAP_SLACK)
})

test('of the subscriptions under one signal, what is complete, aborted or answered without a stream is forgotten', () => {
  const subscriptions = new Subscriptions()
  const { signal } = new AbortController()
  const first = subscriptions.get(signal, 'a')
  expect(subscriptions.get(signal, 'a')).toBe(first)
  expect(subscriptions.get(signal, 'b')).not.toBe(first)
  expect(subscriptions.get(new AbortController().signal, 'a')).not.toBe(first)
  subscriptions.forget(signal, 'a')
  subscriptions.forget(signal, 'never known')
  expect(subscriptions.get(signal, 'a')).not.toBe(first)
})

test('of a thousand broken subscriptions under one signal the oldest is forgotten, an open one never', () => {
  const subscriptions = new Subscriptions()
  const { signal } = new AbortController()
  const open = subscriptions.get(signal, 'open')
  open.begin(signal)
  const [second, third] = [subscriptions.get(signal, 'second'), subscriptions.get(signal, 'third')]
  for (let i = 3; i <= 1_000; i++) subscriptions.get(signal, String(i))
  expect(subscriptions.get(signal, 'open')).toBe(open)
  expect(subscriptions.get(signal, 'third')).toBe(third)
  expect(subscriptions.get(signal, 'second')).not.toBe(second)
})
