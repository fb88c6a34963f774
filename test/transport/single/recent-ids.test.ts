import fc from 'fast-check'
import { expect, test } from 'vitest'
import { AllRecentIds, RecentIds } from '../../../src/transport/single/recent-ids.ts'
import { Statistics } from '../../kit/statistics.ts'

const REMEMBERED_MS = 30_000
const MAX_IDS = 200

/** Ids with a clock of their own. */
function aStream() {
  const clock = { now: 1_000_000 }
  const all = new AllRecentIds(() => clock.now)
  return { clock, all, ids: new RecentIds(all) }
}

test('a stop before its operation is for that one, once', () => {
  const { ids } = aStream()
  ids.stopped('1')
  ids.arrived('1')
  expect([ids.isStopped('2'), ids.isStopped('1')]).toEqual([false, true])
  ids.ended('1')
  expect(ids.isStopped('1')).toBe(false)
  // The next one has a stop of its own.
  ids.stopped('1')
  expect(ids.isStopped('1')).toBe(true)
})

test('a stop after the end of its operation is for none that comes later', () => {
  const { ids } = aStream()
  ids.ended('1')
  ids.stopped('1')
  expect(ids.isStopped('1')).toBe(false)
})

test('a stop while the next operation with its id is on its way is for that one', () => {
  const { ids } = aStream()
  ids.ended('1')
  ids.arrived('1')
  ids.stopped('1')
  expect(ids.isStopped('1')).toBe(true)
})

test('an operation that is refused has had its stop', () => {
  const { ids, all } = aStream()
  ids.stopped('1')
  ids.ended('1')
  expect([ids.isStopped('1'), all.size]).toEqual([false, 0])
})

test('what is older than any request on its way is forgotten, also of streams that are quiet', () => {
  const { ids, all, clock } = aStream()
  const quiet = new RecentIds(all)
  for (let n = 0; n < 10; n++) quiet.stopped(`${n}`)
  ids.stopped('1')
  clock.now += REMEMBERED_MS
  expect(ids.isStopped('1')).toBe(false)
  ids.stopped('2')
  expect(all.size).toBe(1)
})

test('a stream has no more than its operations, and all streams together no more than 50,000', () => {
  const { ids, all } = aStream()
  for (let n = 0; n < 1_000; n++) ids.stopped(`${n}`)
  expect(all.size).toBe(MAX_IDS)
  // The newest.
  expect([ids.isStopped('799'), ids.isStopped('800')]).toEqual([false, true])
  const others = Array.from({ length: 500 }, () => new RecentIds(all))
  for (const other of others) for (let n = 0; n < MAX_IDS; n++) other.ended(`${n}`)
  expect(all.size).toBe(50_000)
  for (const other of [ids, ...others]) other.close()
  expect(all.size).toBe(0)
})

test('a stream that has ended remembers nothing', () => {
  const { ids, all } = aStream()
  ids.stopped('1')
  ids.close()
  ids.stopped('2')
  ids.ended('3')
  expect([all.size, ids.isStopped('1'), ids.isStopped('2')]).toEqual([0, false, false])
})

test('each stop is for one operation: that which runs, that which has ended by itself, or the next one', () => {
  const cases = ['stopped before', 'stop of an ended one', 'forgotten', 'refused']
  const statistics = new Statistics('Requests with ids', cases)
  const step = fc.record({
    what: fc.constantFrom('stop', 'operation', 'refused operation', 'time'),
    id: fc.constantFrom('a', 'b', 'c'),
    ms: fc.constantFrom(1, 10_000, REMEMBERED_MS),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const { ids, clock } = aStream()
      /** Of each id: more stops (1) or more operations (-1), and since when. */
      const model = new Map<string, { more: 1 | -1; at: number }>()
      const of = (id: string) => {
        const known = model.get(id)
        if (known && clock.now - known.at >= REMEMBERED_MS) {
          statistics.count('forgotten')
          model.delete(id)
          return undefined
        }
        return known?.more
      }
      for (const { what, id, ms } of steps) {
        if (what === 'time') clock.now += ms
        else if (what === 'stop') {
          if (of(id) === -1) {
            statistics.count('stop of an ended one')
            model.delete(id)
          } else model.set(id, { more: 1, at: clock.now })
          ids.stopped(id)
        } else {
          const isStopped = of(id) === 1
          ids.arrived(id)
          if (what === 'operation') {
            statistics.count('stopped before', Number(isStopped))
            expect(ids.isStopped(id)).toBe(isStopped)
          } else statistics.count('refused')
          ids.ended(id)
          if (isStopped) model.delete(id)
          else model.set(id, { more: -1, at: clock.now })
        }
      }
    }),
    { numRuns: 1_000 },
  )
  statistics.report()
})
