import { expect, test } from 'vitest'
import { spread } from '../../src/transport/spread.ts'

const failures: unknown[] = []
const never = new AbortController().signal

/** When each of `count` items was taken, in milliseconds since the beginning. */
async function moments(count: number, overMs: number, signal = never, onTake = (_index: number) => {}) {
  const begin = performance.now()
  const taken: number[] = []
  const take = (index: number): void => {
    taken.push(performance.now() - begin)
    onTake(index)
  }
  await spread(Array.from(Array(count).keys()), overMs, take, (error) => failures.push(error), signal)
  return taken
}

test('items are taken evenly: each tenth of the time has a tenth of them', async () => {
  const taken = await moments(2_000, 2_000)
  expect(taken).toHaveLength(2_000)
  const tenths = Array.from({ length: 10 }, (_, tenth) => taken.filter((at) => Math.floor(at / 200) === tenth).length)
  // A tick is 20 ms, and this machine may be busy for a while.
  for (const count of tenths) expect(count).toBeLessThanOrEqual(400)
  expect(taken.at(-1)).toBeGreaterThan(1_800)
})

test('what was missed while the event loop stood still is not made up for', async () => {
  const STOOD_MS = 1_000
  const taken = await moments(1_000, 1_000, never, (index) => {
    for (const end = performance.now() + (index === 300 ? STOOD_MS : 0); performance.now() < end; );
  })
  const stood = taken[301] as number
  // A step of 100 ms is, and the second after it has its own.
  expect(taken.filter((at) => at >= stood && at < stood + 50).length).toBeLessThanOrEqual(200)
  expect(taken.at(-1)).toBeGreaterThan(1_800)
})

test('over no time, and when aborted, they are taken at once', async () => {
  const atOnce = await moments(1_000, 0)
  expect(atOnce).toHaveLength(1_000)
  const hurry = new AbortController()
  setTimeout(() => hurry.abort(), 50)
  const taken = await moments(100, 3_600_000, hurry.signal)
  expect(taken).toHaveLength(100)
  expect(await moments(0, 1_000)).toEqual([])
})

test('an item that throws is told of, and those behind it are taken', async () => {
  const broken = new Error('Broken')
  const taken = await moments(10, 0, never, (index) => {
    if (index === 3) throw broken
  })
  expect([taken.length, failures]).toEqual([10, [broken]])
})
