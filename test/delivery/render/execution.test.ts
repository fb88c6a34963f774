import { expect, test, vi } from 'vitest'
import { FakeOutlet, settle, startEngine } from '../../kit/engine.ts'
import { recordedLog } from '../../kit/log-lines.ts'

const LATER = 'subscription { paint { n later } }'

/** Promises that a test resolves by number. */
function gates() {
  const open = new Map<number, (value: unknown) => void>()
  const asked: number[] = []
  return {
    asked,
    later: (n: number) => {
      asked.push(n)
      return new Promise((resolve) => open.set(n, resolve))
    },
    async answer(...numbers: number[]) {
      for (const n of numbers) {
        open.get(n)?.(n)
        await settle()
      }
    },
  }
}

test('results keep the order of events where resolvers are asynchronous', async () => {
  let waiting = 3
  const { open, paint } = startEngine({
    later: async (n) => {
      for (let turn = 0; turn < waiting; turn++) await null
      waiting = waiting === 0 ? 3 : waiting - 1
      return n
    },
  })
  const { outlet } = open(LATER)
  paint(1, 2, 3)
  await settle()
  paint(4, 5)
  await settle()
  expect(outlet.told).toEqual([1, 2, 3, 4, 5])
})

test('one event is resolved at a time, and what comes meanwhile is read on from the window, each once', async () => {
  const { later, asked, answer } = gates()
  const { open, paint } = startEngine({ later })
  const { outlet } = open(LATER)
  paint(1, 2)
  paint(3)
  await settle()
  expect(asked).toEqual([1])
  await answer(1, 2)
  paint(4)
  await answer(3, 4)
  expect(asked).toEqual([1, 2, 3, 4])
  expect(outlet.told).toEqual([1, 2, 3, 4])
  paint(5)
  await answer(5)
  expect(outlet.told).toEqual([1, 2, 3, 4, 5])
})

test('a thousand events that came while one was resolved are caught up with, in order and each once', async () => {
  const { promise, resolve } = Promise.withResolvers<number>()
  const { open, paint, paintOn } = startEngine({ later: (n) => (n === 0 ? promise : n), partitions: 2 })
  const { outlet } = open(LATER)
  paint(0)
  for (let n = 1; n < 1000; n++) paintOn(n % 2, n)
  resolve(0)
  for (let turn = 0; turn < 10; turn++) await settle()
  expect(outlet.told).toEqual(Array.from({ length: 1000 }, (_, n) => n))
})

test('the position of a stream never passes an event that is being resolved', async () => {
  const { later, answer } = gates()
  const { open, paint, paintOn } = startEngine({ later, partitions: 2, heartbeatMs: 3200 })
  const { outlet } = open(LATER)
  paint(0, 1)
  paintOn(1, 2)
  await settle()
  vi.advanceTimersByTime(3200)
  await settle()
  // The opening block and the heartbeat: partition 0 is still before its first event.
  expect(outlet.positions).toEqual([
    [0, 0],
    [0, 0],
  ])
  await answer(0)
  vi.advanceTimersByTime(3200)
  await settle()
  expect(outlet.positions.at(-1)).toEqual([1, 0])
  await answer(1, 2)
  vi.advanceTimersByTime(3200)
  await settle()
  expect(outlet.positions.at(-1)).toEqual([2, 1])
  const late = open(LATER)
  expect(late.outlet.positions).toEqual([[2, 1]])
})

test('one who joins while an event is resolved starts before it, and gets it', async () => {
  const { later, answer } = gates()
  const { open, paint } = startEngine({ later })
  open(LATER)
  paint(0)
  await settle()
  const { outlet } = open(LATER)
  expect(outlet.positions).toEqual([[0]])
  await answer(0)
  expect(outlet.told).toEqual([0])
})

test('resolvers that take longer than ten seconds give errors, and the stream goes on', async () => {
  const { open, paint } = startEngine({ later: (n) => (n === 1 ? new Promise(() => {}) : n) })
  const { outlet } = open(LATER)
  paint(0, 1, 2)
  await settle()
  expect(outlet.told).toEqual([0])
  vi.advanceTimersByTime(10_000)
  await settle()
  expect(outlet.told).toEqual([0, 'RESOLVER_TIMEOUT', 2])
})

test('a resolver that throws or rejects gives masked errors, logged once for all members', async () => {
  const { log, lines } = recordedLog()
  const { open, paint } = startEngine({
    log,
    later: (n) => {
      if (n === 1) throw new Error('The password is hunter2')
      return n === 2 ? Promise.reject(new Error('The password is hunter3')) : n
    },
  })
  const members = [open(LATER), open(LATER), open(LATER)]
  paint(1)
  await settle()
  paint(2)
  await settle()
  paint(3)
  await settle()
  for (const { outlet } of members) {
    expect(outlet.told).toEqual(['INTERNAL_SERVER_ERROR', 'INTERNAL_SERVER_ERROR', 3])
    expect(outlet.text).not.toContain('hunter')
    expect(outlet.results[0]).toMatchObject({
      data: { paint: { n: 1, later: null } },
      errors: [{ message: 'Unexpected error', path: ['paint', 'later'] }],
    })
  }
  expect(lines.filter(({ msg }) => msg === 'A resolver failed')).toHaveLength(1)
})

