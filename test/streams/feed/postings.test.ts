import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { StreamEvent } from '../../../src/streams/event.ts'
import { Candidates } from '../../../src/streams/feed/candidates.ts'
import { Conditions } from '../../../src/streams/feed/conditions.ts'
import { newest } from '../../../src/streams/feed/newest.ts'
import { Window } from '../../../src/streams/feed/window.ts'
import type { IndexReaders } from '../../../src/streams/topic/indexed.ts'
import type { Lookups } from '../../../src/streams/topic/topic.ts'
import type { Where } from '../../../src/streams/topic/where.ts'
import { Statistics } from '../../kit/statistics.ts'

/** Posting lists, held against a plain scan of what the window holds. */
const PARTITIONS = 3
const MAX_AGE_MS = 1000

interface Value {
  a: unknown
  b?: unknown
  c: number
}

const SHARED = { of: 'several events' }
const OTHER = { of: 'none, or several' }
const indexed: IndexReaders = new Map([
  ['a', ({ value }) => (value as Value).a],
  ['b', ({ value }) => (value as Value).b],
])
const readers: IndexReaders = new Map([...indexed, ['c', ({ value }) => (value as Value).c]])
const lookups: Lookups = { indexed: readers, ordered: new Map() }

const a = fc.constantFrom<unknown>('x', 'y', 'z', 'a longer text, of which there are not many', null, 0, -0, Number.NaN)
const b = fc.constantFrom<unknown>(undefined, undefined, true, 1.5, SHARED, OTHER)
const rare = fc.integer({ min: 0, max: 1000 })
const values: fc.Arbitrary<Value> = fc.record({ a: fc.oneof(a, rare), b, c: fc.nat(2) }, { requiredKeys: ['a', 'c'] })

function wanted(item: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  // A condition that is an object with `in` would be a list.
  return fc.oneof(item, fc.record({ in: fc.array(item, { maxLength: 5 }) }), fc.constant(undefined))
}
const wheres = fc.record(
  { a: wanted(fc.oneof(a, rare)), b: wanted(b), c: wanted(fc.nat(2)) },
  { requiredKeys: [] },
) as fc.Arbitrary<Where<Value>>

const steps = fc.array(
  fc.oneof(
    {
      weight: 14,
      arbitrary: fc.record({
        kind: fc.constant('push' as const),
        partition: fc.nat(PARTITIONS - 1),
        hole: fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, fc.nat(3)),
        timestamp: fc.nat(100),
        times: fc.oneof(fc.constant(1), fc.integer({ min: 2, max: 30 })),
        value: values,
      }),
    },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.nat(700) }) },
    { weight: 6, arbitrary: fc.record({ kind: fc.constant('search' as const), where: wheres, count: fc.nat(4) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('change' as const), which: fc.nat() }) },
    {
      weight: 1,
      arbitrary: fc.record({ kind: fc.constant('restart' as const), partition: fc.nat(PARTITIONS - 1) }),
    },
  ),
  { minLength: 10, maxLength: 80, size: 'max' },
)

const CASES = [
  'pushed',
  'evicted',
  'restarted',
  'found',
  'found nothing',
  'several lists merged',
  'every event looked at',
  'no condition',
  'only of a property without index',
  'empty list',
  'duplicates in a list',
  'undefined wanted',
  'null',
  'NaN',
  'an object',
  'two conditions',
  'a value changed in the window',
  'empty window',
]

function valuesIn(condition: unknown): readonly unknown[] {
  return typeof condition === 'object' && condition !== null && 'in' in condition
    ? (condition.in as unknown[])
    : [condition]
}

function countConditions(where: Where<Value>, statistics: Statistics): void {
  const conditions = Object.entries(where).filter(([, condition]) => condition !== undefined)
  const lists = conditions.map(([, one]) => valuesIn(one))
  const all = lists.flat()
  if (conditions.length === 0) statistics.count('no condition')
  else if (conditions.every(([property]) => property === 'c')) statistics.count('only of a property without index')
  if (conditions.length > 1) statistics.count('two conditions')
  if (lists.some((list) => list.length === 0)) statistics.count('empty list')
  if (lists.some((list) => new Set(list).size < list.length)) statistics.count('duplicates in a list')
  if (all.includes(undefined)) statistics.count('undefined wanted')
  if (all.includes(null)) statistics.count('null')
  if (all.includes(Number.NaN)) statistics.count('NaN')
  if (all.includes(SHARED) || all.includes(OTHER)) statistics.count('an object')
}

