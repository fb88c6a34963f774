import fc from 'fast-check'
import { expect, test } from 'vitest'
import { loadPlaces } from '../../src/demo/places.ts'
import { PALETTES } from '../../web/src/map/palette.ts'
import { MAX_PULSES, PULSE_MS, Pulses } from '../../web/src/map/pulses.ts'
import { CITIES, nearestCity } from '../../web/src/model/cities.ts'
import { Counts } from '../../web/src/model/counts.ts'
import { SIZES, sizeOf } from '../../web/src/model/euro-magnitude.ts'
import { Latency, STEPS_MS } from '../../web/src/model/latency.ts'
import { OwnOrders } from '../../web/src/model/own-orders.ts'
import { RecentOrders } from '../../web/src/model/recent-orders.ts'
import { REGIONS } from '../../web/src/model/regions.ts'
import { Sales } from '../../web/src/model/sales.ts'
import { meets, searchOf, type View, viewOf, whereOf } from '../../web/src/model/view.ts'
import { Comparison } from '../../web/src/stream/comparison.ts'
import { Statistics } from '../kit/statistics.ts'

const MINUTE_MS = 60_000

function anOrder(id: string, status: 'PLACED' | 'PAID' = 'PLACED', region: (typeof REGIONS)[number] = 'EUROPE') {
  const place = { country: 'NL', city: 'Utrecht', location: { lat: 52, lon: 5 } }
  const total = { amount: '10', currency: 'EUR' }
  return { id, status, region, merchantId: 'm', ...place, total, placedAt: '2026-11-27T10:00:00Z' }
}

const amounts = fc
  .tuple(fc.integer({ min: 1, max: 999_999 }), fc.integer({ min: 0, max: 99 }))
  .map(([a, b]) => `${a}.${b}`)
const views: fc.Arbitrary<View> = fc
  .record({
    whose: fc.oneof(
      fc.constant({}),
      fc.constantFrom(...REGIONS).map((region) => ({ region })),
      fc.string({ minLength: 1, maxLength: 20 }).map((text) => ({ merchant: `m${text}` })),
      fc.string({ maxLength: 20 }).map((text) => ({ merchant: ` m${text} ` })),
    ),
    amount: fc.option(fc.record({ least: amounts, currency: fc.option(fc.constantFrom('EUR', 'JPY')) })),
  })
  .map(({ whose, amount }) => ({
    ...whose,
    ...(amount && { least: amount.least }),
    ...(amount?.currency && { currency: amount.currency }),
  }))

test('a view is what its link says, whatever the merchant is called', () => {
  const statistics = new Statistics('views', ['all', 'region', 'merchant', 'amount', 'trimmed'])
  fc.assert(
    fc.property(views, (view) => {
      const read = viewOf(searchOf(view))
      const trimmed = view.merchant === undefined ? view : { ...view, merchant: view.merchant.trim() }
      expect(read).toEqual(trimmed)
      expect(searchOf(read)).toBe(searchOf(trimmed))
      if (view.merchant !== trimmed.merchant) statistics.count('trimmed')
      statistics.count(view.merchant ? 'merchant' : view.region ? 'region' : 'all')
      if (view.least) statistics.count('amount')
      expect(whereOf(view)).toEqual(
        view.least
          ? { total: { amount: { gte: view.least }, ...(view.currency && { currency: { eq: view.currency } }) } }
          : null,
      )
    }),
    { numRuns: 1_000 },
  )
  statistics.report()
})

