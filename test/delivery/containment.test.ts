import fc from 'fast-check'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Group } from '../../src/delivery/group.ts'
import type { Subscriber } from '../../src/delivery/subscriber.ts'
import { type FakeOutlet, settle, startEngine } from '../kit/engine.ts'
import { recordedLog } from '../kit/log-lines.ts'
import { Statistics } from '../kit/statistics.ts'

const ALL = 'subscription { paint { n } }'
const ODD = 'subscription { paint(color: "odd") { n } }'
const LATER = 'subscription { paint { n later } }'
const RETRY = { retry: expect.stringMatching(/^\d{4}$/) }

// What nobody catches ends the process.
const uncaught: unknown[] = []
const keep = (error: unknown) => uncaught.push(error)
beforeEach(() => {
  uncaught.length = 0
  process.on('uncaughtException', keep)
  process.on('unhandledRejection', keep)
})
afterEach(() => {
  process.off('uncaughtException', keep)
  process.off('unhandledRejection', keep)
  expect(uncaught).toEqual([])
})

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

const groupOf = (member: Subscriber): Group => member.group
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
            // Only the heartbeat asks for it.
            breaks(group, 'heartbeat', size)
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
            breaks(group.history, 'read', 1)
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
        expect([engine.groups, engine.subscribers, engine.lagging, feed.interests]).toEqual([0, 0, 0, 0])
        vi.useRealTimers()
      },
    ),
    { numRuns: 60 },
  )
  seen.report()
})
