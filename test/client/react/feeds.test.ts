import { expect, test, vi } from 'vitest'
import type { Gap, Observer, SluiceClient } from '../../../packages/client/src/index.ts'
import type { FeedListeners } from '../../../packages/client/src/react/feed.ts'
import { findFeed, openFeed } from '../../../packages/client/src/react/feeds.ts'
import { LiveList } from '../../../packages/client/src/react/live-list.ts'
import { operationKey } from '../../../packages/client/src/react/operation-key.ts'
import { until } from '../../kit/until.ts'

/** A client whose subscriptions say what the test says. */
function fakeClient() {
  const observers: Observer<unknown>[] = []
  let stopped = 0
  const subscribe = (_operation: unknown, observer: Observer<unknown>) => {
    observers.push(observer)
    return { unsubscribe: () => void stopped++ }
  }
  const client = { subscribe } as unknown as SluiceClient
  return { client, observers, stopped: () => stopped }
}

const list = (max = 10) => ({ key: `list ${max}`, make: () => new LiveList<{ id: string }>({ by: 'id', max }) })
const reader = (listeners: FeedListeners = {}) => ({ changed: vi.fn(), listeners: () => listeners })
const result = (id: string) => ({ data: { orders: { id } } })
const turn = () => new Promise((resolve) => setImmediate(resolve))

test('a feed that its last reader has left is stopped, and not found', async () => {
  const { client, stopped } = fakeClient()
  const feed = openFeed(client, 'key', { query: '' })
  const leave = [reader(), reader()].map((one) => feed.join(list(), one))
  leave[0]?.()
  await turn()
  expect(findFeed(client, 'key', list())).toBe(feed)
  expect(stopped()).toBe(0)
  leave[1]?.()
  // Strict mode comes back in the same turn.
  const again = feed.join(list(), reader())
  await turn()
  expect(stopped()).toBe(0)
  again()
  await turn()
  expect(stopped()).toBe(1)
  expect(findFeed(client, 'key', list())).toBeUndefined()
})

test.each(['complete', 'refused', 'stopped'] as const)('a feed that has ended (%s) is not joined', (why) => {
  const { client, observers } = fakeClient()
  const feed = openFeed(client, 'key', { query: '' })
  feed.join(list(), reader())
  observers[0]?.onState?.({ status: 'ended', why })
  expect(findFeed(client, 'key', list())).toBeUndefined()
  const next = openFeed(client, 'key', { query: '' })
  expect(findFeed(client, 'key', list())).toBe(next)
})

test('a view that was not there from the beginning is not shown by a feed that has begun', () => {
  const { client, observers } = fakeClient()
  const feed = openFeed(client, 'key', { query: '' })
  feed.join(list(3), reader())
  expect(findFeed(client, 'key', list(5))).toBe(feed)
  observers[0]?.next(result('a'))
  expect(findFeed(client, 'key', list(5))).toBeUndefined()
  expect(findFeed(client, 'key', list(3))).toBe(feed)
})

test('a listener that throws takes nothing from the others', async () => {
  const report = vi.spyOn(console, 'error').mockImplementation(() => {})
  const { client, observers } = fakeClient()
  const feed = openFeed(client, 'key', { query: '' })
  const heard: unknown[] = []
  const fails = new Error('a mistake of the page')
  const bad = reader({
    onResult: () => {
      throw fails
    },
  })
  const good = reader({ onResult: ({ data }) => heard.push(data) })
  for (const one of [bad, good]) feed.join(list(), one)
  observers[0]?.next(result('a'))
  expect(heard).toEqual([{ orders: { id: 'a' } }])
  expect(report.mock.calls).toEqual([[fails]])
  await until('both are told', () => bad.changed.mock.calls.length + good.changed.mock.calls.length === 2)
  expect(feed.snapshot(list()).items).toEqual([{ id: 'a' }])
})

test('the newest twenty gaps are kept', async () => {
  const { client, observers } = fakeClient()
  const feed = openFeed(client, 'key', { query: '' })
  const one = reader()
  feed.join(list(), one)
  for (let from = 0; from < 50; from++) observers[0]?.onGap?.({ topic: 'orders', gaps: [{ from }] } as unknown as Gap)
  await until('it is told', () => one.changed.mock.calls.length === 1)
  const { gaps } = feed.snapshot(list())
  expect(gaps.map(({ gaps: [first] }) => first?.from)).toEqual(Array.from({ length: 20 }, (_, i) => 30 + i))
})

test('an operation is known by its text and by the values of its variables', () => {
  const tree = { kind: 'Document' }
  const text = Object.assign(new String('a'), { toString: () => 'a' })
  const key = (document: unknown, variables?: unknown) => operationKey(document as string, variables)
  expect(key('a', { x: 1, y: { b: [1], a: null } })).toBe(key('a', { y: { a: null, b: [1] }, x: 1, z: undefined }))
  expect(key('a')).toBe(key(text, {}))
  expect(key(tree)).toBe(key(tree))
  const others = [
    key('a'),
    key('b'),
    key(tree),
    key({ ...tree }),
    key('a', { x: 1 }),
    key('a', { x: '1' }),
    key('a', { x: [1] }),
  ]
  expect(new Set(others).size).toBe(others.length)
})
