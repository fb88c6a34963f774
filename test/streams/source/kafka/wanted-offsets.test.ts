import { expect, test } from 'vitest'
import { gapAt } from '../../../../src/streams/source/gap-at.ts'
import { StallDetector } from '../../../../src/streams/source/kafka/stall-detector.ts'
import { WantedOffsets } from '../../../../src/streams/source/kafka/wanted-offsets.ts'

const wanting = () => new WantedOffsets(new Map([['orders', new Map([[0, 10]])]]))
const fetched = (fetchedOffset: number, nextOffset: number, outOfRange = false) => ({
  topic: 'orders',
  partition: 0,
  fetchedOffset,
  nextOffset,
  outOfRange,
})

test('only what was fetched from the wanted offset is delivered', () => {
  const wanted = wanting()
  expect(wanted.judge(fetched(10, 12))).toBe('deliver')
  expect(wanted.judge(fetched(9, 12))).toBe('seek')
  expect(wanted.judge(fetched(11, 12))).toBe('seek')
  expect(wanted.judge({ ...fetched(0, 1), partition: 1 })).toBe('seek')
})

test('an offset out of range is looked into only if it is the wanted one', () => {
  expect(wanting().judge(fetched(10, 10, true))).toBe('look')
  expect(wanting().judge(fetched(9, 9, true))).toBe('seek')
})

test('wanted offsets are moved by nothing but what was delivered', () => {
  const start = new Map([['orders', new Map([[0, 10]])]])
  const wanted = new WantedOffsets(start)
  wanted.judge(fetched(10, 12))
  expect(wanted.get('orders', 0)).toBe(10)
  wanted.moveTo('orders', 0, 12)
  expect(wanted.all()).toEqual([{ topic: 'orders', partition: 0, offset: 12 }])
  expect(start.get('orders')?.get(0)).toBe(10)
})

test('partitions that are found later are wanted from 0, and found once', () => {
  const wanted = wanting()
  expect(wanted.discover('orders', [0, 1, 2])).toEqual([1, 2])
  expect(wanted.discover('orders', [0, 1, 2])).toEqual([])
  expect(wanted.get('orders', 1)).toBe(0)
  expect(wanted.get('orders', 0)).toBe(10)
  expect(wanted.discover('unknown', [0])).toEqual([])
})

test('an offset is gone by retention below what is held, by truncation beyond it, and else not', () => {
  const range = { partition: 0, earliest: 5, next: 9 }
  expect(gapAt(4, range)).toEqual({ to: 5, reason: 'retention' })
  expect(gapAt(5, range)).toBeUndefined()
  expect(gapAt(9, range)).toBeUndefined()
  expect(gapAt(10, range)).toEqual({ to: 5, reason: 'truncation' })
})

test('a node that answers nothing is a stall, though others answer', () => {
  const stallDetector = new StallDetector({ stallMs: 5, forgetMs: 100, now: 0 })
  stallDetector.began('1', 0)
  stallDetector.began('2', 0)
  for (let now = 1; now <= 10; now++) stallDetector.succeeded('1', now)
  expect(stallDetector.stalledFor(5)).toBeUndefined()
  expect(stallDetector.stalledFor(10)).toBe(10)
  stallDetector.succeeded('2', 11)
  expect(stallDetector.stalledFor(11)).toBeUndefined()
})

test('a node that has left the cluster is no lasting stall', () => {
  const stallDetector = new StallDetector({ stallMs: 5, forgetMs: 100, now: 0 })
  stallDetector.began('2', 0)
  stallDetector.began('1', 101)
  stallDetector.succeeded('1', 101)
  expect(stallDetector.stalledFor(101)).toBeUndefined()
})

test('a consumer that fetches nothing at all is a stall', () => {
  const stallDetector = new StallDetector({ stallMs: 5, forgetMs: 100, now: 0 })
  expect(stallDetector.stalledFor(6)).toBe(6)
})
