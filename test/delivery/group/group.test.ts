import fc from 'fast-check'
import { expect, test, vi } from 'vitest'
import { FakeOutlet, lags, settle, startEngine } from '../../kit/engine.ts'
import { Statistics } from '../../kit/statistics.ts'

const ALL = 'subscription { paint { n } }'
const LONG = 'subscription { paint { n long } }'
const WRITE_STALL_MS = 30_000
/** A group may wait for members that come back, but no longer than this. */
const LINGER_MS = 10_000
const MAX_LINGERING = 500

/** `from`, and what comes after it below `to`. */
const range = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => from + index)

test('members of a group get the same bytes by reference, in one write a flush', async () => {
  const { open, paint, engine } = startEngine()
  const written: Buffer[][] = [[], []]
  const members = written.map((chunks) => {
    const outlet = new FakeOutlet()
    const write = outlet.write.bind(outlet)
    outlet.write = (bytes) => {
      chunks.push(bytes)
      return write(bytes)
    }
    return open(ALL, { outlet })
  })
  paint(1, 2, 3)
  await settle()
  expect(members.map(({ outlet }) => [outlet.writes, outlet.told])).toEqual([
    [2, [1, 2, 3]],
    [2, [1, 2, 3]],
  ])
  expect(written[0]?.[1]).toBe(written[1]?.[1])
  expect(engine.stats.executions).toBe(3)
  expect(engine.stats.frames).toBe(3)
})

test('the first event after a quiet moment goes out in the same turn', async () => {
  const { open, paint } = startEngine()
  const { outlet } = open(ALL)
  paint(1)
  await null
  expect(outlet.told).toEqual([1])
})

test('a full outlet costs the others nothing, and gets all it missed when it has room again', async () => {
  const { open, paint, engine } = startEngine()
  const slow = open(ALL)
  const fast = open(ALL)
  slow.outlet.full = true
  for (let n = 0; n < 50; n++) {
    paint(n)
    await settle()
  }
  expect(fast.outlet.told).toEqual(range(0, 50))
  expect(slow.outlet.told).toEqual([0])
  expect([engine.shared.lagging, engine.subscribers, engine.groups]).toEqual([1, 2, 1])
  slow.outlet.full = false
  slow.member.drained()
  expect(slow.outlet.text.slice(slow.outlet.text.indexOf('event: next'))).toBe(
    fast.outlet.text.slice(fast.outlet.text.indexOf('event: next')),
  )
  // The missed ones came in one write.
  expect(slow.outlet.writes).toBe(3)
  expect(engine.shared.lagging).toBe(0)
  paint(50)
  await settle()
  expect(slow.outlet.told).toEqual(range(0, 51))
})

const steps = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.record({ kind: fc.constant('paint' as const), count: fc.integer({ min: 1, max: 5 }) }) },
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('full' as const), who: fc.nat() }) },
    { weight: 5, arbitrary: fc.record({ kind: fc.constant('drain' as const), who: fc.nat(), stays: fc.boolean() }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('join' as const), query: fc.nat(2), full: fc.boolean() }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('leave' as const), who: fc.nat() }) },
    { weight: 2, arbitrary: fc.constant({ kind: 'settle' as const }) },
    { weight: 1, arbitrary: fc.constant({ kind: 'heartbeat' as const }) },
  ),
  { minLength: 5, maxLength: 60, size: 'max' },
)

const QUERIES = [
  { query: ALL, wants: () => true },
  { query: 'subscription { paint(color: "odd") { n } }', wants: (n: number) => n % 2 === 1 },
  { query: 'subscription { paint(above: 20) { n later } }', wants: (n: number) => n > 20 },
] as const