function isMet(where: Where<Value>, value: Value): boolean {
  return Object.entries(where).every(([property, condition]) => {
    return condition === undefined || valuesIn(condition).includes(value[property as keyof Value])
  })
}

/** What the candidates are, upwards and downwards, and that they are no more than those of one condition. */
function candidatesOf(window: Window<Value>, where: Where<Value>, statistics: Statistics): StreamEvent<Value>[] {
  const { firstSeq, nextSeq, postings } = window
  const candidates = new Candidates(lookups, where)
  const up: number[] = []
  for (let seq = candidates.next(postings, firstSeq, nextSeq); seq < nextSeq; ) {
    up.push(seq)
    seq = candidates.next(postings, seq + 1, nextSeq)
  }
  const down: number[] = []
  for (let seq = candidates.previous(postings, nextSeq, firstSeq); seq >= firstSeq; ) {
    down.push(seq)
    seq = candidates.previous(postings, seq, firstSeq)
  }
  expect(down.reverse()).toEqual(up)
  // From anywhere, to anywhere.
  const fresh = new Candidates(lookups, where)
  for (const from of [firstSeq + 7, nextSeq - 2, firstSeq + 1, nextSeq]) {
    if (from < firstSeq || from > nextSeq) continue
    expect(fresh.next(postings, from, nextSeq)).toBe(up.find((seq) => seq >= from) ?? nextSeq)
    const last = up.findLast((seq) => seq < from)
    const found = fresh.previous(postings, from, firstSeq)
    if (last === undefined) expect(found).toBeLessThan(firstSeq)
    else expect(found).toBe(last)
  }
  const events = up.map((seq) => window.at(seq) as StreamEvent<Value>)
  const { c: _, ...withIndex } = where
  const conditions = Object.keys(withIndex).filter((property) => withIndex[property as 'a'] !== undefined)
  if (events.length === nextSeq - firstSeq) statistics.count('every event looked at')
  else {
    const isOf = (property: string) =>
      events.every((event) =>
        new Conditions(lookups, { [property]: withIndex[property as 'a'] } as Where<Value>).meets(event),
      )
    expect(events.length === 0 || conditions.some(isOf), 'they are those of one condition').toBe(true)
  }
  return events
}

test('the postings of a window find what a scan of it finds, whatever comes and goes', async () => {
  const statistics = new Statistics('postings', CASES)
  await fc.assert(
    fc.asyncProperty(steps, fc.constantFrom(1500, 6000, 1_000_000), async (sequence, maxBytes) => {
      const window = new Window<Value>({ maxBytes, maxAgeMs: MAX_AGE_MS }, indexed)
      const next = new Array<number>(PARTITIONS).fill(0)
      let now = 1_000_000
      let changed = false
      const held = () => {
        const list: StreamEvent<Value>[] = []
        for (let seq = window.firstSeq; seq < window.nextSeq; seq++) list.push(window.at(seq) as StreamEvent<Value>)
        return list
      }
      for (const step of sequence) {
        if (step.kind === 'push') {
          for (let time = 0; time < step.times; time++) {
            const offset = (next[step.partition] as number) + step.hole
            next[step.partition] = offset + 1
            const { partition, timestamp, value } = step
            const event = { kind: 'event', topic: 't', partition, offset, timestamp, key: null, headers: {} } as const
            window.push({ ...event, value: { ...value } }, now)
            statistics.count('pushed')
          }
        } else if (step.kind === 'wait') {
          now += step.ms
          window.evict(now)
        } else if (step.kind === 'restart') {
          window.restart(step.partition, 0)
          next[step.partition] = 0
          expect([window.bytes, window.postings.values, window.postings.size]).toEqual([0, 0, 0])
          statistics.count('restarted')
        } else if (step.kind === 'change') {
          // What a resolver must not do. It is not found any more, or where it was, but it is let go with its event.
          const all = held()
          if (all.length === 0) continue
          const { value } = all[step.which % all.length] as StreamEvent<Value>
          value.a = 'changed'
          changed = true
          statistics.count('a value changed in the window')
        } else if (!changed) {
          countConditions(step.where, statistics)
          const matching = held().filter((event) => isMet(step.where, event.value))
          const candidates = candidatesOf(window, step.where, statistics)
          expect(candidates.filter((event) => isMet(step.where, event.value))).toEqual(matching)
          const { c, ...where } = step.where
          const matches = (event: StreamEvent<Value>) =>
            event.value.c !== 1 && isMet({ c } as Where<Value>, event.value)
          const found = await newest(window, step.count, matches, new Candidates(lookups, where as typeof step.where))
          const expected = step.count === 0 ? [] : matching.filter(({ value }) => value.c !== 1).slice(-step.count)
          expect(found.events).toEqual(expected)
          const first = expected[0]
          expect(window.at(found.seq)).toBe(first)
          if (!first) expect(found.seq).toBe(window.nextSeq)
          statistics.count(matching.length > 0 ? 'found' : 'found nothing')
          if (new Set(matching.map(({ value }) => value.a)).size > 1) statistics.count('several lists merged')
          if (window.firstSeq === window.nextSeq) statistics.count('empty window')
        }
        if (window.firstSeq > 0) statistics.count('evicted')
        expect(window.postings.size).toBe(window.nextSeq - window.firstSeq)
        expect(window.bytes).toBeLessThanOrEqual(maxBytes)
      }
      // Exactly what was counted is given back, and nothing stays.
      window.evict(now + 2 * MAX_AGE_MS)
      expect([window.bytes, window.postings.values, window.postings.size]).toEqual([0, 0, 0])
    }),
    { numRuns: 800 },
  )
  statistics.report()
})

