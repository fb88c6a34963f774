import { setImmediate as turn } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { type RunFeedOptions, runFeed } from '../../src/demo/run-feed.ts'
import { type OutgoingRecord, type Sink, SourceUnavailable } from '../../src/streams/source/port.ts'
import { OrderEvent } from '../../src/streams/topics/orders.ts'

beforeEach(() => {
  vi.useFakeTimers({ now: Date.UTC(2026, 10, 27), toFake: ['setTimeout', 'clearTimeout', 'Date', 'performance'] })
})
afterEach(() => {
  vi.useRealTimers()
})

/** A sink that remembers what it took, after whatever `before` does. */
function rememberingSink(before: (records: readonly OutgoingRecord[]) => Promise<void> | void = () => {}) {
  const taken: OutgoingRecord[] = []
  const batches: number[] = []
  const topics = new Set<string>()
  const sink: Sink = {
    async send(topic, records) {
      await before(records)
      topics.add(topic)
      taken.push(...records)
      batches.push(records.length)
    },
    async close() {},
  }
  return { sink, taken, batches, topics }
}

/** A feed under way, with the means to end it. */
function started(options: Partial<RunFeedOptions> & Pick<RunFeedOptions, 'sink'>) {
  const controller = new AbortController()
  const result = runFeed({ rate: 20, seed: 1, signal: controller.signal, ...options })
  return { result, stop: () => controller.abort() }
}

test('a record is a valid order in JSON, keyed by its merchant', async () => {
  const { sink, taken, topics } = rememberingSink()
  const { result } = started({ sink, count: 50 })
  await vi.advanceTimersByTimeAsync(10_000)
  await result
  expect([...topics]).toEqual(['orders'])
  for (const record of taken) {
    const order = OrderEvent.parse(JSON.parse(String(record.value)))
    expect(record.key).toBe(order.merchantId)
  }
})

test('the same seed at the same time sends the same records', async () => {
  const runs: OutgoingRecord[][] = []
  for (let run = 0; run < 2; run++) {
    vi.setSystemTime(Date.UTC(2026, 10, 27))
    const { sink, taken } = rememberingSink()
    const { result } = started({ sink, count: 100 })
    await vi.advanceTimersByTimeAsync(10_000)
    await result
    runs.push(taken)
  }
  expect(runs[1]).toEqual(runs[0])
})

describe('rate', () => {
  test.each([0.1, 1, 20, 333, 5000, 20_000])('%d a second holds', async (rate) => {
    const seconds = rate > 1000 ? 10 : 60
    const { sink, taken } = rememberingSink()
    const { result, stop } = started({ sink, rate })
    await vi.advanceTimersByTimeAsync(seconds * 1000)
    stop()
    expect(await result).toBe(taken.length)
    // The first is sent at once; up to one interval between sends (10 ms) may be under way.
    expect(taken.length).toBeGreaterThanOrEqual(rate * (seconds - 0.015))
    expect(taken.length).toBeLessThanOrEqual(rate * seconds + 1)
  })

  test('orders are spread evenly, one by one, while they are few', async () => {
    const { sink, batches } = rememberingSink()
    const { stop } = started({ sink, rate: 50 })
    await vi.advanceTimersByTimeAsync(2000)
    stop()
    expect(new Set(batches)).toEqual(new Set([1]))
  })

  test('0 sends nothing', async () => {
    const { sink, batches } = rememberingSink()
    expect(await started({ sink, rate: 0 }).result).toBe(0)
    expect(batches).toEqual([])
  })

  test.each([-1, Number.NaN, Number.POSITIVE_INFINITY])('%d is refused', async (rate) => {
    await expect(started({ sink: rememberingSink().sink, rate }).result).rejects.toThrow(RangeError)
  })
})

describe('end', () => {
  test('count is exact, at a rate that does not divide it', async () => {
    const { sink, taken } = rememberingSink()
    const { result } = started({ sink, rate: 7777, count: 1001 })
    await vi.advanceTimersByTimeAsync(1000)
    expect(await result).toBe(1001)
    expect(taken).toHaveLength(1001)
  })

  test('an abort ends a wait at once, and leaves no timer', async () => {
    const { sink } = rememberingSink()
    const { result, stop } = started({ sink, rate: 0.1 })
    await vi.advanceTimersByTimeAsync(100)
    stop()
    expect(await result).toBe(1)
    expect(vi.getTimerCount()).toBe(0)
  })

  test('aborted before it began, it sends nothing', async () => {
    const { sink, batches } = rememberingSink()
    expect(await runFeed({ sink, rate: 20, seed: 1, signal: AbortSignal.abort() })).toBe(0)
    expect(batches).toEqual([])
  })

  test('what is being sent at an abort is awaited and counted', async () => {
    const gate = Promise.withResolvers<void>()
    const { sink } = rememberingSink(() => gate.promise)
    const { result, stop } = started({ sink })
    await turn()
    stop()
    gate.resolve()
    expect(await result).toBe(1)
  })
})

