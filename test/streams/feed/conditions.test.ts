import { expect, test } from 'vitest'
import { z } from 'zod'
import { SluiceError } from '../../../src/errors/codes.ts'
import { Conditions } from '../../../src/streams/feed/conditions.ts'
import { InterestIndex } from '../../../src/streams/feed/interest-index.ts'
import { defineTopic } from '../../../src/streams/topic/topic.ts'
import type { Selection } from '../../../src/streams/topic/where.ts'
import { REGIONS } from '../../../src/streams/topics/orders.ts'
import { isSelected } from '../../kit/selection.ts'
import { bestMs } from '../../kit/yardstick.ts'
import { eventOf, type Sample, samples } from './samples.ts'

const sampleOf = (given: Partial<Sample>) => eventOf({ region: 'x', shop: 1, count: 1, price: '1', at: null, ...given })

function matching(index: InterestIndex<Sample, string>, given: Partial<Sample>): string[] {
  const found: string[] = []
  index.match(sampleOf(given), (name) => found.push(name))
  return found.toSorted()
}

function indexOf(selections: Readonly<Record<string, Selection<Sample>>>): InterestIndex<Sample, string> {
  const index = new InterestIndex<Sample, string>(samples)
  for (const [name, selection] of Object.entries(selections)) index.add(selection, name)
  return index
}

test('decimals that are one double, and times that are one millisecond, are told apart', () => {
  const index = indexOf({
    above: { price: { gt: '9007199254740992' } },
    from: { price: { gte: '9007199254740992.0' } },
    below: { price: { lt: '9007199254740993' } },
    later: { at: { gt: '2026-11-27T10:00:00.0001Z' } },
    until: { at: { lte: '2026-11-27T11:00:00.0001+01:00' } },
  })
  expect(matching(index, { price: '9007199254740993' })).toEqual(['above', 'from'])
  expect(matching(index, { price: '9007199254740992' })).toEqual(['below', 'from'])
  expect(matching(index, { price: '9007199254740992.5' })).toEqual(['above', 'below', 'from'])
  const price = 'none'
  expect(matching(index, { price, at: '2026-11-27T10:00:00.0002Z' })).toEqual(['later'])
  expect(matching(index, { price, at: '2026-11-27T10:00:00.00010Z' })).toEqual(['until'])
  expect(matching(index, { price, at: new Date('2026-11-27T10:00:00Z') })).toEqual(['until'])
})

test.each<[what: string, selection: Selection<Sample>]>([
  ['no alternative', []],
  ['a range that ends before it begins', { price: { gt: '2', lt: '1' } }],
  ['a range between equal decimals', { price: { gt: '1', lte: '1.00' } }],
  ['a range below itself', { count: { gte: 1, lt: 1 } }],
  ['bounds that are one double', { price: { gte: '9007199254740993', lte: '9007199254740992' } }],
  ['a bound that is no number', { count: { gte: Number.NaN } }],
  ['a bound that is no decimal', { price: { lt: '1e3' } }],
  ['a bound that is null', { at: { gt: null } }],
  ['an empty list', { region: { in: [] }, count: { gt: 1 } }],
  ['an empty list of what is only ordered', { count: { in: [] } }],
  ['alternatives of such', [{ region: { in: [] } }, { count: { gt: 2, lt: 1 } }]],
])('%s finds nothing, and costs no event anything', (_what, selection) => {
  const index = new InterestIndex<Sample, string>(samples)
  const remove = index.add(selection, 'nothing')
  expect([index.size, index.branches]).toEqual([1, 0])
  expect(matching(index, { count: 1, price: '1' })).toEqual([])
  remove()
  expect(index.size).toBe(0)
  expect(new Conditions(samples, selection).meets(sampleOf({}))).toBe(false)
})

test.each<[what: string, selection: Selection<Sample>]>([
  ['no condition', {}],
  ['no bound', { count: {} }],
  ['bounds that are undefined', { count: { gt: undefined }, price: { lte: undefined } }],
])('%s is met by every event, also by one without an order', (_what, selection) => {
  expect(matching(indexOf({ all: selection }), { count: Number.NaN, price: null })).toEqual(['all'])
})

test('infinite values are in the ranges that have no end there', () => {
  const index = indexOf({
    up: { count: { gte: 5 } },
    down: { count: { lt: 5 } },
    finite: { count: { lt: Number.POSITIVE_INFINITY } },
    infinite: { count: { gte: Number.POSITIVE_INFINITY } },
  })
  expect(matching(index, { count: Number.POSITIVE_INFINITY })).toEqual(['infinite', 'up'])
  expect(matching(index, { count: Number.NEGATIVE_INFINITY })).toEqual(['down', 'finite'])
  expect(matching(index, { count: Number.NaN })).toEqual([])
  const huge = '9'.repeat(400)
  expect(matching(indexOf({ more: { price: { gt: huge } }, same: { price: huge } }), { price: `${huge}0` })).toEqual([
    'more',
  ])
})

test('an interest is told of an event once, whichever alternatives it meets', () => {
  const index = indexOf({
    several: [{ region: 'x' }, { count: { gt: 0 } }, { count: { gt: 0 }, shop: 1 }, { region: 'x', count: { lt: 5 } }],
    same: [{ region: 'x' }, { region: 'x' }],
    last: [{ region: 'y' }, { shop: { in: [1, 2] } }],
  })
  expect(matching(index, {})).toEqual(['last', 'same', 'several'])
  expect(matching(index, {})).toEqual(['last', 'same', 'several'])
  expect(matching(index, { region: 'z', count: 0, shop: 3 })).toEqual([])
})