test('no link makes a view that the gateway would refuse', () => {
  const keys = fc.constantFrom('region', 'merchant', 'least', 'currency', 'x')
  fc.assert(
    fc.property(fc.array(fc.tuple(keys, fc.string()), { maxLength: 6 }), (pairs) => {
      const { region, least, currency, merchant } = viewOf(`?${new URLSearchParams(pairs)}`)
      if (region !== undefined) expect(REGIONS).toContain(region)
      if (least !== undefined) expect(least).toMatch(/^\d{1,12}(\.\d{1,2})?$/)
      if (currency !== undefined) expect(currency).toMatch(/^[A-Z]{3}$/)
      if (merchant !== undefined) expect(merchant.length).toBeLessThanOrEqual(100)
      expect(region === undefined || merchant === undefined).toBe(true)
    }),
  )
  expect(viewOf('?least=0.00')).toEqual({})
  expect(viewOf(`?merchant=${'x'.repeat(101)}`)).toEqual({})
})

type Change = Parameters<Sales['take']>[0]

test('the figures of a region are the sums of its rows, in whatever order a table tells them', () => {
  const statistics = new Statistics('table of sales', ['rows', 'removed', 'begun again', 'older than shown'])
  const present = Date.parse('2026-11-27T10:30:00Z')
  const acts = fc.array(
    fc.record({
      op: fc.constantFrom('UPSERT', 'UPSERT', 'UPSERT', 'ROW', 'ROW', 'REMOVE', 'REMOVE', 'RESET', 'READY'),
      region: fc.constantFrom('EUROPE' as const, 'ASIA' as const),
      age: fc.constantFrom(0, 1, 2, 7, 29, 30, 45),
      orders: fc.nat(1_000),
    }),
    { maxLength: 60 },
  )
  fc.assert(
    fc.property(acts, fc.nat(MINUTE_MS - 1), (list, into) => {
      const sales = new Sales()
      const rows = new Map<string, { region: string; age: number; orders: number }>()
      for (const { op, region, age, orders } of list) {
        const key = `${region}/${age}`
        const minute = new Date(present - age * MINUTE_MS).toISOString()
        const row = { region, minute, orders, sales: { amount: `${orders}.50`, currency: 'EUR' } }
        const isRow = op === 'UPSERT' || op === 'ROW'
        sales.take({ op, key: isRow || op === 'REMOVE' ? key : null, row: isRow ? row : null } as Change)
        if (isRow) rows.set(key, { region, age, orders })
        else if (op === 'REMOVE') statistics.count('removed', rows.delete(key) ? 1 : 0)
        else if (op === 'RESET') {
          statistics.count('begun again')
          rows.clear()
        }
      }
      for (const region of REGIONS) {
        const own = [...rows.values()].filter((row) => row.region === region)
        const ordersAt = (at: number) => own.filter(({ age }) => age === at).reduce((sum, row) => sum + row.orders, 0)
        const figures = sales.figures(region, present + into, 30)
        statistics.count('rows', own.length)
        statistics.count('older than shown', own.filter(({ age }) => age >= 30).length)
        expect(figures.orders).toBe(own.reduce((sum, { orders }) => sum + orders, 0))
        expect(figures.sales).toBeCloseTo(
          own.reduce((sum, { orders }) => sum + orders + 0.5, 0),
          5,
        )
        expect(figures.minutes.at(-1)).toBe(ordersAt(0))
        expect(figures.minutes.length).toBeGreaterThanOrEqual(5)
        expect(figures.minutes.length).toBeLessThanOrEqual(30)
        for (const [i, orders] of figures.minutes.entries())
          expect(orders).toBe(ordersAt(figures.minutes.length - 1 - i))
        expect(figures.perMinute).toBeCloseTo(ordersAt(0) + ordersAt(1) * (1 - into / MINUTE_MS), 5)
      }
    }),
    { numRuns: 300 },
  )
  statistics.report()
})

test('the list has each order once, the newest first, and never more than it may', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(12), { maxLength: 50 }), (ids) => {
      const recent = new RecentOrders(5)
      for (const id of ids) recent.add(anOrder(String(id)))
      const expected = [...new Set(ids.map(String).reverse())].slice(0, 5)
      expect(recent.list().map(({ id }) => id)).toEqual(expected)
    }),
  )
})