test('a filter that throws gives masked errors, and the stream goes on', async () => {
  const { log, lines } = recordedLog()
  const { open, paint } = startEngine({ log })
  const broken = open('subscription { paint(above: 666) { n } }')
  const sound = open('subscription { paint(above: 5) { n } }')
  paint(7)
  await settle()
  expect(broken.outlet.told).toEqual(['INTERNAL_SERVER_ERROR'])
  expect(sound.outlet.told).toEqual([7])
  expect(broken.outlet.text).not.toContain('filter')
  expect(lines.filter(({ msg }) => msg === 'A resolver failed')).toHaveLength(1)
  expect(broken.outlet.end_).toBe('open')
})

test('what fell off the window while an event was resolved is a gap, told before what comes after it', async () => {
  const { promise, resolve } = Promise.withResolvers<number>()
  const { open, paint, feed } = startEngine({
    later: (n) => (n === 0 ? promise : n),
    limits: { maxBytes: 2000, maxAgeMs: 3600_000 },
  })
  const { outlet } = open(LATER)
  paint(0)
  for (let n = 1; n <= 100; n++) paint(n)
  resolve(0)
  for (let turn = 0; turn < 5; turn++) await settle()
  const { told } = outlet
  expect(told.slice(0, 2)).toEqual([0, 'CURSOR_EXPIRED'])
  expect(outlet.results[1]?.errors?.[0]?.extensions).toEqual({
    code: 'CURSOR_EXPIRED',
    topic: 'paints',
    gaps: [{ partition: 0, from: 1, to: feed.window.floor(0), reason: 'retention' }],
  })
  const rest = told.slice(2)
  expect(rest[0]).toBe(feed.window.floor(0))
  expect(rest).toEqual(Array.from({ length: rest.length }, (_, index) => 101 - rest.length + index))
})

test('a gap of the log is told at once, and while an event is resolved right after it', async () => {
  const { later, answer } = gates()
  const { open, paint, feed } = startEngine({ later })
  const { outlet } = open(LATER)
  feed.onGap({ kind: 'gap', topic: 'paints', partition: 0, from: 0, to: 5, reason: 'retention' })
  await settle()
  expect(outlet.told).toEqual(['CURSOR_EXPIRED'])
  expect(outlet.positions.at(-1)).toEqual([5])
  paint(1)
  feed.onGap({ kind: 'gap', topic: 'paints', partition: 0, from: 6, to: 9, reason: 'retention' })
  paint(2)
  await answer(1, 2)
  expect(outlet.told.filter((one) => typeof one === 'number')).toEqual([1, 2])
  expect(outlet.told.filter((one) => one === 'CURSOR_EXPIRED')).toHaveLength(2)
  expect(outlet.told.indexOf(2)).toBe(outlet.told.length - 1)
})

test('a truncated log is told of while an event is resolved, and what the new one holds follows', async () => {
  const { later, answer } = gates()
  const { open, paint, feed } = startEngine({ later })
  const { outlet } = open(LATER)
  paint(0, 1, 2)
  feed.onGap({ kind: 'gap', topic: 'paints', partition: 0, from: 3, to: 0, reason: 'truncation' })
  paint(10, 11)
  await answer(0, 10, 11)
  expect(outlet.told.filter((one) => typeof one === 'number')).toEqual([0, 10, 11])
  expect(outlet.told).toContain('CURSOR_EXPIRED')
})

test('a group that ends while an event is resolved says no more', async () => {
  const { later, answer } = gates()
  const { open, paint, engine, feed } = startEngine({ later })
  const { outlet, member } = open(LATER)
  paint(0, 1)
  await settle()
  outlet.destroy()
  member.gone()
  await answer(0)
  expect(outlet.told).toEqual([])
  vi.advanceTimersByTime(10_000)
  expect([engine.groups, engine.subscribers, feed.interests]).toEqual([0, 0, 0])
})

test('every result names the position right behind its event', async () => {
  const { open, paint, paintOn } = startEngine({ partitions: 2 })
  const { outlet } = open('subscription { paint(color: "even") { n } }', { outlet: new FakeOutlet() })
  paint(0, 1, 2)
  paintOn(1, 3, 4)
  await settle()
  expect(outlet.told).toEqual([0, 2, 4])
  expect(outlet.positions).toEqual([
    [0, 0],
    [1, 0],
    [3, 0],
    [3, 2],
  ])
})

test('a filter that returns a promise fails each event as one that throws does, and its rejection is nobody’s', async () => {
  const { open, paint, filterWith } = startEngine()
  filterWith(() => Promise.reject(new Error('Later')))
  const { outlet } = open('subscription { paint(above: 666) { n } }')
  paint(1, 2)
  await settle()
  expect(outlet.told).toEqual(['INTERNAL_SERVER_ERROR', 'INTERNAL_SERVER_ERROR'])
  expect(outlet.end_).toBe('open')
})
