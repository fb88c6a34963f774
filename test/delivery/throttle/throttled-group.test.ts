import { expect, test, vi } from 'vitest'
import { decodeCursor } from '../../../src/streams/cursor/cursor.ts'
import { type FakeOutlet, settle, startEngine } from '../../kit/engine.ts'
import { Random } from '../../soak/random.ts'

const EVERY_MS = 1000
const LATEST = 'subscription { paint(throttle: { everyMs: 1000 }) { n } }'
const BY_COLOR = 'subscription { paint(throttle: { everyMs: 1000, by: "color" }) { n } }'
const FIRST = 'subscription { paint(throttle: { everyMs: 1000, mode: FIRST, by: "color" }) { n } }'
/** Below the time after which a resolver is given up. */
const HEARTBEAT_MS = 3_200

/** Lets this much time pass, and what is due go out. */
async function pass(ms: number): Promise<void> {
  vi.advanceTimersByTime(ms)
  await settle()
}

const lastId = (outlet: FakeOutlet) => outlet.blocks.findLast(({ id }) => id !== undefined)?.id ?? ''
const offsetOf = (id: string) => decodeCursor('paints', id).positions[0]

test('the first event goes out in the same turn, and then the latest of each interval', async () => {
  const { open, paint, engine } = startEngine()
  const { outlet } = open(LATEST)
  paint(1)
  await null
  expect(outlet.told).toEqual([1])
  for (let n = 2; n <= 30; n++) {
    await pass(100)
    paint(n)
  }
  await pass(EVERY_MS)
  expect(outlet.told).toEqual([1, 10, 20, 30])
  expect(engine.stats.executions, 'what is not shown is not executed').toBe(4)
  expect(engine.shared.throttles.stats).toEqual({ skipped: 26, early: 0 })
  expect([...engine][0]?.flow.counts).toEqual({ asked: 30, taken: 30 })
})

test('each value of a field has an interval of its own', async () => {
  const { open, paint } = startEngine()
  const { outlet } = open(BY_COLOR)
  paint(1, 2, 3, 4, 5)
  await pass(EVERY_MS)
  expect(outlet.told).toEqual([1, 2, 5, 4])
})

test('FIRST: what follows within the interval is dropped', async () => {
  const { open, paint } = startEngine()
  const { outlet } = open(FIRST)
  paint(1, 2, 3, 4)
  await pass(EVERY_MS - 100)
  paint(5)
  await pass(100)
  paint(7, 9)
  await pass(EVERY_MS)
  expect(outlet.told).toEqual([1, 2, 7])
})

test('no cursor passes an event that is held: not of a frame, a heartbeat, or a new stream', async () => {
  const { open, paint } = startEngine({ heartbeatMs: HEARTBEAT_MS })
  const { outlet } = open(BY_COLOR.replace('1000', '3600000'))
  paint(1, 3, 2)
  await settle()
  // 3 is held, at offset 1.
  expect([outlet.told, outlet.positions.map((at) => at?.[0])]).toEqual([
    [1, 2],
    [0, 1, 1],
  ])
  await pass(HEARTBEAT_MS)
  expect(offsetOf(lastId(outlet))).toBe(1)
  paint(5)
  // 5 has taken its place.
  await pass(HEARTBEAT_MS)
  expect(offsetOf(lastId(outlet))).toBe(3)
  const joined = open(BY_COLOR.replace('1000', '3600000'))
  expect(offsetOf(lastId(joined.outlet))).toBe(3)
})

test('equal throttles share a group, whatever their spelling; other ones share the body of an event', async () => {
  const { open, paint, engine } = startEngine()
  open(LATEST)
  open('subscription { paint(throttle: { mode: LATEST, by: null, everyMs: 1000 }) { n } }')
  expect(engine.groups).toBe(1)
  for (const query of [BY_COLOR, FIRST, LATEST.replace('1000', '2000')]) open(query)
  open('subscription { paint { n } }')
  open('subscription { paint(throttle: null) { n } }')
  expect(engine.groups).toBe(5)
  paint(1)
  await settle()
  expect(engine.stats.executions).toBe(1)
})

test('who comes back is shown the latest of each key, and then goes along with its group', async () => {
  const { open, paint, engine } = startEngine()
  const first = open(BY_COLOR)
  paint(1, 2)
  await settle()
  const after = lastId(first.outlet)
  for (let n = 3; n <= 40; n++) paint(n)
  const { outlet } = open(BY_COLOR, {}, { start: { after } })
  await settle()
  // The group holds 39 and 40: they come with it, once.
  expect(outlet.told).toEqual([])
  await pass(EVERY_MS)
  expect(outlet.told).toEqual([39, 40])
  expect(first.outlet.told).toEqual([1, 2, 39, 40])
  paint(41)
  await pass(EVERY_MS)
  expect(outlet.told).toEqual([39, 40, 41])
  expect(engine.stats.executions).toBe(5)
  expect(engine.shared.throttles.catchUps.used).toBe(0)
})

