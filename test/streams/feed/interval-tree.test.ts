import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Interval, IntervalTree } from '../../../src/streams/feed/interval-tree.ts'
import { Statistics } from '../../kit/statistics.ts'
import { bestMs } from '../../kit/yardstick.ts'

const ENDS = [Number.NEGATIVE_INFINITY, -2, -5e-324, -0, 0, 5e-324, 1, 1.5, 2, 3, 1e300, Number.POSITIVE_INFINITY]
const end = fc.oneof(fc.constantFrom(...ENDS), fc.integer({ min: -20, max: 20 }), fc.double({ noNaN: true }))
const interval = fc.tuple(end, end).map(([a, b]) => ({ low: Math.min(a, b), high: Math.max(a, b) }))

const steps = fc.array(
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({ kind: fc.constant('add' as const), interval, times: fc.constantFrom(1, 1, 2) }),
    },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('delete' as const), which: fc.nat() }) },
    { weight: 5, arbitrary: fc.record({ kind: fc.constant('find' as const), at: end }) },
  ),
  { minLength: 1, maxLength: 120, size: 'max' },
)

/** As a visitor reads them: one that was removed meanwhile is passed over. */
function* entriesOf<E>({ first, others }: Interval<E>): Generator<E> {
  if (first !== undefined) yield first
  if (others !== undefined) yield* others
}

test('the tree finds the intervals that contain a number, whatever comes and goes', () => {
  const statistics = new Statistics('interval tree', [
    'found none',
    'found several',
    'found on its lower end',
    'found on its upper end',
    'one number',
    'several entries of an interval',
    'all numbers',
    'a missing entry deleted',
    'emptied',
  ])
  fc.assert(
    fc.property(steps, (sequence) => {
      const tree = new IntervalTree<number>()
      const present = new Map<number, { low: number; high: number }>()
      let next = 0
      const distinct = () => new Set([...present.values()].map(({ low, high }) => `${low + 0} ${high + 0}`)).size
      for (const step of sequence) {
        if (step.kind === 'add') {
          const { low, high } = step.interval
          for (let time = 0; time < step.times; time++) {
            tree.add(low, high, next)
            present.set(next++, { low, high })
          }
          if (low === high) statistics.count('one number')
          if (high - low === Number.POSITIVE_INFINITY && low < 0 && high > 0) statistics.count('all numbers')
        } else if (step.kind === 'delete' && present.size > 0) {
          const [entry, { low, high }] = [...present][step.which % present.size] as [
            number,
            { low: number; high: number },
          ]
          tree.delete(low, high, entry)
          present.delete(entry)
          if (step.which % 2) {
            tree.delete(low, high, entry)
            statistics.count('a missing entry deleted')
          }
        } else if (step.kind === 'find') {
          const { at } = step
          const found = tree.find(at)
          const entries = found.flatMap((one) => [...entriesOf(one)]).toSorted((a, b) => a - b)
          const scanned = [...present].filter(([, { low, high }]) => low <= at && at <= high).map(([entry]) => entry)
          expect(entries).toEqual(scanned)
          if (found.length === 0) statistics.count('found none')
          if (found.length > 1) statistics.count('found several')
          if (found.some(({ low }) => low === at)) statistics.count('found on its lower end')
          if (found.some(({ high }) => high === at)) statistics.count('found on its upper end')
          if (entries.length > found.length) statistics.count('several entries of an interval')
        }
        expect(tree.size).toBe(distinct())
      }
      for (const [entry, { low, high }] of present) tree.delete(low, high, entry)
      expect([tree.size, tree.find(0)]).toEqual([0, []])
      statistics.count('emptied')
    }),
    { numRuns: 2000 },
  )
  statistics.report()
})

test('nothing contains what is no number', () => {
  const tree = new IntervalTree<string>()
  tree.add(Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, 'all')
  expect(tree.find(Number.NaN)).toEqual([])
})

test('entries may be removed and added while the result is visited', () => {
  const tree = new IntervalTree<string>()
  for (const name of ['a', 'b', 'c', 'd']) tree.add(0, 1, name)
  tree.add(0, 2, 'e')
  const visited: string[] = []
  for (const interval of tree.find(1)) {
    for (const entry of entriesOf(interval)) {
      visited.push(entry)
      for (const name of ['a', 'b', 'c', 'd']) tree.delete(0, 1, name)
      tree.delete(0, 2, 'e')
      tree.add(0, 1, 'new')
    }
  }
  expect(visited).toEqual(['e'])
  expect(tree.find(1).flatMap((one) => [...entriesOf(one)])).toEqual(['new'])
})

/** Intervals such that a search finds a few of them, however many there are. */
function spread(count: number): IntervalTree<number> {
  const tree = new IntervalTree<number>()
  for (let n = 0; n < count; n++) tree.add(n, n + 5, n)
  return tree
}

/** The worst that clients can ask for: ends that differ in nothing but their last bits, and one lower end for many. */
function crowded(count: number): IntervalTree<number> {
  const tree = new IntervalTree<number>()
  for (let n = 0; n < count; n++) {
    const low = n % 2 ? Number.NEGATIVE_INFINITY : 1 + n * Number.EPSILON
    tree.add(low, low === Number.NEGATIVE_INFINITY ? -1 - n * Number.EPSILON : 1 + (n + 5) * Number.EPSILON, n)
  }
  return tree
}

test.each([
  ['spread', spread, (n: number) => n],
  ['crowded', crowded, (n: number) => 1 + n * Number.EPSILON],
])('what a search and a change cost does not grow with the intervals: %s', async (_how, make, placeOf) => {
  const searching = (count: number) => {
    const tree = make(count)
    return () => {
      let found = 0
      for (let n = 0; n < 1000; n++) found += tree.find(placeOf(n)).length
      expect(found).toBeLessThan(10_000)
    }
  }
  const changing = (count: number) => {
    const tree = make(count)
    return () => {
      for (let n = 0; n < 1000; n++) tree.add(placeOf(n), placeOf(n + 3), -n)
      for (let n = 0; n < 1000; n++) tree.delete(placeOf(n), placeOf(n + 3), -n)
    }
  }
  const search = await bestMs(20, { many: searching(100_000), few: searching(1_000) })
  expect(search.many / search.few).toBeLessThan(20) // a scan of all would take a hundred times as long
  const change = await bestMs(20, { many: changing(100_000), few: changing(1_000) })
  expect(change.many / change.few).toBeLessThan(20)
  console.log(
    `a search among 100,000 ${(search.many / search.few).toFixed(1)} x, a change ${(change.many / change.few).toFixed(1)} x of 1,000`,
  )
})
