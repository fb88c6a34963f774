import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Statistics } from '../../kit/statistics.ts'
import type { Came } from './clients.ts'
import { compare, type Log } from './compare.ts'
import { anyReady, readinessIn } from './readyz.ts'
import { flowing, longestDelay, longestSilence } from './silence.ts'

const PARTITIONS = 3
const NONE = { lost: 0, twice: 0, disordered: 0, unknown: 0, gone: 0 }

/** A log with this many orders in each partition, of which the first `old` came before the last fault. */
function logOf(sizes: readonly number[], old: readonly number[], gone: readonly string[] = []): Log {
  const places = sizes.flatMap((size, partition) =>
    Array.from({ length: size }, (_, offset) => [`${partition}-${offset}`, { partition, offset }] as const),
  )
  return { places: new Map(places), starts: { ...old }, gone: new Set(gone) }
}

const order = (name: string): Came => ({ kind: 'order', name, at: 0 })
const gap = (partition: number, from: number, to: number): Came => {
  return { kind: 'gap', partition, from, to, reason: 'truncation' }
}
const partitionOf = (came: Came): number => (came.kind === 'order' ? Number(came.name.split('-')[0]) : came.partition)

const sizes = fc.array(fc.integer({ min: 0, max: 8 }), { minLength: PARTITIONS, maxLength: PARTITIONS })
const interleaved = fc.record({ sizes, old: sizes, order: fc.array(fc.nat(PARTITIONS - 1), { maxLength: 60 }) })

/** All orders that are not old, each partition's in order, the partitions in any. */
function perfect({ sizes, old, order: turns }: { sizes: number[]; old: number[]; order: number[] }): Came[] {
  const next = old.map((first, i) => Math.min(first, sizes[i] as number))
  const came: Came[] = []
  const take = (partition: number) => {
    const offset = next[partition] as number
    if (offset >= (sizes[partition] as number)) return false
    next[partition] = offset + 1
    came.push(order(`${partition}-${offset}`))
    return true
  }
  for (const partition of turns) take(partition)
  for (let partition = 0; partition < PARTITIONS; partition++) while (take(partition));
  return came
}

test('what came in order and once is as it should be; one that is missing, doubled, moved or invented is counted', () => {
  const statistics = new Statistics('judges', ['missing', 'doubled', 'moved', 'invented', 'old', 'named', 'read again'])
  fc.assert(
    fc.property(interleaved, fc.nat(), (log, at) => {
      const judged = logOf(log.sizes, log.old)
      const came = perfect(log)
      expect(compare(judged, came)).toMatchObject({ ...NONE, received: came.length })
      if (came.length === 0) return
      const index = at % came.length
      const one = came[index] as Came
      const without = came.toSpliced(index, 1)
      const partition = partitionOf(one)

      statistics.count('missing')
      expect(compare(judged, without)).toMatchObject({ ...NONE, lost: 1 })
      statistics.count('doubled')
      expect(compare(judged, [...came, one])).toMatchObject({ ...NONE, twice: 1 })
      statistics.count('invented')
      expect(compare(judged, [...came, order('of nowhere')])).toMatchObject({ ...NONE, unknown: 1 })
      const isFollowed = came.slice(index + 1).some((each) => partitionOf(each) === partition)
      if (isFollowed) statistics.count('moved')
      expect(compare(judged, [...without, one])).toMatchObject({ ...NONE, disordered: isFollowed ? 1 : 0 })
      const oldOffset = (log.old[partition] as number) - 1
      if (oldOffset >= 0) {
        statistics.count('old')
        expect(compare(judged, [order(`${partition}-${oldOffset}`), ...came])).toMatchObject({ ...NONE, twice: 1 })
      }

      const offset = judged.places.get((one as { name: string }).name)?.offset as number
      statistics.count('named')
      const named = came.toSpliced(index, 1, gap(partition, offset, offset + 1))
      expect(compare(judged, named)).toMatchObject(NONE)
      statistics.count('read again')
      const again = came.filter((each) => partitionOf(each) === partition)
      const end = log.sizes[partition] as number
      expect(compare(judged, [...came, gap(partition, end, log.old[partition] as number), ...again])).toMatchObject(
        NONE,
      )
    }),
    { numRuns: 300 },
  )
  statistics.report()
})

test('an order that an unclean election has lost is counted apart', () => {
  const log = logOf([1], [0], ['lost'])
  expect(compare(log, [order('0-0'), order('lost'), gap(0, 2, 0), order('0-0')])).toMatchObject({ ...NONE, gone: 1 })
})

test('a silence is the longest time without an arrival in one partition, and lasts to the end where nothing came', () => {
  const arrivals = [
    { partition: 0, offset: 0, at: 1_000 },
    { partition: 1, offset: 0, at: 1_100 },
    { partition: 0, offset: 1, at: 1_500 },
    { partition: 1, offset: 1, at: 4_100 },
  ]
  expect(longestSilence(arrivals, [1_200, 2_000])).toBe(3_000)
  expect(longestSilence(arrivals, [1_200, 9_000])).toBe(7_500)
  expect(longestSilence(arrivals.slice(0, 3), [1_200, 1_600])).toBe(500)
  const acked = arrivals.map((arrival) => ({ ...arrival, at: 1_000 }))
  expect(longestDelay(arrivals, acked)).toBe(3_100)
})

test('readiness counts only while events flow, and the longest time without it', () => {
  const flows = flowing([{ partition: 0, offset: 0, at: 1_000 }])
  expect([999, 1_000, 2_000, 2_001].map(flows)).toEqual([false, true, true, false])
  const samples = [true, false, false, true, false].map((ready, i) => ({ at: 1_000 + i * 100, ready }))
  expect(readinessIn(samples, [1_000, 2_000], flows)).toEqual({ notReady: 3 / 5, longestMs: 200 })
  expect(readinessIn(samples, [1_000, 1_050], flows)).toEqual({ notReady: 0, longestMs: 0 })
  const other = samples.map(({ at, ready }) => ({ at, ready: !ready }))
  expect(readinessIn(anyReady([samples, other]), [0, 9_000], () => true).notReady).toBe(0)
})