/** A window of many events, of which a few are of one rare value each, and what has been read of them. */
function countedWindow(count: number, rareAt: readonly number[]) {
  const reads = { count: 0 }
  const names = new WeakMap<object, string>()
  const window = new Window<{ readonly name: string }>(
    { maxBytes: 1024 ** 3, maxAgeMs: 1e15 },
    new Map([
      [
        'name',
        ({ value }) => {
          reads.count++
          return names.get(value as object)
        },
      ],
    ]),
  )
  for (let offset = 0; offset < count; offset++) {
    const value = { name: '' }
    names.set(value, rareAt.includes(offset) ? 'rare' : `n${offset % 100}`)
    const at = { partition: 0, offset, timestamp: 0, key: null, headers: {} }
    window.push({ kind: 'event', topic: 't', ...at, value }, 0)
  }
  reads.count = 0
  const named = (name: string | { in: string[] }) => {
    return new Candidates<{ readonly name: string }>({ indexed: window.indexed, ordered: new Map() }, { name })
  }
  return { window, reads, named }
}

test('the newest events of a value are found by looking at these alone', async () => {
  const { window, reads, named } = countedWindow(50_000, [5, 20_000, 49_000])
  expect((await newest(window, 2, () => true, named('rare'))).events.map(({ offset }) => offset)).toEqual([
    20_000, 49_000,
  ])
  expect(reads.count).toBe(2)
  reads.count = 0
  expect((await newest(window, 10, () => true, named('nobody'))).events).toEqual([])
  expect(reads.count).toBe(0)
  const both = { in: ['rare', 'nobody', 'rare', 'n7'] }
  expect((await newest(window, 1, ({ offset }) => offset < 6, named(both))).events[0]?.offset).toBe(5)
  expect(reads.count).toBe(2 + 50_000 / 100 + 1)
})

test('what has no end of values is looked at event by event where that costs less than a merge of all lists', () => {
  const { window, named } = countedWindow(10_000, [])
  const all = named({ in: Array.from({ length: 100 }, (_, n) => `n${n}`) })
  expect(all.share(window.postings)).toBe(1)
  const few = named({ in: Array.from({ length: 10 }, (_, n) => `n${n}`) })
  expect(few.share(window.postings)).toBeCloseTo(0.1)
})

test('a value that cannot be read leaves the window as it was', () => {
  const broken: IndexReaders = new Map([
    ['one', (_event: StreamEvent): unknown => 1],
    ['two', ({ value }) => value || (undefined as never as { x: 1 }).x],
  ])
  const window = new Window<boolean>({ maxBytes: 1_000_000, maxAgeMs: 1e15 }, broken)
  const at = { kind: 'event', topic: 't', partition: 0, timestamp: 0, key: null, headers: {} } as const
  window.push({ ...at, offset: 0, value: true }, 0)
  const { bytes } = window
  expect(() => window.push({ ...at, offset: 1, value: false }, 0)).toThrow(TypeError)
  expect([window.nextSeq, window.bytes, window.postings.size]).toEqual([1, bytes, 1])
  window.push({ ...at, offset: 2, value: true }, 0)
  const candidates = new Candidates<boolean>({ indexed: broken, ordered: new Map() })
  expect([candidates.next(window.postings, 0, 2), candidates.next(window.postings, 1, 2)]).toEqual([0, 1])
})
