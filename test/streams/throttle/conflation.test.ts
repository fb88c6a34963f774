import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Conflation } from '../../../src/streams/throttle/conflation.ts'
import { ThrottleRoom } from '../../../src/streams/throttle/room.ts'
import { Statistics } from '../../kit/statistics.ts'

interface Numbered {
  readonly partition: number
  readonly offset: number
  readonly timestamp: number
  readonly key: string
}

const EVERY_MS = 100
const PARTITIONS = 3
const ROOMY = Number.MAX_SAFE_INTEGER
const CASES = [
  'FIRST',
  'LATEST',
  'shown',
  'left out',
  'shown by the group',
  'by time',
  'early',
  'odd timestamps',
] as const

const event = fc.record({
  key: fc.constantFrom(...'abcde'),
  partition: fc.nat(PARTITIONS - 1),
  /** After the event before it. */
  later: fc.constantFrom(0, 1, 50, 99, 100, 5000, -300, Number.NaN),
  isByTime: fc.boolean(),
})
const past = fc.record({
  mode: fc.constantFrom('FIRST' as const, 'LATEST' as const),
  maxKeys: fc.constantFrom(2, 100, 100),
  limit: fc.constantFrom(0, 2000, ROOMY, ROOMY, ROOMY),
  /** Events, and in between the moments at which the end is reached. */
  steps: fc.array(fc.oneof({ weight: 12, arbitrary: event }, { weight: 1, arbitrary: fc.constant('end' as const) }), {
    maxLength: 60,
    size: 'max',
  }),
  /** What the group is going to show. */
  heldByGroup: fc.subarray([...'abcde']),
})

test('of any past the latest of each key is shown, or the first of each interval, and no position passes what is held', () => {
  const statistics = new Statistics('conflation', CASES)
  fc.assert(
    fc.property(past, ({ mode, maxKeys, limit, steps, heldByGroup }) => {
      statistics.count(mode)
      const room = new ThrottleRoom(limit)
      const conflation = new Conflation<Numbered>({ everyMs: EVERY_MS, mode }, room, maxKeys)
      const read: Numbered[] = []
      const shown: Numbered[] = []
      const next = new Array<number>(PARTITIONS).fill(0)
      let timestamp = 1000
      let position: readonly number[] = [...next]
      const write = (): void => {
        for (let event = conflation.next(); event; event = conflation.next()) {
          expect(conflation.below(next)[event.partition]).toBeLessThanOrEqual(event.offset)
          conflation.released()
          shown.push(event)
        }
        const now = conflation.below(next)
        for (const [p, at] of now.entries()) expect(at).toBeGreaterThanOrEqual(position[p] ?? 0)
        position = [...now]
      }
      const isGroups = (event: Numbered) => mode === 'LATEST' && heldByGroup.includes(event.key)
      for (const one of [...steps, 'end' as const]) {
        if (one === 'end') conflation.show(isGroups)
        else {
          const { key, partition, later, isByTime } = one
          if (Number.isNaN(later)) statistics.count('odd timestamps')
          else timestamp += later
          const offset = next[partition] as number
          next[partition] = offset + 1
          const event = { partition, offset, key, timestamp: Number.isNaN(later) ? later : timestamp }
          read.push(event)
          const latest = read.findLast((each) => each.key === key && each !== event)
          if (isByTime && latest && latest.partition !== partition && timestamp < latest.timestamp)
            statistics.count('by time')
          conflation.offer(key, event, 500, isByTime)
        }
        write()
      }
      statistics.count('shown', shown.length)
      statistics.count('left out', room.stats.skipped)
      statistics.count('early', room.stats.early)
      for (const key of 'abcde') {
        const given = read.filter((each) => each.key === key)
        const seen = shown.filter((each) => each.key === key)
        for (const [i, each] of seen.entries()) {
          const before = seen.slice(0, i).filter(({ partition }) => partition === each.partition)
          expect(
            before.every(({ offset }) => offset < each.offset),
            'each once, in order',
          ).toBe(true)
        }
        if (given.length === 0) continue
        if (mode === 'FIRST') checkFirst(given, seen, room.stats.early > 0)
        else checkLatest(given, seen, heldByGroup.includes(key), statistics)
      }
      conflation.clear()
      expect([room.used, conflation.held]).toEqual([0, 0])
    }),
    { numRuns: 1500, seed: 20261127 },
  )
  statistics.report()
})

/** The last one shown is the last one of its partition, unless somebody else shows that. */
function checkLatest(given: Numbered[], seen: Numbered[], isGroups: boolean, statistics: Statistics): void {
  const last = seen.at(-1)
  const isLast = last !== undefined && given.findLast(({ partition }) => partition === last.partition) === last
  if (isGroups && !isLast) statistics.count('shown by the group')
  else expect(isLast, `the latest of ${given[0]?.key}`).toBe(true)
}

/** As one scan says it, where no key was forgotten for lack of room. */
function checkFirst(given: Numbered[], seen: Numbered[], isEarly: boolean): void {
  let at: number | undefined
  const expected = given.filter(({ timestamp }) => {
    if (at !== undefined && Math.abs(timestamp - at) < EVERY_MS) return false
    at = timestamp
    return true
  })
  if (isEarly) expect(seen.length).toBeGreaterThanOrEqual(expected.length > 0 ? 1 : 0)
  else expect(seen).toEqual(expected)
}