test('who comes back long after is shown at once what its group has shown meanwhile', async () => {
  const { open, paint } = startEngine()
  const first = open(BY_COLOR)
  paint(1, 2)
  await settle()
  const after = lastId(first.outlet)
  for (let n = 3; n <= 40; n++) paint(n)
  await pass(EVERY_MS)
  paint(42)
  const { outlet, member } = open(BY_COLOR, {}, { start: { after }, markers: true })
  await settle()
  expect(outlet.told).toEqual([39, undefined])
  expect(member.state.kind).toBe('live')
  await pass(EVERY_MS)
  expect(outlet.told).toEqual([39, undefined, 42])
})

test('who comes from an instance that was further keeps its cursor, and is shown what its group shows', async () => {
  const { open, paint } = startEngine()
  const first = open(BY_COLOR)
  paint(1, 3, 2)
  await settle()
  expect(offsetOf(lastId(first.outlet))).toBe(1)
  const ahead = open('subscription { paint { n } }')
  paint(4)
  await settle()
  const after = lastId(ahead.outlet)
  // The group holds 3, which this client has seen, and 4, which it has seen too.
  const { outlet, member } = open(BY_COLOR, {}, { start: { after } })
  paint(6)
  await settle()
  expect([member.state.kind, offsetOf(after)]).toEqual(['following', 4])
  await pass(EVERY_MS)
  expect(outlet.told).toEqual([6])
  expect(member.state.kind).toBe('live')
  const offsets = outlet.positions.map((at) => at?.[0] ?? 0)
  expect(offsets).toEqual(offsets.toSorted((a, b) => a - b))
})

test('what many missed, of thousands of events, is the latest of each key, rendered once for all', async () => {
  const query = 'subscription { paint(throttle: { everyMs: 1000, by: "n" }) { n } }'
  const random = new Random(20261127)
  const { open, paint, engine, feed } = startEngine()
  const all = open('subscription { paint { n } }')
  const throttled = open(query)
  const numbers: number[] = []
  const ids: string[] = ['']
  for (let batch = 0; batch < 60; batch++) {
    const some = Array.from({ length: 1 + Math.floor(random.next() * 300) }, () => Math.floor(random.next() ** 3 * 200))
    numbers.push(...some)
    paint(...some)
    await pass(batch % 7 === 0 ? EVERY_MS : 10)
    ids.push(lastId(all.outlet))
  }
  await pass(2 * EVERY_MS)
  const executions = engine.stats.executions
  let shown = 0
  for (let client = 0; client < 100; client++) {
    const after = ids[1 + Math.floor(random.next() * (ids.length - 1))] as string
    const from = offsetOf(after) ?? 0
    const expected = [...new Set(numbers.slice(from).toReversed())].toReversed()
    const { outlet, member } = open(query, {}, { start: { after } })
    await settle()
    expect(outlet.told).toEqual(expected)
    expect([member.state.kind, offsetOf(lastId(outlet))]).toEqual(['live', feed.head[0]])
    shown += expected.length
    member.gone()
  }
  expect(engine.stats.executions - executions).toBeLessThanOrEqual(new Set(numbers).size)
  expect(shown).toBeGreaterThan(10 * new Set(numbers).size)
  expect(throttled.outlet.told.length).toBeLessThan(numbers.length / 2)
})

test('FIRST: who comes back is shown the first of each interval, by the times of the events', async () => {
  const { open, paint } = startEngine()
  const first = open(FIRST)
  paint(1)
  await settle()
  const after = lastId(first.outlet)
  for (let n = 3; n <= 41; n += 2) {
    paint(n)
    await pass(250)
  }
  const { outlet } = open(FIRST, {}, { start: { after } })
  await settle()
  expect(outlet.told).toEqual([3, 11, 19, 27, 35])
})

test('while a resolver is awaited nothing is lost, and the position stays before it', async () => {
  const gates: (() => void)[] = []
  const later = (n: number) => new Promise((resolve) => gates.push(() => resolve(n)))
  const { open, paint } = startEngine({ later, heartbeatMs: HEARTBEAT_MS })
  const { outlet } = open('subscription { paint(throttle: { everyMs: 1000, by: "color" }) { n later } }')
  paint(1, 3, 2)
  await pass(HEARTBEAT_MS - 100)
  paint(4, 6, 5)
  await pass(100)
  expect([outlet.told, offsetOf(lastId(outlet))]).toEqual([[], 0])
  for (let round = 0; round < 6; round++) {
    for (const open of gates.splice(0)) open()
    await pass(EVERY_MS)
  }
  expect(outlet.told.filter((n) => Number(n) % 2 === 1).at(-1)).toBe(5)
  expect(outlet.told.filter((n) => Number(n) % 2 === 0).at(-1)).toBe(6)
  await pass(HEARTBEAT_MS)
  expect(offsetOf(lastId(outlet))).toBe(6)
})

