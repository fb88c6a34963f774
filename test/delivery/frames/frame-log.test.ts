import fc from 'fast-check'
import { expect, test } from 'vitest'
import { FrameBudget } from '../../../src/delivery/frames/frame-budget.ts'
import { FrameLog } from '../../../src/delivery/frames/frame-log.ts'
import { BY_ID } from '../../../src/protocol/event-stream.ts'
import { frame } from '../../../src/protocol/framing.ts'
import { Statistics } from '../../kit/statistics.ts'

const CURSOR = Buffer.from('C')
/** What a log counts for a result beside its bytes. */
const FRAME_BYTES = 64

/** Is never asked for a frame, where the budget is large. */
const NOBODY = { first: 0, dropOldest: () => {} }

const steps = fc.array(
  fc.oneof(
    {
      weight: 3,
      arbitrary: fc.record({ kind: fc.constant('append' as const), length: fc.integer({ min: 1, max: 50 }) }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('drop' as const), number: fc.nat(60) }) },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant('read' as const),
        from: fc.nat(),
        to: fc.nat(),
        maxBytes: fc.oneof(fc.integer({ min: 1, max: 400 }), fc.constant(Number.POSITIVE_INFINITY)),
      }),
    },
  ),
  { maxLength: 60, size: 'max' },
)

test('a frame log reads what was appended, from any number it still holds, in pieces of whole frames', () => {
  const statistics = new Statistics('frame log', ['appended', 'dropped', 'read one', 'read several', 'piece was full'])
  fc.assert(
    fc.property(steps, (sequence) => {
      const log = new FrameLog(new FrameBudget(1_000_000), NOBODY)
      const all: Buffer[] = []
      let first = 0
      for (const step of sequence) {
        if (step.kind === 'append') {
          const json = Buffer.alloc(step.length, all.length)
          all.push(json)
          log.append(CURSOR, json, undefined, [])
          statistics.count('appended')
        } else if (step.kind === 'drop') {
          log.dropBefore(step.number)
          const before = first
          first = Math.max(first, Math.min(step.number, all.length))
          statistics.count('dropped', first - before)
        } else if (first < all.length) {
          const from = first + (step.from % (all.length - first))
          const to = from + 1 + (step.to % (all.length - from))
          const { bytes, next } = log.read(from, to, step.maxBytes, BY_ID.results)
          expect(next).toBeGreaterThan(from)
          expect(next).toBeLessThanOrEqual(to)
          const framed = all.map((json) => frame(BY_ID.results, CURSOR, json))
          expect(bytes.equals(Buffer.concat(framed.slice(from, next)))).toBe(true)
          if (next - from > 1) expect(bytes.length).toBeLessThanOrEqual(step.maxBytes)
          if (next < to) {
            expect(bytes.length + (framed[next] as Buffer).length).toBeGreaterThan(step.maxBytes)
            statistics.count('piece was full')
          }
          statistics.count(next - from > 1 ? 'read several' : 'read one')
        }
        const held = all.slice(first).reduce((sum, { length }) => sum + length + FRAME_BYTES, 0)
        expect([log.first, log.next, log.bytes]).toEqual([first, all.length, held])
      }
    }),
    { numRuns: 500 },
  )
  statistics.report()
})

/** Someone with a log, who lets its oldest frame go when asked. */
function holder(budget: FrameBudget): FrameLog {
  const asked = {
    get first() {
      return log.first
    },
    dropOldest: () => log.dropBefore(log.first + 1),
  }
  const log: FrameLog = new FrameLog(budget, asked)
  return log
}

const appends = fc.array(
  fc.record({ who: fc.nat(3), length: fc.integer({ min: 1, max: 10 }), ends: fc.nat(9).map((n) => n === 0) }),
  { maxLength: 300, size: 'max' },
)

test('when all logs together exceed the budget, the oldest frames go first, whosever they are', () => {
  const statistics = new Statistics('frame budget', ['frames', 'made room', 'logs ended'])
  const BUDGET = 12 * FRAME_BYTES
  const sizeOf = (frames: readonly { length: number }[]) =>
    frames.reduce((sum, { length }) => sum + length + FRAME_BYTES, 0)
  fc.assert(
    fc.property(appends, (sequence) => {
      const budget = new FrameBudget(BUDGET)
      const logs = Array.from({ length: 4 }, () => holder(budget))
      let frames: { who: number; length: number }[] = []
      for (const { who, length, ends } of sequence) {
        const log = logs[who] as FrameLog
        log.append(CURSOR, Buffer.alloc(length), undefined, [])
        frames.push({ who, length })
        statistics.count('frames')
        for (; sizeOf(frames) > BUDGET; frames.shift()) statistics.count('made room')
        if (ends) {
          log.dropBefore(log.next)
          frames = frames.filter((frame) => frame.who !== who)
          statistics.count('logs ended')
        }
        const each = logs.map((_, index) => sizeOf(frames.filter((frame) => frame.who === index)))
        expect(logs.map(({ bytes }) => bytes)).toEqual(each)
        expect(budget.used).toBe(sizeOf(frames))
      }
    }),
  )
  statistics.report()
})
