import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ThrottleRoom } from '../../../src/streams/throttle/room.ts'
import { Throttle, type ThrottleMode } from '../../../src/streams/throttle/throttle.ts'
import { Statistics } from '../../kit/statistics.ts'

interface Numbered {
  readonly partition: number
  readonly offset: number
  readonly key: string
}

const EVERY_MS = 100
const PARTITIONS = 3
/** More than any schedule fills. */
const ROOMY = Number.MAX_SAFE_INTEGER
const EVENT_BYTES = 1000

/** A throttle with a clock that a test moves, and what went out of it. */
class Driver {
  readonly room: ThrottleRoom
  readonly throttle: Throttle<Numbered>
  readonly offered: { readonly event: Numbered; readonly at: number }[] = []
  readonly out: { readonly event: Numbered; readonly at: number; readonly wasFlushed: boolean }[] = []
  readonly #next = new Array<number>(PARTITIONS).fill(0)
  now = 1000
  #position: readonly number[] = new Array<number>(PARTITIONS).fill(0)
  readonly #mode: ThrottleMode
  /** By key the latest event, until it is out. */
  readonly #latest = new Map<string, Numbered>()

  constructor(mode: ThrottleMode, { limit = ROOMY, maxKeys = 100 } = {}) {
    this.#mode = mode
    this.room = new ThrottleRoom(limit)
    this.throttle = new Throttle({ everyMs: EVERY_MS, mode }, this.room, () => EVENT_BYTES, maxKeys)
  }

  /** The position up to which events have been offered. */
  get head(): readonly number[] {
    return this.#next
  }

