import fc from 'fast-check'
import { expect, test } from 'vitest'
import { euroCents } from '../../src/demo/amounts.ts'
import { createOrderFeed } from '../../src/demo/orders-feed.ts'
import { RegionTotals } from '../../src/demo/region-totals.ts'
import type { OutgoingRecord } from '../../src/streams/source/port.ts'
import { RegionSales } from '../../src/streams/topics/region-sales.ts'
import { anOrder } from '../kit/gateway.ts'

const START = Date.parse('2026-11-27T10:15:00.000Z')
const MINUTE = 60_000

function rowsOf(records: readonly OutgoingRecord[]): string[] {
  return records.map(({ key, value }) => {
    if (value === null) return `${key} removed`
    const { orders, sales } = RegionSales.parse(JSON.parse(String(value)))
    return `${key} ${orders} ${sales}`
  })
}

const at = (ms: number) => new Date(ms).toISOString()

test('totals are told by region and minute, of orders that were placed, and only of what has changed', () => {
  const totals = new RegionTotals(START)
  // Of the minute that is an hour ago.
  expect(rowsOf(totals.take(START))).toHaveLength(6)
  totals.add(anOrder({ region: 'EUROPE', amount: '10.50', currency: 'EUR', placedAt: at(START) }))
  totals.add(anOrder({ region: 'EUROPE', amount: '0.75', currency: 'EUR', placedAt: at(START + 59_999) }))
  totals.add(anOrder({ region: 'ASIA', amount: '100', currency: 'USD', placedAt: at(START) }))
  totals.add(anOrder({ region: 'ASIA', status: 'PAID', placedAt: at(START) }))
  expect(rowsOf(totals.take(START)).sort()).toEqual([
    'ASIA/2026-11-27T10:15:00.000Z 1 86.00',
    'EUROPE/2026-11-27T10:15:00.000Z 2 11.25',
  ])
  totals.add(anOrder({ region: 'EUROPE', amount: '1', currency: 'EUR', placedAt: at(START + MINUTE) }))
  expect(rowsOf(totals.take(START + MINUTE)).filter((row) => !row.endsWith('removed'))).toEqual([
    'EUROPE/2026-11-27T10:16:00.000Z 1 1.00',
  ])
})

test('an hour of rows is kept, those of an earlier run of the feed included', () => {
  const totals = new RegionTotals(START)
  const removed = rowsOf(totals.take(START + 10 * MINUTE))
  expect(removed).toHaveLength(6 * 11)
  expect(removed).toContain('EUROPE/2026-11-27T09:25:00.000Z removed')
  expect(removed.some((row) => row.includes('T09:26'))).toBe(false)
})

test('a minute that had begun before the start is not counted: an earlier run may have told of it', () => {
  const totals = new RegionTotals(START + 1)
  totals.add(anOrder({ placedAt: at(START + 30_000) }))
  expect(rowsOf(totals.take(START + 30_000)).filter((row) => !row.endsWith('removed'))).toEqual([])
  totals.add(anOrder({ placedAt: at(START + MINUTE) }))
  expect(rowsOf(totals.take(START + MINUTE)).filter((row) => !row.endsWith('removed'))).toHaveLength(1)
})

test('amounts of every currency of the feed become cents of EUR, rounded once', () => {
  const feed = createOrderFeed({ seed: 7 })
  for (let n = 0; n < 20_000; n++) {
    const { amount, currency } = feed.next(START + n)
    expect(euroCents(amount, currency)).toBeGreaterThanOrEqual(0n)
  }
  fc.assert(
    fc.property(fc.nat(1_000_000_000), (cents) => {
      const amount = `${Math.floor(cents / 100)}.${String(cents % 100).padStart(2, '0')}`
      expect(euroCents(amount, 'EUR')).toBe(BigInt(cents))
      expect(euroCents(amount, 'USD')).toBe((BigInt(cents) * 86n + 50n) / 100n)
    }),
  )
  expect(euroCents('0.005', 'EUR')).toBe(1n)
  expect(() => euroCents('1e3', 'EUR')).toThrow(RangeError)
  expect(() => euroCents('1', 'XXX')).toThrow(RangeError)
})