describe('a slow sink', () => {
  const slowly = (ms: number) => () => new Promise<void>((resolve) => setTimeout(resolve, ms))

  test('gets one batch at a time, of a bounded size', async () => {
    let underWay = 0
    let most = 0
    const { sink, batches } = rememberingSink(async () => {
      most = Math.max(most, ++underWay)
      await slowly(1000)()
      underWay--
    })
    const { result, stop } = started({ sink, rate: 20_000 })
    await vi.advanceTimersByTimeAsync(60_000)
    stop()
    await vi.advanceTimersByTimeAsync(1000)
    await result
    expect(most).toBe(1)
    expect(Math.max(...batches)).toBe(1000)
    expect(batches.length).toBe(60)
  })

  test('that is quick again is not sent what it missed', async () => {
    let slow = true
    const { sink, taken } = rememberingSink(() => (slow ? slowly(30_000)() : undefined))
    const { stop } = started({ sink, rate: 100 })
    await vi.advanceTimersByTimeAsync(29_000)
    slow = false
    await vi.advanceTimersByTimeAsync(1000)
    const before = taken.length
    await vi.advanceTimersByTimeAsync(10_000)
    stop()
    expect(taken.length - before).toBeLessThanOrEqual(10 * 100 + 25)
    expect(taken.length - before).toBeGreaterThanOrEqual(10 * 100 - 1)
  })

  test('that takes less than a quarter of a second costs no event', async () => {
    const { sink, taken } = rememberingSink(slowly(200))
    const { stop } = started({ sink, rate: 100 })
    await vi.advanceTimersByTimeAsync(60_000)
    stop()
    expect(taken.length).toBeGreaterThan(60 * 100 - 50)
  })
})

describe('a failing sink', () => {
  /** Fails `times` times, at every `every`th send. */
  function failing(times: number, error: () => Error = () => new SourceUnavailable('The broker is away')) {
    const offered: (readonly OutgoingRecord[])[] = []
    let left = times
    const kept = rememberingSink((records) => {
      offered.push(records)
      if (left-- > 0) throw error()
    })
    return { ...kept, offered }
  }

  test('is offered the same records again, until it takes them', async () => {
    const reference = rememberingSink()
    const first = started({ sink: reference.sink, count: 3 })
    await vi.advanceTimersByTimeAsync(60_000)
    await first.result

    const { sink, taken, offered } = failing(5)
    const { result } = started({ sink, count: 3 })
    await vi.advanceTimersByTimeAsync(60_000)
    expect(await result).toBe(3)
    expect(taken).toHaveLength(3)
    expect(offered.slice(0, 6).every((records) => records === offered[0])).toBe(true)
    expect(new Set(taken.map((record) => record.value)).size).toBe(3)
  })

  test('is left alone for longer each time, up to five seconds', async () => {
    const waits: number[] = []
    const { sink } = failing(9)
    const { result } = started({ sink, count: 1, onRetry: (_, retryInMs) => waits.push(retryInMs) })
    await vi.advanceTimersByTimeAsync(60_000)
    expect(await result).toBe(1)
    expect(waits).toEqual([100, 200, 400, 800, 1600, 3200, 5000, 5000, 5000])
  })

  test('that is back is not sent a burst', async () => {
    const { sink, taken } = failing(20)
    const { stop } = started({ sink, rate: 100 })
    await vi.advanceTimersByTimeAsync(120_000)
    const before = taken.length
    await vi.advanceTimersByTimeAsync(10_000)
    stop()
    expect(taken.length - before).toBeLessThanOrEqual(1001)
  })

  test('does not hold up an abort', async () => {
    const { sink } = failing(Number.POSITIVE_INFINITY)
    const { result, stop } = started({ sink })
    await vi.advanceTimersByTimeAsync(1000)
    stop()
    expect(await result).toBe(0)
    expect(vi.getTimerCount()).toBe(0)
  })

  test('that fails for good ends the feed with its error', async () => {
    const { sink } = failing(1, () => new TypeError('A record is no record'))
    await expect(started({ sink }).result).rejects.toThrow('A record is no record')
  })
})
