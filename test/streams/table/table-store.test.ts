import fc from 'fast-check'
import { expect, test } from 'vitest'
import { z } from 'zod'
import type { StreamEvent } from '../../../src/streams/event.ts'
import { NO_HEADERS } from '../../../src/streams/event.ts'
import type { Row } from '../../../src/streams/table/row.ts'
import { TableStore, TableTooLarge } from '../../../src/streams/table/table-store.ts'
import { defineTopic } from '../../../src/streams/topic/topic.ts'
import { Statistics } from '../../kit/statistics.ts'

const paints = defineTopic('paints', {
  schema: z.object({ n: z.int(), color: z.string() }),
  index: ['color'],
  table: { tombstonesMs: 1000, maxKeys: 6 },
})
type Paint = z.output<typeof paints.schema>
const LIMITS = paints.table as NonNullable<typeof paints.table>

function eventOf(key: string, partition: number, offset: number, color: string): StreamEvent<Paint> {
  const value = { n: offset, color }
  return { kind: 'event', topic: 'paints', partition, offset, timestamp: offset, key, headers: NO_HEADERS, value }
}

function rowsOf(store: TableStore<Paint>): Row<Paint>[] {
  const rows: Row<Paint>[] = []
  store.visitFrom(0, (row) => rows.push(row) > 0)
  return rows
}

const step = fc.oneof(
  {
    weight: 20,
    arbitrary: fc.record({
      kind: fc.constant('put' as const),
      key: fc.nat(9),
      color: fc.constantFrom('red', 'blue', undefined),
      /** A record that was read before is put again, as where a load and the live reader overlap. */
      again: fc.boolean(),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('expire' as const), ms: fc.nat(2000) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('rearrange' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('clear' as const) }) },
)

test('a store has the latest record of each key, in the order of changes, whatever comes and goes', () => {
  const cases = ['added', 'changed', 'removed', 'again', 'mark expired', 'mark forgotten', 'refused', 'rearranged']
  const statistics = new Statistics('table store', cases)
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120, size: 'max' }), (steps) => {
      const store = new TableStore<Paint>('paints', LIMITS, paints, paints.validator)
      store.isWhole = true
      const model = new Map<string, StreamEvent<Paint> | undefined>()
      const offsets = [0, 0]
      const floors = [0, 0]
      let put: { key: string; partition: number; event: StreamEvent<Paint> | undefined; offset: number }[] = []
      let now = 0
      const checkForgotten = (partition: number) => {
        const floor = store.floors[partition] ?? 0
        if (floor < (floors[partition] as number)) throw new Error('A floor went down')
        if (floor > (floors[partition] as number)) statistics.count('mark forgotten')
        floors[partition] = floor
      }
      for (const one of steps) {
        now++
        if (one.kind === 'expire') {
          now += one.ms
          const { marks } = store
          store.expire(now)
          if (store.marks < marks) statistics.count('mark expired')
          for (const partition of [0, 1]) checkForgotten(partition)
          continue
        }
        if (one.kind === 'rearrange') {
          store.rearrange()
          statistics.count('rearranged')
          continue
        }
        if (one.kind === 'clear') {
          store.clear()
          store.isWhole = true
          model.clear()
          put = []
          floors.fill(0)
          continue
        }
        const earlier = one.again ? put[one.key] : undefined
        const partition = one.key % 2
        const key = earlier?.key ?? `k${one.key}`
        const offset = earlier?.offset ?? (offsets[partition] as number)
        const event = earlier ? earlier.event : one.color ? eventOf(key, partition, offset, one.color) : undefined
        const before = model.get(key)
        const isKnown = store.get(key) !== undefined
        try {
          const change = store.put(
            { key, partition: earlier?.partition ?? partition, offset, timestamp: offset },
            event,
            now,
          )
          if (earlier) {
            // What was forgotten is not known to be old: a load never goes back that far.
            if (isKnown) expect(change).toBeUndefined()
            else return
            statistics.count('again')
            continue
          }
          expect(change?.before).toBe(before)
          statistics.count(event ? (before ? 'changed' : 'added') : 'removed')
        } catch (error) {
          if (!(error instanceof TableTooLarge)) throw error
          statistics.count('refused')
          return
        }
        offsets[partition] = offset + 1
        put.push({ key, partition, event, offset })
        model.set(key, event)
        for (const each of [0, 1]) checkForgotten(each)

        const rows = rowsOf(store)
        const wanted = [...model].filter(([, value]) => value).map(([, value]) => value)
        expect(new Set(store.rows().map((row) => row.event))).toEqual(new Set(wanted))
        expect(store.size).toBe(wanted.length)
        expect(rows).toHaveLength(store.size + store.marks)
        for (const each of [0, 1]) {
          const ofPartition = rows.filter((row) => row.partition === each)
          expect(ofPartition).toEqual([...ofPartition].sort((a, b) => a.offset - b.offset))
          // Whoever is not below the floor finds every removal.
          for (const { key, event, offset } of put.filter((one) => one.partition === each && !one.event)) {
            const isLatest = model.get(key) === event
            if (isLatest && offset >= (store.floors[each] ?? 0)) expect(store.get(key)?.event).toBeUndefined()
            if (isLatest && offset >= (store.floors[each] ?? 0)) expect(store.get(key)).toBeDefined()
          }
        }
      }
    }),
    { numRuns: 2000, seed: 20261127 },
  )
  statistics.report()
})

test('a table of nothing takes no memory, after whatever it had', () => {
  const store = new TableStore<Paint>('paints', { ...LIMITS, maxKeys: 10_000 }, paints, paints.validator)
  for (let n = 0; n < 5000; n++) {
    const [key, offset] = [`k${n % 1000}`, n]
    store.put({ key, partition: 0, offset, timestamp: n }, eventOf(key, 0, offset, 'red'), 0)
  }
  expect(store.size).toBe(1000)
  for (let n = 0; n < 1000; n++) store.put({ key: `k${n}`, partition: 0, offset: 5000 + n, timestamp: n }, undefined, 0)
  expect(store.size).toBe(0)
  store.expire(2000)
  expect(store.bytes).toBe(0)
  expect(store.floors).toEqual([6000])
  expect(rowsOf(store)).toEqual([])
})

test('a row whose partition has changed has its latest record by time, in whatever order they are read', () => {
  const before = { key: 'k', partition: 0, offset: 7, timestamp: 1000 }
  const after = { key: 'k', partition: 3, offset: 0, timestamp: 2000 }
  for (const records of [
    [before, after],
    [after, before],
  ]) {
    const store = new TableStore<Paint>('paints', LIMITS, paints, paints.validator)
    for (const record of records) store.put(record, eventOf('k', record.partition, record.offset, 'red'), 0)
    expect(store.get('k')?.partition).toBe(3)
  }
})