test('equality of what is only ordered is that of the value, not of its place', () => {
  const index = indexOf({ same: { price: '1.0' }, list: { price: { in: ['1.0', '3'] } }, none: { price: null } })
  expect(matching(index, { price: '1.0' })).toEqual(['list', 'same'])
  expect(matching(index, { price: '1.00' })).toEqual([])
  expect(matching(index, { price: '2' })).toEqual([])
  expect(matching(index, { price: null })).toEqual(['none'])
})

test('combinations are counted over all alternatives, and too many leave nothing behind', () => {
  const index = new InterestIndex<Sample, string>(samples)
  const upTo = (count: number) => ({ in: Array.from({ length: count }, (_, n) => n) })
  const half = { shop: upTo(500), count: { gt: 1 } }
  expect(() => index.add([half, half, { region: 'x' }], 'much')).toThrow(SluiceError)
  expect(() => index.add(new Array(1001).fill({ shop: { in: [] } }), 'much')).toThrow(
    expect.objectContaining({ code: 'BAD_USER_INPUT' }),
  )
  expect([index.size, index.branches]).toEqual([0, 0])
  const remove = index.add([half, { ...half, count: { gt: 2 } }], 'enough')
  expect(matching(index, { shop: 499, count: 3 })).toEqual(['enough'])
  // One map, and below each shop the tree of both intervals.
  expect(index.branches).toBe(1 + 2 * 500)
  remove()
  expect([index.size, index.branches]).toEqual([0, 0])
})

test('a range of what is not ordered cannot be asked for', () => {
  expect(() => new Conditions(samples, { shop: { gt: 1 } })).toThrow(
    new TypeError('The topic is not ordered by "shop"'),
  )
  expect(() => new Conditions(samples, { colour: 'red' } as never)).toThrow(
    new TypeError('The topic is not indexed by "colour"'),
  )
})

test('interests that name what they like have a bounded number of shapes, and find the same', () => {
  const names = Array.from({ length: 8 }, (_, n) => `p${n}`)
  type Wide = Readonly<Record<string, number>>
  const wide = defineTopic('wide', {
    schema: z.record(z.string(), z.int()),
    index: names,
    ordered: { a: { kind: 'number' }, b: { kind: 'number' } },
  })
  const wheres = Array.from({ length: 1024 }, (_, bits): Selection<Wide> => {
    const equalities = names.flatMap((name, n) => ((bits >> n) & 1 ? [[name, bits % 3]] : []))
    const ranges = [...(bits & 256 ? [['a', { gte: bits % 5 }]] : []), ...(bits & 512 ? [['b', { lt: bits % 7 }]] : [])]
    return Object.fromEntries([...equalities, ...ranges])
  })
  const index = new InterestIndex<Wide, number>(wide)
  const removals = wheres.map((where, n) => index.add(where, n))
  // Beyond the limit: one for each name alone.
  expect(index.shapes).toBeLessThanOrEqual(64 + names.length + 2 + 1)
  let total = 0
  for (let n = 0; n < 300; n++) {
    const value = Object.fromEntries([...names.map((name, i) => [name, (n >> i) % 3]), ['a', n % 6], ['b', n % 8]])
    const found: number[] = []
    index.match({ ...sampleOf({}), value }, (name) => found.push(name))
    const scanned = wheres.flatMap((where, i) => (isSelected(where, value, { a: 'number', b: 'number' }) ? [i] : []))
    expect(found.toSorted((a, b) => a - b)).toEqual(scanned)
    total += found.length
  }
  expect(total).toBeGreaterThan(1000)
  for (const remove of removals) remove()
  expect([index.size, index.branches, index.shapes]).toEqual([0, 0, 0])
})

/** So many interests in a region and a range, ten of which meet an event, on average. */
function crowd(interests: number) {
  const index = new InterestIndex<Sample, number>(samples)
  const each: Conditions<Sample>[] = []
  const width = (10 * 1000 * REGIONS.length) / interests
  for (let n = 0; n < interests; n++) {
    const from = ((n * 7919) % 100_000) / 100
    const where = { region: REGIONS[n % REGIONS.length] as string, price: { gte: `${from}`, lt: `${from + width}` } }
    index.add(where, n)
    each.push(new Conditions<Sample>(samples, where))
  }
  const events = Array.from({ length: 500 }, (_, n) =>
    sampleOf({ region: REGIONS[n % REGIONS.length] as string, price: `${(n * 104_729) % 1000}.25` }),
  )
  return { index, each, events }
}

test('an event costs what it finds, however many ranges there are', async () => {
  let [found, scanned] = [0, 0]
  const acts = (interests: number) => {
    const { index, each, events } = crowd(interests)
    return {
      look: () => {
        for (const event of events) index.match(event, () => found++)
      },
      scan: () => {
        for (const event of events.slice(0, 5)) for (const one of each) if (one.meets(event)) scanned++
      },
    }
  }
  const few = acts(500)
  const many = acts(50_000)
  const times = await bestMs(20, { many: many.look, few: few.look, scan: many.scan })
  const ratio = times.many / times.few
  const ofScan = times.many / (100 * times.scan)
  console.log(
    `with 50,000 ranges an event costs ${ratio.toFixed(1)} x of with 500, and ${(100 * ofScan).toFixed(3)} % of a scan; ` +
      `${(found / 40 / 500).toFixed(1)} found each`,
  )
  expect(scanned).toBeGreaterThan(0)
  expect(ratio).toBeLessThan(20) // a scan of all would take a hundred times as long
  expect(ofScan).toBeLessThan(0.1)
})
