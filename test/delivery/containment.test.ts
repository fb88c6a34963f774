import fc from 'fast-check'
import { GraphQLError } from 'graphql'
import { expect, test, vi } from 'vitest'
import type { Group } from '../../src/delivery/group/group.ts'
import type { Subscriber } from '../../src/delivery/group/subscriber.ts'
import type { StreamFlow } from '../../src/delivery/replay/stream-flow.ts'
import { FakeOutlet, settle, startEngine } from '../kit/engine.ts'
import { recordedLog } from '../kit/log-lines.ts'
import { Statistics } from '../kit/statistics.ts'
import { expectNothingUncaught } from '../kit/uncaught.ts'

const ALL = 'subscription { paint { n } }'
const ODD = 'subscription { paint(color: "odd") { n } }'
const LATER = 'subscription { paint { n later } }'
const RETRY = { retry: expect.stringMatching(/^\d{4}$/) }

expectNothingUncaught()

/** Makes a method throw from now on, as often as is said. */
function breaks(what: object, method: string, times = 1): void {
  const on = what as Record<string, (...args: unknown[]) => unknown>
  const whole = on[method]?.bind(what) as (...args: unknown[]) => unknown
  let left = times
  on[method] = (...args) => {
    if (left-- > 0) throw new Error('Broken')
    return whole(...args)
  }
}

const groupOf = (member: Subscriber): Group => member.group as Group
const isEndedToComeBack = (outlet: FakeOutlet) => {
  expect(outlet.end_).toBe('ended')
  expect(outlet.blocks.at(-1)).toEqual(RETRY)
  expect(outlet.text).not.toContain('complete')
}

test('a group that cannot take an event ends its members, which come back and miss nothing', async () => {
  const { log, lines } = recordedLog()
  const { open, paint, engine, feed } = startEngine({ log })
  const members = [open(ALL), open(ALL)]
  const other = open(ODD)
  paint(0)
  await settle()
  breaks(groupOf(members[0]?.member as Subscriber).log, 'append')
  paint(1)
  await settle()
  for (const { outlet } of members) isEndedToComeBack(outlet)
  expect(other.outlet.told).toEqual([1])
  expect(engine.stats).toMatchObject({ failedGroups: 1, closes: { failed: 2 } })
  expect([engine.groups, engine.subscribers, feed.interests]).toEqual([1, 1, 1])
  expect(lines.filter(({ msg }) => msg === 'A group failed')).toMatchObject([
    { topic: 'paints', partition: 0, offset: 1, err: { message: 'Broken' } },
  ])

  const after = members[0]?.outlet.blocks.findLast(({ id }) => id)?.id as string
  const back = open(ALL, {}, { start: { after } })
  paint(2)
  await settle()
  expect(back.outlet.told).toEqual([1, 2])
})

test('whatever throws in a flush, heartbeat, sweep or turn ends the one group or client that it was about', async () => {
  const kinds = ['flush', 'heartbeat', 'sweep', 'readOn', 'write', 'drained', 'replay', 'failing end'] as const
  const seen = new Statistics('faults', [...kinds, 'after an awaited event', 'at once'])
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...kinds),
      fc.integer({ min: 1, max: 3 }),
      fc.boolean(),
      async (kind, size, late) => {
        const { log } = recordedLog()
        const { open, paint, engine, feed } = startEngine({ log, later: (n) => (n === 1 ? Promise.resolve(n) : n) })
        const before = open(ODD)
        const broken = Array.from({ length: size }, () => open(LATER))
        const after = open(ALL)
        const [{ outlet, member }] = broken as [(typeof broken)[0]]
        if (late) {
          paint(1)
          await settle()
        }
        const group = groupOf(member)
        let whole = true
        switch (kind) {
          case 'flush':
            breaks(group.log, 'read', 1)
            break
          case 'heartbeat':
            for (const each of broken) breaks(each.member, 'heartbeat')
            break
          case 'sweep':
            breaks(group, 'sweep', 1)
            break
          case 'readOn':
            breaks(group.log, 'append', 1)
            break
          case 'write':
            breaks(outlet, 'write', 1)
            whole = false
            break
          case 'drained':
            outlet.full = true
            whole = false
            break
          case 'replay':
            breaks((group.flow as StreamFlow).history, 'read', 1)
            broken.push(open(LATER, {}, { start: { after: feed.cursorAt([0]) } }))
            break
          case 'failing end':
            breaks(group.log, 'read', 1)
            breaks(outlet, 'end', 1)
            break
        }
        paint(2, 3)
        await settle()
        if (kind === 'drained') {
          paint(5)
          await settle()
          breaks(group.log, 'read', 1)
          member.drained()
        }
        vi.advanceTimersByTime(32_000)
        await settle()
        paint(7)
        await settle()
        seen.count(kind)
        seen.count(late ? 'after an awaited event' : 'at once')
        // Those that it was not about have everything.
        const extra = kind === 'drained' ? [5] : []
        expect(before.outlet.told).toEqual([...(late ? [1] : []), 3, ...extra, 7])
        expect(after.outlet.told).toEqual([...(late ? [1] : []), 2, 3, ...extra, 7])
        // Those that it was about are to come back, and count as such.
        const ended = broken.filter((each) => each.outlet.end_ !== 'open')
        expect(ended.length).toBeGreaterThan(0)
        if (whole && kind !== 'replay') expect(ended.length).toBe(size)
        if (!whole) expect(ended.length).toBe(1)
        expect(engine.stats.closes).toEqual({ failed: ended.length })
        expect(ended.every((each) => !each.outlet.text.includes('complete'))).toBe(true)
        engine.close()
        expect([engine.groups, engine.subscribers, engine.shared.lagging, feed.interests]).toEqual([0, 0, 0, 0])
        vi.useRealTimers()
      },
    ),
    { numRuns: 60 },
  )
  seen.report()
})

