import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest'
import { createSluiceClient, type PositionStorage } from '../../packages/client/src/index.ts'
import { Body, COMPLETE, cannedFetch, OPENING, result } from './canned.ts'

const OPERATION = { query: 'subscription ($a: Int) { n(a: $a) }', variables: { a: 1 } }

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

/** A storage in memory, and what was written to it. */
function aStorage() {
  const values = new Map<string, string>()
  const writes: string[] = []
  const storage: PositionStorage = {
    getItem: (key) => values.get(key) ?? null,
    setItem: (key, value) => {
      writes.push(value)
      values.set(key, value)
    },
    removeItem: (key) => void values.delete(key),
  }
  return { storage, values, writes }
}

/** One page load. */
async function load(storage: PositionStorage | undefined, body: Body, operation = OPERATION, from?: string) {
  const { fetch, lastEventIds } = cannedFetch(body)
  const client = createSluiceClient({ url: 'http://gateway.test/graphql', fetch: fetch as never, storage })
  onTestFinished(() => client.dispose())
  const received: unknown[] = []
  const subscription = client.subscribe<{ n: number }, { a: number }>(
    operation,
    { next: ({ data }) => received.push(data?.n), error: ({ code }) => received.push(code) },
    { keep: 'orders', from },
  )
  await vi.advanceTimersByTimeAsync(0)
  return { client, subscription, received, lastEventIds }
}

test('the next page goes on behind what the last one was given', async () => {
  const { storage } = aStorage()
  const first = await load(storage, new Body(OPENING, result(1), result(2)))
  first.subscription.unsubscribe()
  const second = await load(storage, new Body(OPENING, result(3)), OPERATION, '0')
  expect(second.lastEventIds).toEqual(['2'])
  expect(second.received).toEqual([3])
})

test('a page that does not come to its end has written within a second, and once a second at most', async () => {
  const { storage, writes } = aStorage()
  const body = new Body(OPENING)
  await load(storage, body)
  for (let n = 1; n <= 50; n++) {
    body.write(result(n))
    await vi.advanceTimersByTimeAsync(100)
  }
  expect(writes.length).toBeLessThanOrEqual(5)
  expect((await load(storage, new Body(OPENING))).lastEventIds).toEqual([expect.toSatisfy((id) => Number(id) >= 40)])
})

test('the position of another document, of other variables or of another gateway is not used', async () => {
  const { storage } = aStorage()
  const others = [
    { ...OPERATION, query: 'subscription ($a: Int) { n(a: $a) m }' },
    { ...OPERATION, variables: { a: 2 } },
    { ...OPERATION, operationName: 'A' },
  ]
  for (const other of others) {
    ;(await load(storage, new Body(OPENING, result(1)))).subscription.unsubscribe()
    expect((await load(storage, new Body(OPENING), other)).lastEventIds).toEqual([null])
  }
})

test('it is forgotten with the end of the operation, and with a refusal', async () => {
  for (const end of [
    COMPLETE,
    `event: next\ndata: {"errors":[{"message":"","extensions":{"code":"CURSOR_INVALID"}}]}\n\n${COMPLETE}`,
  ]) {
    const { storage, values } = aStorage()
    ;(await load(storage, new Body(OPENING, result(1)))).client.dispose()
    expect(values.size).toBe(1)
    await load(storage, new Body(OPENING, result(2), end))
    await vi.advanceTimersByTimeAsync(5_000)
    expect(values.size).toBe(0)
  }
})

test('a storage that throws, or holds something else, changes nothing', async () => {
  const fail = () => {
    throw new DOMException('The quota has been exceeded', 'QuotaExceededError')
  }
  const full = await load({ getItem: fail, setItem: fail, removeItem: fail }, new Body(OPENING, result(1), COMPLETE))
  await vi.advanceTimersByTimeAsync(5_000)
  expect(full.received).toEqual([1])
  const { storage, values } = aStorage()
  for (const value of ['', ' ', 'something', 'a b c', '{"a":1}']) {
    values.set('sluice:orders', value)
    expect((await load(storage, new Body(OPENING))).lastEventIds).toEqual([null])
  }
  expect((await load(undefined, new Body(OPENING, result(1)))).received).toEqual([1])
})

test('a page that goes away has written before', async () => {
  let hide = () => {}
  vi.stubGlobal('addEventListener', (event: string, listener: () => void) => {
    if (event === 'pagehide') hide = listener
  })
  onTestFinished(() => void vi.unstubAllGlobals())
  const { storage } = aStorage()
  await load(storage, new Body(OPENING, result(1)))
  hide()
  expect((await load(storage, new Body(OPENING))).lastEventIds).toEqual(['1'])
})
