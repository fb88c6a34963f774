import { expect, test, vi } from 'vitest'
import type { Group } from '../../../src/delivery/group/group.ts'
import { Sliced } from '../../../src/delivery/group/sliced.ts'
import { settle, startEngine } from '../../kit/engine.ts'
import { until } from '../../kit/until.ts'

const busy = (ms: number): void => {
  for (const end = performance.now() + ms; performance.now() < end; );
}

const rethrow = (_item: unknown, error: unknown): void => {
  throw error
}

test('a round over much is done in slices, each item once, and what is live comes in between', async () => {
  const visited: number[] = []
  const sliced = new Sliced<number>((item) => {
    visited.push(item)
    busy(0.1)
  }, rethrow)
  const items = new Set(Array.from({ length: 500 }, (_, index) => index))
  const turns: number[] = []
  sliced.add(items)
  for (let before = 0; visited.length < 500; before = visited.length) {
    turns.push(visited.length - before)
    await new Promise((resolve) => setImmediate(resolve))
  }
  expect(visited).toEqual([...items])
  // 2 ms at a time are twenty items.
  expect(Math.max(...turns)).toBeLessThanOrEqual(25)
})

test('a round that is asked for while it is under way is that one, and others follow it', async () => {
  const visited: string[] = []
  const sliced = new Sliced<string>((item) => {
    visited.push(item)
    busy(1)
  }, rethrow)
  const [some, others] = [new Set(['a', 'b', 'c', 'd', 'e', 'f']), new Set(['x', 'y', 'z'])]
  for (let times = 0; times < 5; times++) {
    sliced.add(some)
    sliced.add(others)
  }
  await until('all is done', () => visited.length >= 9)
  await settle()
  expect(visited.join('')).toBe('abcdefxyz')
})

test('items that leave meanwhile are not visited, and one that fails costs no other its visit', async () => {
  const visited: number[] = []
  const failures: unknown[] = []
  const items = new Set(Array.from({ length: 20 }, (_, index) => index))
  const sliced = new Sliced<number>(
    (item) => {
      visited.push(item)
      items.delete(item + 1)
      busy(0.5)
      if (item % 4 === 0) throw new Error(String(item))
    },
    (item, error) => failures.push([item, (error as Error).message]),
  )
  sliced.add(items)
  await until('all is done', () => visited.length === 10)
  expect(visited).toEqual([0, 2, 4, 6, 8, 10, 12, 14, 16, 18])
  expect(failures).toEqual([0, 4, 8, 12, 16].map((item) => [item, String(item)]))
})

test('nothing is visited after a stop, also one in the middle of a round', async () => {
  const visited: number[] = []
  const sliced = new Sliced<number>((item) => {
    visited.push(item)
    if (item === 3) sliced.stop()
  }, rethrow)
  sliced.add([1, 2, 3, 4])
  await settle()
  expect(visited).toEqual([1, 2, 3])
})

test('idle groups are not swept, and those with frames until those are gone', async () => {
  const { open, paint } = startEngine({ heartbeatMs: 3_200_000 })
  const sweeps = new Map<string, number>()
  for (let index = 0; index < 100; index++) {
    const color = index < 50 ? 'odd' : 'even'
    const group = open(`subscription { paint(color: "${color}") { a${index}: n } }`).member.group as Group
    const { sweep } = group
    group.sweep = (now, seconds) => {
      sweeps.set(color, (sweeps.get(color) ?? 0) + 1)
      return sweep.call(group, now, seconds)
    }
  }
  vi.advanceTimersByTime(5_000)
  expect([...sweeps]).toEqual([])
  paint(1)
  await settle()
  vi.advanceTimersByTime(60_000)
  const odd = sweeps.get('odd') as number
  expect([odd > 0, odd < 50 * 10, sweeps.get('even')]).toEqual([true, true, undefined])
  vi.advanceTimersByTime(60_000)
  expect(sweeps.get('odd')).toBe(odd)
})