test('every outlet gets the frames of its group in order and each once, however it fills and drains', async () => {
  const statistics = new Statistics('outlets', [
    'frames',
    'filled',
    'drained to the head',
    'full again while reading on',
    'joined full',
    'left while lagging',
    'ended lagging',
    'heartbeats',
    'several frames in one write',
  ])
  await fc.assert(
    fc.asyncProperty(steps, async (sequence) => {
      const { open, paint, engine, feed } = startEngine({ heartbeatMs: 32 })
      type Member = ReturnType<typeof open> & { from: number; wants: (n: number) => boolean; gone: boolean }
      const members: Member[] = []
      let next = 0
      const join = (which: number, full: boolean) => {
        const { query, wants } = QUERIES[which] as (typeof QUERIES)[number]
        const outlet = new FakeOutlet()
        outlet.full = full
        members.push({ ...open(query, { outlet }), from: next, wants, gone: false })
        if (full) statistics.count('joined full')
      }
      const isLagging = ({ member }: Member) => lags(member)
      const drain = (one: Member, stays: boolean) => {
        if (!isLagging(one)) return
        one.outlet.full = stays
        const behind = one.outlet.told.length
        one.member.drained()
        if (isLagging(one)) statistics.count('full again while reading on')
        else statistics.count('drained to the head')
        if (one.outlet.told.length - behind > 1) statistics.count('several frames in one write')
      }
      for (let which = 0; which < QUERIES.length; which++) join(which, false)

      for (const step of sequence) {
        const one = 'who' in step ? (members[step.who % members.length] as Member) : undefined
        if (step.kind === 'paint') {
          paint(...range(next, next + step.count))
          next += step.count
        } else if (step.kind === 'full' && one && !one.gone) {
          one.outlet.full = true
          statistics.count('filled')
        } else if (step.kind === 'drain' && one && !one.gone) {
          drain(one, step.stays)
        } else if (step.kind === 'join') {
          join(step.query, step.full)
        } else if (step.kind === 'leave' && one && !one.gone && members.filter(({ gone }) => !gone).length > 3) {
          if (isLagging(one)) statistics.count('left while lagging')
          one.gone = true
          one.outlet.destroy()
          one.member.gone()
        } else if (step.kind === 'settle') {
          await settle()
        } else if (step.kind === 'heartbeat') {
          vi.advanceTimersByTime(32)
          statistics.count('heartbeats')
        }
      }
      await settle()
      for (const one of members.filter(({ gone }) => !gone)) {
        if (isLagging(one)) statistics.count('ended lagging')
        while (isLagging(one)) drain(one, false)
      }
      for (const { outlet, from, wants, gone, member } of members) {
        const wanted = range(from, next).filter(wants)
        const { told } = outlet
        statistics.count('frames', told.length)
        expect(told).toEqual(gone ? wanted.slice(0, told.length) : wanted)
        const heads = outlet.positions.filter((position) => position !== undefined).map(([offset]) => offset as number)
        expect(heads, 'positions never go back').toEqual(heads.toSorted((a, b) => a - b))
        expect(member.isClosed).toBe(gone)
      }
      expect(engine.shared.lagging).toBe(0)
      for (const { member, gone } of members) if (!gone) member.gone()
      vi.advanceTimersByTime(LINGER_MS)
      expect([engine.groups, engine.subscribers, feed.interests, engine.shared.budget.used]).toEqual([0, 0, 0, 0])
      engine.close()
    }),
    { numRuns: 200 },
  )
  statistics.report()
})

test('a member that lags while it drains little by little reads on in pieces', async () => {
  const { open, paint } = startEngine()
  const { outlet, member } = open(LONG)
  outlet.full = true
  for (let n = 0; n < 5; n++) {
    paint(n)
    await settle()
  }
  expect(outlet.told).toEqual([0])
  for (let drained = 1; drained < 5; drained++) {
    member.drained()
    expect(outlet.told).toEqual(range(0, drained + 1))
  }
  outlet.full = false
  member.drained()
  expect(lags(member)).toBe(false)
})

test('what all lagging members may hold in their outlets together is bounded, however many they are', async () => {
  const { open, paint, engine } = startEngine()
  const members = Array.from({ length: 4_000 }, () => open(ALL))
  for (const { outlet } of members) outlet.full = true
  paint(0)
  await settle()
  paint(...range(1, 1_001))
  await settle()
  expect(engine.shared.lagging).toBe(4_000)
  const [{ outlet, member }] = members as [(typeof members)[number]]
  const before = outlet.bytes
  member.drained()
  const piece = outlet.bytes - before
  expect(piece).toBeGreaterThan(8 * 1024)
  expect(piece).toBeLessThanOrEqual((64 * 1024 * 1024) / 4_000)
})

test('an outlet that takes nothing for thirty seconds is closed, and its group goes on', async () => {
  const { open, paint, engine } = startEngine()
  const stalled = open(ALL)
  const fast = open(ALL)
  stalled.outlet.full = true
  paint(0)
  await settle()
  vi.advanceTimersByTime(WRITE_STALL_MS - 1_000)
  expect(stalled.outlet.end_).toBe('open')
  vi.advanceTimersByTime(3_000)
  expect(stalled.outlet.end_).toBe('destroyed')
  expect(stalled.outlet.text).not.toContain('complete')
  expect(engine.stats.closes).toEqual({ stalled: 1 })
  paint(1)
  await settle()
  expect(fast.outlet.told).toEqual([0, 1])
  expect(fast.outlet.end_).toBe('open')
})

test('an outlet that is slow but takes something now and then stays', async () => {
  const { open, paint } = startEngine()
  const { outlet, member } = open(LONG)
  outlet.full = true
  for (let n = 0; n < 4; n++) {
    paint(n)
    await settle()
  }
  for (let drained = 0; drained < 3; drained++) {
    vi.advanceTimersByTime(WRITE_STALL_MS - 5_000)
    member.drained()
  }
  expect([outlet.end_, outlet.told]).toEqual(['open', [0, 1, 2, 3]])
})

