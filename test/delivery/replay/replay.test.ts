import { expect, test, vi } from 'vitest'
import { lags, settle, startEngine } from '../../kit/engine.ts'
import { batchOf, recordOf } from '../../kit/feeds.ts'

const ODD = 'subscription { paint(color: "odd") { n } }'
// Sooner than the groups are swept.
const HEARTBEAT_MS = 320

test('a client that has come to the head goes with its group, whatever woke it before', async () => {
  const { open, feed, paintOn } = startEngine({ partitions: 2, heartbeatMs: HEARTBEAT_MS })
  paintOn(0, 1)
  const { outlet, member } = open(ODD, {}, { start: { after: feed.cursorAt([1, 2]) }, markers: true })
  await settle()
  // It has seen two events more than its instance, and waits. A heartbeat fills its outlet.
  outlet.full = true
  vi.advanceTimersByTime(HEARTBEAT_MS)
  expect(lags(member)).toBe(true)
  outlet.full = false
  member.drained()
  // Before its turn comes, the instance has passed them, and nobody is told: they are not what was asked for.
  paintOn(1, 2, 4)
  await settle()
  paintOn(0, 3)
  await settle()
  paintOn(0, 5)
  await settle()
  expect(outlet.results).toEqual([
    { extensions: { caughtUp: true, cursor: expect.any(String) } },
    { data: { paint: { n: 3 } } },
    { data: { paint: { n: 5 } } },
  ])
})

test('a client whose cursor cannot be checked yet is told nothing of a position, and still that its stream is alive', async () => {
  const { open, feed } = startEngine({ partitions: 2, heartbeatMs: HEARTBEAT_MS })
  const after = feed.cursorAt([0, 2], { partition: 1, offset: 1, timestamp: 1 })
  const { outlet } = open(ODD, {}, { start: { after } })
  await settle()
  const before = outlet.text
  vi.advanceTimersByTime(HEARTBEAT_MS)
  expect(outlet.text.slice(before.length)).toBe(':\n\n')
})

/** What a client gets that missed all of this; the engine forgets how it began. */
const MANY = 10_000
const numbers = Array.from({ length: MANY }, (_, i) => i)

test('what one client alone missed is kept for others as far as they may soon come for it, and not beyond', async () => {
  const { open, feed, engine, paintOn } = startEngine()
  paintOn(0, ...numbers)
  const start = { start: { after: feed.cursorAt([0]) } }
  const { outlet, member } = open('subscription { paint { n } }', {}, start)
  await settle()
  expect(outlet.told).toEqual(numbers)
  const ofOne = engine.shared.history.calculatedSize
  expect(ofOne).toBeGreaterThan(0)
  expect(ofOne).toBeLessThan(outlet.bytes * 0.8)
  const { executions } = engine.stats
  expect(executions).toBe(MANY)
  member.gone()

  const both = [open('subscription { paint { n } }', {}, start), open('subscription { paint { n } }', {}, start)]
  await settle()
  for (const { outlet } of both) expect(outlet.told).toEqual(numbers)
  expect(engine.shared.history.calculatedSize).toBeGreaterThan(outlet.bytes)
  // What was kept is there, and what was not is made once for both.
  expect(engine.stats.executions).toBeLessThan(2 * MANY)
  const { executions: afterTwo } = engine.stats
  const third = open('subscription { paint { n } }', {}, start)
  await settle()
  expect(third.outlet.told).toEqual(numbers)
  expect(engine.stats.executions).toBe(afterTwo)
})

test('what has to be awaited is awaited once, for who reads alone as well', async () => {
  const asked: number[] = []
  const later = (n: number) => {
    asked.push(n)
    return n > 6000 && n % 1000 === 0 ? Promise.resolve(n) : n
  }
  const { open, feed, paintOn } = startEngine({ later })
  paintOn(0, ...numbers)
  const { outlet } = open('subscription { paint { n later } }', {}, { start: { after: feed.cursorAt([0]) } })
  await settle()
  expect(outlet.told).toEqual(numbers)
  expect(asked).toEqual(numbers)
})

test('a client whose page of the log cannot be read for a reason of ours is told to come back', async () => {
  const { open, feed, engine, paintOn } = startEngine({ limits: { maxBytes: 500, maxAgeMs: 3600_000 } })
  paintOn(0, ...numbers.slice(0, 10))
  feed.page = () => Promise.reject(new TypeError('Not what was expected'))
  const { outlet } = open('subscription { paint { n } }', {}, { start: { after: feed.cursorAt([0]) } })
  await settle()
  expect([outlet.end_, outlet.told]).toEqual(['ended', []])
  expect(outlet.blocks.at(-1)).toEqual({ retry: expect.any(String) })
  expect(engine.stats.closes).toEqual({ failed: 1 })
  expect(engine.shared.logPermitsOf(feed as never).taken).toBe(0)
})

test('a client that missed few events among many reads these, and keeps no more than these for others', async () => {
  const { open, feed, engine } = startEngine({ partitions: 2 })
  const rare = [10, 5_000, 5_001, 9_990]
  const colorOf = (n: number) => (rare.includes(n) ? 'rare' : 'common')
  for (const partition of [0, 1]) {
    const records = numbers.map((n) => recordOf(partition, n, { n: 2 * n + partition, color: colorOf(n) }))
    await feed.onBatch(batchOf(partition, records))
  }
  const query = 'subscription { paint(color: "rare") { n } }'
  const { outlet } = open(query, {}, { start: { after: feed.cursorAt([0, 0]) } })
  await settle()
  expect(outlet.told).toEqual([...rare.map((n) => 2 * n), ...rare.map((n) => 2 * n + 1)])
  expect(outlet.positions.slice(1)).toEqual([
    ...[11, 5_001, 5_002, 9_991].map((next) => [next, 0]),
    ...[11, 5_001, 5_002, 9_991].map((next) => [MANY, next]),
  ])
  expect(engine.stats.executions).toBe(2 * rare.length)
  expect(engine.shared.history.calculatedSize).toBeLessThan(10_000)

  const late = open(query, {}, { start: { after: feed.cursorAt([5_001, 0]) } })
  // Ahead in one partition of what the window has first: it is alone until the group's order is its own.
  const ahead = open(query, {}, { start: { after: feed.cursorAt([0, 5_001]) } })
  await settle()
  expect(late.outlet.told).toEqual([10_002, 19_980, 21, 10_001, 10_003, 19_981])
  expect(ahead.outlet.told).toEqual([...rare.map((n) => 2 * n), 10_003, 19_981])
  expect(ahead.outlet.positions.slice(1)).toEqual([
    ...[11, 5_001, 5_002, 9_991].map((next) => [next, 5_001]),
    [MANY, 5_002],
    [MANY, 9_991],
  ])
  expect(engine.stats.executions).toBe(2 * rare.length)
})
