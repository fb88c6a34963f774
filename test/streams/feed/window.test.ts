import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { StreamEvent } from '../../../src/streams/event.ts'
import { newest } from '../../../src/streams/feed/newest.ts'
import { Window } from '../../../src/streams/feed/window.ts'
import { Statistics } from '../../kit/statistics.ts'

const MAX_AGE_MS = 1000
const PARTITIONS = 3

function event(partition: number, offset: number, timestamp: number, text = ''): StreamEvent<{ text: string }> {
  return { kind: 'event', topic: 't', partition, offset, timestamp, key: null, headers: {}, value: { text } }
}

const counted = new WeakMap<StreamEvent, number>()

/** What an event counts for: found by a window that holds nothing else. */
function bytesOf(one: StreamEvent<{ text: string }>): number {
  const known = counted.get(one)
  if (known !== undefined) return known
  const window = new Window<{ text: string }>({ maxBytes: Number.POSITIVE_INFINITY, maxAgeMs: 1e15 })
  window.push(one, one.timestamp)
  counted.set(one, window.bytes)
  return window.bytes
}

const steps = fc.array(
  fc.oneof(
    {
      weight: 8,
      arbitrary: fc.record({
        kind: fc.constant('push' as const),
        partition: fc.nat(PARTITIONS - 1),
        hole: fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, fc.nat(5)),
        length: fc.oneof({ weight: 8, arbitrary: fc.nat(100) }, fc.constant(20_000)),
        late: fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, fc.nat(2 * MAX_AGE_MS)),
      }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.nat(800) }) },
    {
      weight: 1,
      arbitrary: fc.record({ kind: fc.constant('newest' as const), count: fc.nat(10), partition: fc.nat(PARTITIONS) }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constant('gap' as const),
        partition: fc.nat(PARTITIONS - 1),
        length: fc.integer({ min: 1, max: 9 }),
      }),
    },
  ),
  { maxLength: 150, size: 'max' },
)

test('a window keeps the newest events within its bytes and age, and knows from where each partition is whole', async () => {
  const statistics = new Statistics('window', [
    'pushed',
    'left by bytes',
    'left by age',
    'left by itself',
    'kept though old when it came',
    'gap',
    'newest, fewer than asked',
    'newest, as many',
  ])
  await fc.assert(
    fc.asyncProperty(steps, fc.integer({ min: 500, max: 8000 }), async (sequence, maxBytes) => {
      const window = new Window<{ text: string }>({ maxBytes, maxAgeMs: MAX_AGE_MS })
      let now = 1_000_000
      /** The model: all events ever, and how many of the first have left. */
      const all: StreamEvent<{ text: string }>[] = []
      const arrivals: number[] = []
      let left = 0
      const next = new Array<number>(PARTITIONS).fill(0)
      const gapTo = new Array<number>(PARTITIONS).fill(0)
      for (let partition = 0; partition < PARTITIONS; partition++) window.setFloor(partition, 0)

      const evict = () => {
        while (left < all.length) {
          const held = all.slice(left).reduce((sum, one) => sum + bytesOf(one), 0)
          if (held <= maxBytes && (arrivals[left] as number) >= now - MAX_AGE_MS) break
          statistics.count(held > maxBytes ? 'left by bytes' : 'left by age')
          left++
        }
      }
      for (const step of sequence) {
        if (step.kind === 'push') {
          const offset = (next[step.partition] as number) + step.hole
          next[step.partition] = offset + 1
          const one = event(step.partition, offset, now - step.late, 'x'.repeat(step.length))
          all.push(one)
          arrivals.push(now)
          expect(window.push(one, now)).toBe(all.length - 1)
          statistics.count('pushed')
          evict()
          if (left === all.length) statistics.count('left by itself')
        } else if (step.kind === 'wait') {
          now += step.ms
          window.evict(now)
          evict()
        } else if (step.kind === 'gap') {
          const to = (next[step.partition] as number) + step.length
          next[step.partition] = to
          gapTo[step.partition] = to
          window.setFloor(step.partition, to)
          statistics.count('gap')
        } else {
          const matches = (one: StreamEvent) => step.partition === PARTITIONS || one.partition === step.partition
          const found = all.slice(left).filter(matches)
          expect((await newest(window, step.count, matches)).events).toEqual(
            step.count === 0 ? [] : found.slice(-step.count),
          )
          statistics.count(found.length < step.count ? 'newest, fewer than asked' : 'newest, as many')
        }
        expect([window.firstSeq, window.nextSeq]).toEqual([left, all.length])
        const held = all.slice(left)
        expect(window.bytes).toBe(held.reduce((sum, one) => sum + bytesOf(one), 0))
        expect(window.bytes).toBeLessThanOrEqual(maxBytes)
        expect(held.every((one, index) => window.at(left + index) === one)).toBe(true)
        expect([window.at(left - 1), window.at(all.length)]).toEqual([undefined, undefined])
        if (held.some((one) => one.timestamp < now - MAX_AGE_MS)) statistics.count('kept though old when it came')
        for (let partition = 0; partition < PARTITIONS; partition++) {
          const gone = all.slice(0, left).findLast((one) => one.partition === partition)
          expect(window.floor(partition)).toBe(Math.max(gapTo[partition] as number, gone ? gone.offset + 1 : 0))
        }
      }
    }),
    { numRuns: 150 },
  )
  statistics.report()
})

test('a window grows to hold many events, and keeps their order', () => {
  const window = new Window<{ text: string }>({ maxBytes: 1024 ** 3, maxAgeMs: 1000 })
  for (let offset = 0; offset < 10_000; offset++) window.push(event(0, offset, 0), 0)
  expect(window.firstSeq).toBe(0)
  const offsets = Array.from({ length: 10_000 }, (_, seq) => window.at(seq)?.offset)
  expect(offsets).toEqual([...offsets.keys()])
})

test('an event larger than the window is passed, and not held', () => {
  const window = new Window<{ text: string }>({ maxBytes: 1000, maxAgeMs: 1000 })
  window.push(event(0, 0, 0), 0)
  window.push(event(0, 1, 0, 'x'.repeat(2000)), 0)
  expect([window.firstSeq, window.nextSeq, window.bytes]).toEqual([2, 2, 0])
  expect(window.floor(0)).toBe(2)
})