test('a stream that cannot be begun ends with a time to come back, and its group goes on', async () => {
  const { open, paint, engine, feed } = startEngine()
  const sound = open(ALL)
  paint(0)
  await settle()
  const start = { after: feed.cursorAt([0]) }
  for (const [query, options] of [
    [ALL, {}],
    [ALL, { start }],
    [ODD, {}],
    [ODD, { start }],
  ] as const) {
    for (const method of ['write', 'attach']) {
      const outlet = new FakeOutlet()
      breaks(outlet, method)
      const { member } = open(query, { outlet }, options)
      expect(member?.isClosed ?? true).toBe(true)
      expect(outlet.end_).toBe('ended')
    }
  }
  const cursor = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(feed), 'cursor') as PropertyDescriptor
  Object.defineProperty(feed, 'cursor', {
    configurable: true,
    get() {
      throw new Error('Broken')
    },
  })
  for (const query of [ALL, ODD]) isEndedToComeBack(open(query).outlet)
  Object.defineProperty(feed, 'cursor', cursor)
  paint(1)
  await settle()
  expect(sound.outlet.told).toEqual([0, 1])
  expect(engine.stats).toMatchObject({ closes: { failed: 10 }, failedGroups: 0 })
  expect([engine.groups, engine.subscribers, engine.shared.lagging, engine.shared.replays.length]).toEqual([1, 1, 0, 0])
})

test('a group that fails on its way back from lingering ends, and who woke it comes to another', async () => {
  const { open, paint, engine, feed } = startEngine()
  const first = open(ALL)
  paint(0)
  await settle()
  first.member.gone()
  paint(1)
  breaks(first.member.group.log, 'append')
  const second = open(ALL)
  isEndedToComeBack(second.outlet)
  const third = open(ALL)
  paint(2)
  await settle()
  expect(third.outlet.told).toEqual([2])
  expect([engine.groups, feed.interests, engine.stats.failedGroups, engine.shared.budget.used > 0]).toEqual([
    1,
    1,
    1,
    true,
  ])
})

test('an error that cannot even be told is an event with an unexpected error, and its group goes on', async () => {
  const circular: Record<string, unknown> = { code: 'MINE' }
  circular.self = circular
  const evil = new Proxy(new Error('Evil'), {
    get() {
      throw new Error('No')
    },
  })
  for (const thrown of [
    new GraphQLError('Circular', { extensions: circular }),
    new GraphQLError('Big', { extensions: { code: 'MINE', big: 1n } }),
    Object.create(null) as object,
    evil,
    Symbol('odd'),
    undefined,
  ]) {
    for (const later of [
      () => {
        throw thrown
      },
      () => Promise.reject(thrown),
    ]) {
      const { log } = recordedLog()
      const { open, paint, engine, filterWith } = startEngine({ log, later })
      const { outlet } = open(LATER)
      const filtered = open('subscription { paint(above: 666) { n } }')
      filterWith(() => {
        throw thrown
      })
      paint(1)
      await settle()
      paint(2)
      await settle()
      expect(outlet.results).toHaveLength(2)
      expect(outlet.results.every(({ errors }) => errors?.length === 1)).toBe(true)
      expect(filtered.outlet.told).toEqual(Array.from({ length: 2 }, () => expect.any(String)))
      expect([outlet.end_, filtered.outlet.end_, engine.stats.failedGroups]).toEqual(['open', 'open', 0])
      engine.close()
    }
  }
})