test('the last minute counts what came within sixty seconds, and no statuses', () => {
  const counts = new Counts()
  counts.add(anOrder('a'), true, 1_000)
  counts.add(anOrder('a', 'PAID'), true, 1_500)
  counts.add(anOrder('past'), false, 1_500)
  counts.add(anOrder('b'), true, 59_900)
  expect(counts.lastMinute('EUROPE', 59_999)).toBe(2)
  expect(counts.lastMinute('EUROPE', 61_000)).toBe(1)
  expect(counts.lastMinute('EUROPE', 1e9)).toBe(0)
  expect(counts.lastMinute('ASIA', 60_000)).toBe(0)
  expect(counts.events).toBe(4)
  expect([...counts.placed].reduce((sum, each) => sum + each, 0)).toBe(3)
})

test('latencies: the bars have all that are kept, and 99 of 100 are within what is said', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: -50, max: 5_000 }), { minLength: 1, maxLength: 900 }),
      fc.nat(100),
      (all, ahead) => {
        const latency = new Latency()
        for (const ms of all) latency.add(ms)
        const kept = all.slice(-600).map((ms) => ms + ahead)
        const { p50 = 0, p99 = 0, bars } = latency.summary(ahead)
        expect(bars.reduce((sum, each) => sum + each, 0)).toBe(kept.length)
        expect(bars[0]).toBe(kept.filter((ms) => ms <= STEPS_MS[0]).length)
        expect(kept.filter((ms) => ms <= p50).length).toBeGreaterThanOrEqual(kept.length / 2)
        expect(kept.filter((ms) => ms <= p99).length).toBeGreaterThanOrEqual(kept.length * 0.99)
        expect(latency.leastDifference()).toBe(-Math.min(...all.slice(-600)))
      },
    ),
    { numRuns: 200 },
  )
  expect(new Latency().summary(0)).toMatchObject({ p50: undefined, p99: undefined })
})

test("an order of one's own is timed whether it is drawn before its answer or after, and once", () => {
  const own = new OwnOrders()
  expect(own.placed(anOrder('a'), 100)).toBeUndefined()
  expect(own.drawn(anOrder('a'), 130)).toBe(30)
  expect(own.drawn(anOrder('a'), 140)).toBeUndefined()
  expect(own.drawn(anOrder('b'), 150)).toBeUndefined()
  expect(own.placed(anOrder('b'), 100)).toBe(50)
  for (let i = 0; i < 5_000; i++) own.placed(anOrder(`n${i}`), 0)
  expect(own.ids.size).toBe(200)
})

test("whether one's own order will come is judged by the same conditions as the gateway's", () => {
  const order = { ...anOrder('a'), total: { amount: '100.00', currency: 'EUR' } }
  const yes: View[] = [{}, { region: 'EUROPE' }, { merchant: 'm' }, { least: '100' }, { least: '100', currency: 'EUR' }]
  const no: View[] = [{ region: 'ASIA' }, { merchant: 'x' }, { least: '100.01' }, { least: '1', currency: 'JPY' }]
  expect(yes.map((view) => meets(view, order))).toEqual(yes.map(() => true))
  expect(no.map((view) => meets(view, order))).toEqual(no.map(() => false))
})

test('a trial finds what only the second subscription got, and each status counts', () => {
  const comparison = new Comparison()
  comparison.main(anOrder('before'))
  comparison.main(anOrder('a'))
  comparison.witness(anOrder('a'))
  comparison.witness(anOrder('a', 'PAID'))
  comparison.witness(anOrder('b'))
  expect([...comparison.missing()]).toEqual(['a PAID', 'b PLACED'])
  comparison.close()
  comparison.witness(anOrder('later'))
  expect(comparison.witnessed).toBe(3)
  comparison.main(anOrder('a', 'PAID'))
  comparison.main(anOrder('b'))
  expect(comparison.missing().size).toBe(0)
  for (let i = 0; i < 20_000; i++) comparison.main(anOrder(`n${i}`))
  expect(comparison.isTooMuch).toBe(true)
})