test('when slow members fill the memory for frames, they read on from further back, and nobody else notices', async () => {
  const { open, paint, engine } = startEngine()
  const slow = open(LONG)
  const fast = open(LONG)
  const other = open(ALL)
  slow.outlet.full = true
  let most = 0
  for (let n = 0; n < 900; n++) {
    paint(n)
    await settle()
    most = Math.max(most, engine.shared.budget.used)
    expect(fast.outlet.bytes).toBeGreaterThan(n * 100_000)
    fast.outlet.forget()
  }
  // 90 MB went by.
  expect(most).toBeGreaterThan(32 * 1024 * 1024)
  expect(most).toBeLessThanOrEqual(engine.shared.budget.limit)
  slow.outlet.full = false
  slow.member.drained()
  for (let turn = 0; turn < 200; turn++) await settle()
  expect(engine.stats.replays.fellBehind).toBe(1)
  expect(engine.stats.closes).toEqual({})
  paint(900)
  await settle()
  expect([fast.outlet.told, other.outlet.told]).toEqual([[900], range(0, 901)])
  expect(slow.outlet.blocks.filter(({ event }) => event).length).toBe(901)
  expect(slow.outlet.positions.at(-1)).toEqual([901])
})

test('heartbeats tell each member where it is, and leave those alone that have bytes to wait for', async () => {
  const { open, paint, paintOn } = startEngine({ partitions: 2, heartbeatMs: 15_008 })
  const quiet = open('subscription { paint(color: "odd") { n } }')
  const lagging = open(ALL)
  lagging.outlet.full = true
  paint(0)
  await settle()
  paintOn(1, 2, 4)
  await settle()
  vi.advanceTimersByTime(15_008)
  expect(quiet.outlet.blocks.at(-1)).toEqual({ id: expect.any(String) })
  expect(quiet.outlet.positions).toEqual([
    [0, 0],
    [1, 2],
  ])
  expect(lagging.outlet.positions).toEqual([
    [0, 0],
    [1, 0],
  ])
  vi.advanceTimersByTime(15_008)
  expect(quiet.outlet.blocks).toHaveLength(3)
})

test('heartbeats do not flush: pending frames of a group go out together, in place of a heartbeat', async () => {
  const { open, paint } = startEngine({ heartbeatMs: 3_200 })
  const members = Array.from({ length: 64 }, () => open(ALL))
  paint(0)
  vi.advanceTimersByTime(1_600)
  paint(1)
  vi.advanceTimersByTime(1_600)
  for (const { outlet } of members) expect(outlet.blocks).toHaveLength(1)
  await settle()
  for (const { outlet } of members) expect([outlet.told, outlet.blocks.length]).toEqual([[0, 1], 3])
  vi.advanceTimersByTime(3_200)
  for (const { outlet } of members) expect(outlet.blocks).toHaveLength(4)
})

test('heartbeats of many members are spread over the interval', () => {
  const { open } = startEngine({ heartbeatMs: 32_000 })
  const members = Array.from({ length: 320 }, () => open(ALL))
  const beats = () => members.reduce((sum, { outlet }) => sum + outlet.blocks.length - 1, 0)
  vi.advanceTimersByTime(8_000)
  expect(beats()).toBe(80)
  vi.advanceTimersByTime(24_000)
  expect(beats()).toBe(320)
})

test('who leaves frees its place, and the last one its group', async () => {
  const { open, paint, engine, feed } = startEngine()
  const [one, other] = [open(ALL), open(ALL)]
  const alone = open('subscription { paint(color: "odd") { n } }')
  expect([engine.groups, engine.subscribers, feed.interests]).toEqual([2, 3, 2])
  alone.member.gone()
  alone.member.gone()
  one.member.gone()
  vi.advanceTimersByTime(LINGER_MS)
  expect([engine.groups, engine.subscribers, feed.interests]).toEqual([1, 1, 1])
  paint(1)
  await settle()
  expect([other.outlet.told, one.outlet.told, alone.outlet.told]).toEqual([[1], [], []])
  other.member.gone()
  expect(engine.subscribers).toBe(0)
  vi.advanceTimersByTime(LINGER_MS)
  expect([engine.groups, feed.interests, engine.shared.budget.used]).toEqual([0, 0, 0])
  const again = open(ALL)
  paint(2)
  await settle()
  expect(again.outlet.told).toEqual([2])
})

