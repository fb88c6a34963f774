import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Live, LiveMap } from '../../src/admission/live-map.ts'
import { Statistics } from '../kit/statistics.ts'

interface Entry extends Live {
  readonly key: string
  live: boolean
}

const ENTRY_BYTES = 100

function mapOf(maxEntries: number) {
  const evicted: string[] = []
  const entry = (key: string): Entry => ({ key, live: false, isIdle: () => !all.get(key)?.live })
  const all = new Map<string, Entry>()
  const rest = entry('rest')
  const map = new LiveMap<Entry>({
    maxBytes: maxEntries * (ENTRY_BYTES + 64 + 2 * 4),
    entryBytes: ENTRY_BYTES,
    create: (key) => {
      const created = entry(key)
      all.set(key, created)
      return created
    },
    rest,
    onEvicted: ({ key }) => evicted.push(key),
  })
  return { map, rest, evicted }
}

const keyOf = (number: number) => String(number).padStart(4, '0')

test('an entry that is live stays, whatever other keys come, and the map stays within its bytes', () => {
  const statistics = new Statistics('live map', ['known', 'new', 'shared', 'evicted', 'live among many'])
  const acts = fc.array(fc.record({ key: fc.nat(60), becomes: fc.constantFrom('live', 'idle', 'as it is') }), {
    minLength: 1,
    maxLength: 200,
  })
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 20 }), acts, (max, list) => {
      const { map, rest, evicted } = mapOf(max)
      const live = new Map<string, Entry>()
      for (const { key: number, becomes } of list) {
        const key = keyOf(number)
        const before = map.peek(key)
        const entry = map.of(key, 0)
        statistics.count(before ? 'known' : entry === rest ? 'shared' : 'new')
        if (before) expect(entry).toBe(before)
        // All of them are live, but for what was not looked at yet: a few at a time.
        if (entry === rest) expect(map.size).toBe(max)
        else if (becomes !== 'as it is') {
          entry.live = becomes === 'live'
          if (entry.live) live.set(key, entry)
          else live.delete(key)
        }
        for (const [name, each] of live) expect(map.peek(name)).toBe(each)
        if (live.size > 3) statistics.count('live among many')
        expect(map.size).toBeLessThanOrEqual(max)
        expect(map.bytes).toBe(map.size * (ENTRY_BYTES + 64 + 2 * 4))
      }
      statistics.count('evicted', evicted.length)
    }),
    { numRuns: 500 },
  )
  statistics.report()
})

test('where all are live, new keys share one entry, and have their own once there is room', () => {
  const { map, rest } = mapOf(2)
  const [a, b] = [map.of('aaaa', 0), map.of('bbbb', 0)]
  a.live = true
  b.live = true
  expect([map.of('cccc', 0), map.of('dddd', 0)]).toEqual([rest, rest])
  b.live = false
  expect(map.of('cccc', 0).key).toBe('cccc')
  expect(map.peek('bbbb')).toBeUndefined()
  expect(map.of('aaaa', 0)).toBe(a)
})