test('pulses end when their time is over, and of too many the oldest go first', () => {
  const pulses = new Pulses()
  for (let i = 0; i < MAX_PULSES + 10; i++) pulses.add(0, 0, 0, i)
  expect(pulses.size).toBe(MAX_PULSES)
  pulses.expire(PULSE_MS + 9)
  expect(pulses.size).toBe(MAX_PULSES)
  pulses.expire(PULSE_MS + 10)
  expect(pulses.size).toBe(MAX_PULSES - 1)
  pulses.expire(PULSE_MS + MAX_PULSES + 10)
  expect(pulses.size).toBe(0)
})

test('a dot is larger for more money, in every currency of the demo, and never fails', () => {
  for (const currency of new Set(loadPlaces().map((place) => place.currency))) {
    const sizes = ['0', '1', '100', '10000', '1000000', '100000000', '99999999999'].map((amount) =>
      sizeOf({ amount, currency }),
    )
    expect(sizes, currency).toEqual([...sizes].sort())
    expect(sizes.at(-1), currency).toBe(SIZES - 1)
  }
  expect(sizeOf({ amount: 'x', currency: 'EUR' })).toBe(0)
  expect(sizeOf({ amount: '1', currency: 'XXX' })).toBe(1)
  expect(sizeOf({ amount: '129.90', currency: 'EUR' })).toBe(sizeOf({ amount: '22000', currency: 'JPY' }))
})

test('the nearest city is one of the list, also across the date line', () => {
  expect(nearestCity([4.9, 52.4]).name).toBe('Amsterdam')
  expect(nearestCity([-179.9, -18]).name).toBe('Suva')
  for (const city of CITIES) expect(nearestCity([city.lon, city.lat])).toBe(city)
  expect(new Set(CITIES.map(({ region }) => region))).toEqual(new Set(REGIONS))
})

test('regions are told apart by people who see no red or no green, on either theme', () => {
  for (const { regions, land } of Object.values(PALETTES)) {
    for (const see of [DEUTERANOPIA, PROTANOPIA]) {
      const colors = Object.values(regions).map((hex) => lab(see, hex))
      const ground = lab(see, land)
      for (const [i, one] of colors.entries()) {
        expect(distance(one, ground)).toBeGreaterThan(25)
        for (const other of colors.slice(i + 1)) expect(distance(one, other)).toBeGreaterThan(10)
      }
    }
  }
})

/** Machado, Oliveira and Fernandes (2009), severity 1, on linear RGB. */
const DEUTERANOPIA = [0.367322, 0.860646, -0.227968, 0.280085, 0.672501, 0.047413, -0.01182, 0.04294, 0.968881]
const PROTANOPIA = [0.152286, 1.052583, -0.204868, 0.114503, 0.786281, 0.099216, -0.003882, -0.048116, 1.051998]

/** CIELAB of a colour as it is seen. */
function lab(see: readonly number[], hex: string): [number, number, number] {
  const linear = [1, 3, 5].map((at) => (Number.parseInt(hex.slice(at, at + 2), 16) / 255) ** 2.2)
  const [r = 0, g = 0, b = 0] = [0, 3, 6].map((row) =>
    Math.min(
      1,
      Math.max(
        0,
        [0, 1, 2].reduce((sum, i) => sum + see[row + i]! * linear[i]!, 0),
      ),
    ),
  )
  const f = (value: number) => (value > 0.008856 ? Math.cbrt(value) : 7.787 * value + 16 / 116)
  const x = f((0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.9505)
  const y = f(0.2126 * r + 0.7152 * g + 0.0722 * b)
  const z = f((0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.089)
  return [116 * y - 16, 500 * (x - y), 200 * (y - z)]
}

function distance(one: readonly number[], other: readonly number[]): number {
  return Math.hypot(...one.map((value, i) => value - other[i]!))
}