test('a group whose last member left lingers without executing, and makes up for it when somebody comes back', async () => {
  const { open, paint, engine } = startEngine()
  const first = open(ALL)
  paint(0)
  await settle()
  first.member.gone()
  paint(1, 2, 3)
  await settle()
  expect([engine.groups, engine.stats.executions]).toEqual([1, 1])
  vi.advanceTimersByTime(5_000)
  const second = open(ALL)
  expect([engine.groups, engine.stats.executions, engine.stats.frames]).toEqual([1, 4, 4])
  paint(4)
  await settle()
  vi.advanceTimersByTime(2 * LINGER_MS)
  expect([second.outlet.told, engine.groups]).toEqual([[4], 1])
})

test('a gap that opens while a group lingers is told to whoever comes back', async () => {
  const { open, paint, paintOn, feed, engine } = startEngine({ partitions: 2 })
  const first = open(ALL)
  paint(0)
  await settle()
  first.member.gone()
  feed.onGap({ kind: 'gap', topic: 'paints', partition: 0, from: 1, to: 5, reason: 'retention' })
  paintOn(0, 5)
  const second = open(ALL)
  await settle()
  // The frames of the past are not the newcomer's, but they are in the log: the gap's, then the event's.
  expect(engine.stats.frames).toBe(3)
  paint(6)
  await settle()
  expect(second.outlet.told).toEqual([6])
})

test('frames are kept for as long as somebody may come back for them, and longer for who lags', async () => {
  const { open, paint, engine } = startEngine()
  const fast = open(ALL)
  paint(0, 1)
  await settle()
  expect(engine.shared.budget.used).toBeGreaterThan(0)
  vi.advanceTimersByTime(LINGER_MS)
  expect(engine.shared.budget.used).toBe(0)

  const slow = open(ALL)
  slow.outlet.full = true
  paint(2)
  await settle()
  paint(3)
  await settle()
  vi.advanceTimersByTime(LINGER_MS)
  slow.outlet.full = false
  slow.member.drained()
  expect([slow.outlet.told, fast.outlet.told]).toEqual([
    [2, 3],
    [0, 1, 2, 3],
  ])
})

test('a group that made no frame ends with its last member', () => {
  const { open, engine } = startEngine()
  open(ALL).member.gone()
  expect(engine.groups).toBe(0)
})

test('of the groups that linger, the longest waiting make room', async () => {
  const { open, paint, engine } = startEngine()
  for (let i = 0; i < MAX_LINGERING + 10; i++) {
    const { member } = open(`subscription { paint { alias${i}: n } }`)
    paint(i)
    await null
    member.gone()
  }
  expect(engine.groups).toBe(MAX_LINGERING)
  vi.advanceTimersByTime(LINGER_MS)
  expect([engine.groups, engine.shared.budget.used]).toEqual([0, 0])
})

test('an outlet that is gone while it is written to disturbs nobody', async () => {
  const { open, paint, engine } = startEngine()
  const leaving = open(ALL)
  const staying = [open(ALL), open(ALL)]
  leaving.outlet.write = () => {
    leaving.member.gone()
    return false
  }
  paint(1)
  await settle()
  paint(2)
  await settle()
  for (const { outlet } of staying) expect(outlet.told).toEqual([1, 2])
  expect([engine.subscribers, engine.shared.lagging]).toEqual([2, 0])
})

test('closing the engine ends every stream with a time to come back, after all that was still to be written', async () => {
  const { open, paint, engine } = startEngine()
  const members = [open(ALL), open(ALL)]
  paint(1)
  engine.close()
  for (const { outlet } of members) {
    expect(outlet.told).toEqual([1])
    expect(outlet.end_).toBe('ended')
    expect(outlet.blocks.at(-1)).toEqual({ retry: expect.stringMatching(/^\d{3,4}$/) })
    expect(outlet.text).not.toContain('complete')
  }
  expect(engine.stats.closes).toEqual({ shutdown: 2 })
})

test('members that may see different things share nothing', async () => {
  const { open, paint, engine } = startEngine()
  const query = 'subscription { paint { claim } }'
  const gold = open(query, { audience: { claims: { tier: 'gold' } } })
  const basic = open(query, { audience: { claims: { tier: 'basic' } } })
  paint(1)
  await settle()
  expect(engine.groups).toBe(2)
  expect(gold.outlet.results).toEqual([{ data: { paint: { claim: 'gold' } } }])
  expect(basic.outlet.results).toEqual([{ data: { paint: { claim: 'basic' } } }])
})

test('a member that drains between an event and its flush gets the event once', async () => {
  const { open, paint } = startEngine()
  const slow = open(ALL)
  slow.outlet.full = true
  paint(0)
  await settle()
  paint(1)
  await settle()
  paint(2)
  slow.outlet.full = false
  slow.member.drained()
  await settle()
  expect(slow.outlet.told).toEqual([0, 1, 2])
})
