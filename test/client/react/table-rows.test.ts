import fc from 'fast-check'
import { expect, test } from 'vitest'
import { TableRows } from '../../../packages/client/src/react/table-rows.ts'
import type { FeedStatus } from '../../../packages/client/src/react/view.ts'
import { Statistics } from '../../kit/statistics.ts'

const STATUS: FeedStatus = { state: { status: 'live' }, error: undefined, gaps: [] }

type Change = { readonly op: string; readonly key?: string; readonly row?: number }

const take = (table: TableRows<number>, change: Change) => table.take({ data: { prices: change } })

/** What a gateway tells: all rows, and then changes, and at times all of it again. */
const telling = fc
  .array(
    fc.record({
      rows: fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd', 'e'), fc.nat(9)),
      changes: fc.array(
        fc.record({ key: fc.constantFrom('a', 'b', 'c', 'd', 'e'), row: fc.option(fc.nat(9), { nil: undefined }) }),
        { maxLength: 10 },
      ),
    }),
    { minLength: 1, maxLength: 3 },
  )
  .map((parts) => {
    const changes: (Change & { readonly wanted?: Record<string, number> })[] = []
    for (const part of parts) {
      const now = { ...part.rows }
      changes.push({ op: 'RESET' })
      for (const [key, row] of Object.entries(part.rows)) changes.push({ op: 'ROW', key, row })
      changes.push({ op: 'READY', wanted: { ...now } })
      for (const { key, row } of part.changes) {
        if (row === undefined) delete now[key]
        else now[key] = row
        const op = row === undefined ? 'REMOVE' : 'UPSERT'
        changes.push({ op, key, ...(row !== undefined && { row }), wanted: { ...now } })
      }
    }
    return changes
  })

test('the rows shown are those of a moment: all that were told, whatever is being told', () => {
  const statistics = new Statistics('tables', ['changes', 'told again', 'removed', 'shown while others come'])
  fc.assert(
    fc.property(telling, (changes) => {
      const table = new TableRows<number>({ max: 100 })
      let wanted: Record<string, number> | undefined
      for (const change of changes) {
        take(table, change)
        if (change.wanted) wanted = change.wanted
        else if (wanted) statistics.count('shown while others come')
        const { rows, ready, partial } = table.snapshot(STATUS)
        expect(Object.fromEntries(rows)).toEqual(wanted ?? {})
        expect({ ready, partial }).toEqual({ ready: wanted !== undefined, partial: false })
        statistics.count('changes')
        if (change.op === 'REMOVE') statistics.count('removed')
      }
      if (changes.filter(({ op }) => op === 'RESET').length > 1) statistics.count('told again')
    }),
  )
  statistics.report()
})

test('of more rows than fit, some are left out, and that is said until all are told again', () => {
  const table = new TableRows<number>({ max: 2 })
  const shown = () => {
    const { rows, partial } = table.snapshot(STATUS)
    return { rows: Object.fromEntries(rows), partial }
  }
  take(table, { op: 'RESET' })
  for (const key of ['a', 'b', 'c']) take(table, { op: 'ROW', key, row: 1 })
  take(table, { op: 'READY' })
  expect(shown()).toEqual({ rows: { a: 1, b: 1 }, partial: true })
  take(table, { op: 'UPSERT', key: 'd', row: 1 })
  take(table, { op: 'UPSERT', key: 'a', row: 2 })
  expect(shown()).toEqual({ rows: { a: 2, b: 1 }, partial: true })
  take(table, { op: 'RESET' })
  take(table, { op: 'ROW', key: 'a', row: 3 })
  take(table, { op: 'READY' })
  expect(shown()).toEqual({ rows: { a: 3 }, partial: false })
  for (const key of ['b', 'c']) take(table, { op: 'UPSERT', key, row: 1 })
  expect(shown()).toEqual({ rows: { a: 3, b: 1 }, partial: true })
})

test('rows that were shown do not change', () => {
  const table = new TableRows<number>({ max: 2 })
  take(table, { op: 'READY' })
  take(table, { op: 'UPSERT', key: 'a', row: 1 })
  const { rows } = table.snapshot(STATUS)
  take(table, { op: 'UPSERT', key: 'a', row: 2 })
  expect(rows.get('a')).toBe(1)
  expect(table.snapshot(STATUS).rows.get('a')).toBe(2)
})
