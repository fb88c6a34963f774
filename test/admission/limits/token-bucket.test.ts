import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type BucketSize, TokenBucket } from '../../../src/admission/limits/token-bucket.ts'
import { Statistics } from '../../kit/statistics.ts'

const sizes = fc.record({
  perSecond: fc.integer({ min: 1, max: 1_000 }),
  burst: fc.integer({ min: 1, max: 5_000 }),
})
const steps = fc.array(
  fc.record({
    // Also hours, after which it is full.
    afterMs: fc.oneof(fc.nat(50), fc.nat(5_000), fc.constant(0), fc.constant(3_600_000)),
    tokens: fc.integer({ min: 1, max: 2_000 }),
  }),
  { maxLength: 60 },
)

/** Takes what there is at each step. */
function run({ perSecond, burst }: BucketSize, asked: readonly { afterMs: number; tokens: number }[], start: number) {
  const bucket = new TokenBucket({ perSecond, burst })
  let now = start
  return asked.map(({ afterMs, tokens }) => {
    now += afterMs
    const waitMs = bucket.waitMs(tokens, now)
    if (waitMs === 0) bucket.charge(tokens, now)
    return { now, tokens, waitMs }
  })
}

test('between any two moments a bucket gives no more than its burst and what comes back meanwhile', () => {
  const statistics = new Statistics('token bucket', ['given', 'refused', 'never given', 'the burst is gone'])
  fc.assert(
    fc.property(sizes, steps, fc.nat(1e9), (size, asked, start) => {
      const taken = run(size, asked, start)
      for (const { waitMs } of taken)
        statistics.count(waitMs === 0 ? 'given' : Number.isFinite(waitMs) ? 'refused' : 'never given')
      for (const [from, first] of taken.entries()) {
        let sum = 0
        for (const { now, tokens, waitMs } of taken.slice(from)) {
          if (waitMs === 0) sum += tokens
          const most = size.burst + (size.perSecond * (now - first.now)) / 1_000
          if (sum > most - 1) statistics.count('the burst is gone')
          expect(sum).toBeLessThanOrEqual(most + 1e-4)
        }
      }
    }),
    { numRuns: 500 },
  )
  statistics.report()
})

test('what a bucket says is to be waited is enough, and no more than that', () => {
  const statistics = new Statistics('waiting', ['waited', 'in debt'])
  fc.assert(
    fc.property(sizes, steps, fc.nat(1e9), fc.nat(10_000), (size, asked, start, debt) => {
      const bucket = new TokenBucket(size)
      let now = start
      bucket.charge(debt, now)
      if (debt > size.burst) statistics.count('in debt')
      for (const { afterMs, tokens } of asked) {
        now += afterMs
        const waitMs = bucket.waitMs(tokens, now)
        if (tokens > size.burst) {
          expect(waitMs).toBe(Number.POSITIVE_INFINITY)
          continue
        }
        if (waitMs > 0) {
          statistics.count('waited')
          expect(bucket.waitMs(tokens, now + waitMs * 0.99 - 1e-3)).toBeGreaterThan(0)
        }
        expect(bucket.waitMs(tokens, now + waitMs)).toBe(0)
        expect(bucket.isFull(now + (size.burst / size.perSecond) * 1_000 + waitMs)).toBe(true)
      }
    }),
    { numRuns: 300 },
  )
  statistics.report()
})

test('a bucket is full at first, and again when all has come back', () => {
  const bucket = new TokenBucket({ perSecond: 10, burst: 20 })
  expect([bucket.isFull(0), bucket.waitMs(20, 0)]).toEqual([true, 0])
  bucket.charge(20, 0)
  expect([bucket.isFull(1_999), bucket.isFull(2_000)]).toEqual([false, true])
  expect([bucket.waitMs(1, 0), bucket.waitMs(1, 100)]).toEqual([100, 0])
})