test('a gap comes after what is held before it, and the cursors in between stay before the gap', async () => {
  const { open, paint, feed } = startEngine()
  const { outlet } = open(BY_COLOR)
  paint(1, 3, 2, 4)
  await settle()
  feed.onGap({ kind: 'gap', topic: 'paints', partition: 0, from: 4, to: 9, reason: 'retention' })
  await settle()
  expect(outlet.told).toEqual([1, 2, 3, 4, 'CURSOR_EXPIRED'])
  expect(outlet.positions.map((at) => at?.[0])).toEqual([0, 1, 1, 3, 4, 9])
})

test('a group without members keeps what it holds for those who come back', async () => {
  const { open, paint, engine } = startEngine()
  const { outlet, member } = open(BY_COLOR)
  paint(1, 3)
  await settle()
  const after = lastId(outlet)
  expect(offsetOf(after)).toBe(1)
  member.gone()
  paint(2, 4)
  await pass(2 * EVERY_MS)
  const back = open(BY_COLOR, {}, { start: { after } })
  await settle()
  await pass(EVERY_MS)
  expect(back.outlet.told).toEqual([3, 4])
  back.member.gone()
  await pass(20 * EVERY_MS)
  expect([engine.groups, engine.shared.throttles.held]).toEqual([0, 0])
})

test('a member that falls off its frames is shown the latest of what it missed', async () => {
  const { open, paint, engine } = startEngine()
  Object.assign(engine.shared.budget, { limit: 500 })
  const { outlet, member } = open(BY_COLOR)
  outlet.full = true
  for (let n = 1; n <= 20; n++) {
    paint(n)
    await pass(EVERY_MS)
  }
  expect(outlet.told).toEqual([1])
  outlet.full = false
  member.drained()
  await settle()
  expect(engine.stats.replays.fellBehind).toBe(1)
  expect(outlet.told).toEqual([1, 19, 20])
})

test('a throttle that fails ends its group as failed, and no other', async () => {
  const { open, paint, engine, feed } = startEngine({ heartbeatMs: 1000 * HEARTBEAT_MS })
  const { outlet } = open(LATEST)
  const other = open('subscription { paint { n } }')
  paint(1, 2)
  await settle()
  vi.spyOn(feed, 'cursor', 'get').mockImplementationOnce(() => {
    throw new Error('no cursor')
  })
  await pass(EVERY_MS)
  expect([outlet.end_, engine.stats.failedGroups]).toEqual(['ended', 1])
  paint(3)
  await settle()
  expect(other.outlet.told).toEqual([1, 2, 3])
  expect(engine.shared.throttles.held).toBe(0)
})

test('beyond the room for keys events go out early, and are counted', async () => {
  const { open, paint, engine } = startEngine()
  Object.assign(engine.shared.throttles.groups, { limit: 1000 })
  const { outlet } = open(BY_COLOR)
  paint(1, 3, 2, 4, 5, 6)
  await pass(EVERY_MS)
  const { stats } = engine.shared.throttles
  expect(stats.early).toBeGreaterThan(0)
  expect(outlet.told.length).toBeGreaterThan(4)
  expect(outlet.told).toContain(5)
  expect(outlet.told).toContain(6)
})

test.each(['0', '-1', '49', '3600001', '31536000000', '2147483647'])(
  'an interval of %s ms is refused, with the limits',
  (everyMs) => {
    const { open } = startEngine()
    const ask = () => open(`subscription { paint(throttle: { everyMs: ${everyMs} }) { n } }`)
    const isInt = Number(everyMs) < 2 ** 31
    expect(ask).toThrow(
      isInt ? '"throttle.everyMs" is a number of milliseconds from 50 to 3600000' : 'Int cannot represent',
    )
  },
)

test.each(['nothing', 'paint.n', 'n.color', 'claim', '', '__proto__', 'constructor'])(
  'a path "%s", which is not there or depends on who asks, is refused with those that are',
  (by) => {
    const { open } = startEngine()
    const ask = () => open(`subscription { paint(throttle: { everyMs: 1000, by: "${by}" }) { n } }`)
    expect(ask).toThrow('"throttle.by" is one of "color", "later", "long", "n"')
  },
)