  offer(key: string, partition = 0): void {
    const offset = this.#next[partition] as number
    this.#next[partition] = offset + 1
    const event = { partition, offset, key }
    this.offered.push({ event, at: this.now })
    this.throttle.offer(key, event, this.now)
    if (this.#mode === 'LATEST') this.#latest.set(key, event)
    this.drain()
  }

  /** What is due goes out, and the position is checked each time. */
  drain(wasFlushed = false): void {
    for (let event = this.throttle.next(this.now); event; event = this.throttle.next(this.now)) {
      const before = this.#check()
      demand((before[event.partition] as number) <= event.offset, 'The position before an event passes it')
      this.throttle.released(this.now)
      if (this.#latest.get(event.key) === event) this.#latest.delete(event.key)
      this.out.push({ event, at: this.now, wasFlushed })
      this.#check()
    }
  }

  flush(): void {
    this.throttle.flush()
    this.drain(true)
  }

  wait(ms: number): void {
    this.now += ms
    this.drain()
  }

  get keys(): string[] {
    return this.out.map(({ event }) => `${event.key}${event.partition}:${event.offset}`)
  }

  /** The position never goes back, and passes no event that is the latest of its key and not out. */
  #check(): readonly number[] {
    const position = this.throttle.below(this.#next)
    for (let p = 0; p < PARTITIONS; p++) {
      demand((position[p] as number) >= (this.#position[p] as number), 'The position goes back')
    }
    for (const { partition, offset, key } of this.#latest.values()) {
      demand((position[partition] as number) <= offset, `The position passes what is held of ${key}`)
    }
    this.#position = [...position]
    return position
  }
}

/** Thousands of times faster than `expect`. */
function demand(holds: boolean, otherwise: string): void {
  if (!holds) throw new Error(otherwise)
}

const step = fc.oneof(
  { weight: 10, arbitrary: fc.record({ key: fc.constantFrom(...'abcdef'), partition: fc.nat(PARTITIONS - 1) }) },
  { weight: 5, arbitrary: fc.constantFrom(1, 10, 50, 99, 100, 101, 1000) },
  { weight: 1, arbitrary: fc.constant('flush' as const) },
)

const schedule = fc.record({
  mode: fc.constantFrom('FIRST' as const, 'LATEST' as const),
  maxKeys: fc.constantFrom(1, 3, 100, 100),
  limit: fc.constantFrom(0, 3000, ROOMY, ROOMY, ROOMY),
  steps: fc.array(step, { maxLength: 60, size: 'max' }),
})

const CASES = ['FIRST', 'LATEST', 'at once', 'held', 'left out', 'flushed', 'too many keys', 'too many bytes'] as const

test('one event of a key in an interval, the last of each key in the end, and no position passes what is held', () => {
  const statistics = new Statistics('throttle', CASES)
  fc.assert(
    fc.property(schedule, ({ mode, maxKeys, limit, steps }) => {
      const driver = new Driver(mode, { maxKeys, limit })
      statistics.count(mode)
      for (const one of steps) {
        if (one === 'flush') driver.flush()
        else if (typeof one === 'number') driver.wait(one)
        else {
          const before = driver.out.length
          driver.offer(one.key, one.partition)
          statistics.count(driver.out.length > before ? 'at once' : 'held')
        }
        demand(driver.throttle.size <= maxKeys, 'There are too many keys')
        demand(driver.room.used <= limit, 'There are too many bytes')
      }
      statistics.count('flushed', driver.out.filter(({ wasFlushed }) => wasFlushed).length)
      driver.wait(EVERY_MS)
      checkModel(driver, mode)
      const { skipped, early } = driver.room.stats
      statistics.count('left out', skipped)
      if (early > 0) statistics.count(maxKeys < 100 ? 'too many keys' : 'too many bytes', early)
      expect(driver.out.length + skipped).toBe(driver.offered.length)
      driver.wait(EVERY_MS)
      expect([driver.throttle.size, driver.throttle.held, driver.room.used]).toEqual([0, 0, 0])
    }),
    { numRuns: 3000, seed: 20261127 },
  )
  statistics.report()
})

/** The same, said without the product: for each key a scan over what was offered. */
function checkModel({ offered, out, room }: Driver, mode: ThrottleMode): void {
  for (const key of 'abcdef') {
    const given = offered.filter(({ event }) => event.key === key)
    const shown = out.filter(({ event }) => event.key === key)
    const places = shown.map(({ event }) => given.findIndex((one) => one.event === event))
    expect(places, 'in the order in which they came').toEqual(places.toSorted((a, b) => a - b))
    if (room.stats.early > 0) continue
    for (const [i, { at, wasFlushed }] of shown.entries()) {
      const next = shown[i + 1]
      if (next && !next.wasFlushed) expect(next.at - at, `${key} twice in an interval`).toBeGreaterThanOrEqual(EVERY_MS)
      // A first one goes out at once.
      const isFirst = i === 0 || at - (shown[i - 1]?.at ?? 0) > EVERY_MS
      if (mode === 'FIRST' || (isFirst && !wasFlushed)) expect(given[places[i] as number]?.at).toBeLessThanOrEqual(at)
    }
    if (mode === 'LATEST') expect(shown.at(-1)?.event, `the last of ${key}`).toBe(given.at(-1)?.event)
    else expect(shown[0]?.event, `the first of ${key}`).toBe(given[0]?.event)
  }
}

test('LATEST: the first goes out at once, and then the latest at the end of each interval', () => {
  const driver = new Driver('LATEST')
  for (let i = 0; i < 25; i++) {
    driver.offer('a')
    driver.wait(10)
  }
  driver.wait(EVERY_MS)
  expect(driver.keys).toEqual(['a0:0', 'a0:9', 'a0:19', 'a0:24'])
  expect(driver.out.map(({ at }) => at - 1000)).toEqual([0, 100, 200, 350])
})

test('FIRST: the first of each interval goes out, and the others do not', () => {
  const driver = new Driver('FIRST')
  for (let i = 0; i < 25; i++) {
    driver.offer('a')
    driver.wait(10)
  }
  driver.wait(EVERY_MS)
  expect(driver.keys).toEqual(['a0:0', 'a0:10', 'a0:20'])
})

test('each key has an interval of its own', () => {
  const driver = new Driver('LATEST')
  driver.offer('a')
  driver.wait(50)
  for (const key of ['b', 'a', 'b', 'c']) driver.offer(key)
  expect(driver.keys).toEqual(['a0:0', 'b0:1', 'c0:4'])
  driver.wait(50)
  driver.wait(50)
  expect(driver.keys.slice(3)).toEqual(['a0:2', 'b0:3'])
})

test('one key more than there may be: what the oldest holds goes out early, and is counted', () => {
  const driver = new Driver('LATEST', { maxKeys: 2 })
  for (const key of ['a', 'a', 'b', 'b', 'c']) driver.offer(key)
  expect(driver.keys).toEqual(['a0:0', 'b0:2', 'a0:1', 'c0:4'])
  expect(driver.room.stats).toEqual({ skipped: 0, early: 1 })
})

test('without any room everything goes out at once', () => {
  const driver = new Driver('LATEST', { limit: 0 })
  for (const key of ['a', 'a', 'b', 'a']) driver.offer(key)
  expect(driver.keys).toEqual(['a0:0', 'a0:1', 'b0:2', 'a0:3'])
  expect(driver.room.used).toBe(0)
})

test('what is flushed goes out now, and its interval begins again', () => {
  const driver = new Driver('LATEST')
  for (const key of ['a', 'a', 'b', 'b']) driver.offer(key)
  driver.flush()
  expect(driver.keys).toEqual(['a0:0', 'b0:2', 'a0:1', 'b0:3'])
  expect(driver.throttle.below(driver.head)).toEqual(driver.head)
  driver.offer('a')
  driver.wait(99)
  expect(driver.keys).toHaveLength(4)
  driver.wait(1)
  expect(driver.keys.at(-1)).toBe('a0:4')
})
