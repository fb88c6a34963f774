import { countries, type TCountryCode } from 'countries-list'
import { currencies } from 'countries-list/currencies'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createOrderFeed } from '../../src/demo/orders-feed.ts'
import { loadPlaces } from '../../src/demo/places.ts'
import { OrderEvent } from '../../src/streams/topics/orders.ts'

const START = Date.UTC(2026, 10, 27)
const MANY = 100_000

/** `count` events, `everyMs` apart. */
function ordersOf(seed: number, count: number, everyMs = 50): OrderEvent[] {
  const feed = createOrderFeed({ seed })
  return Array.from({ length: count }, (_, index) => feed.next(START + index * everyMs))
}

function countBy<K>(events: readonly OrderEvent[], keyOf: (event: OrderEvent) => K): Map<K, number> {
  return new Map([...Map.groupBy(events, keyOf)].map(([key, lot]) => [key, lot.length]))
}

const many = ordersOf(42, MANY)
const placed = many.filter((order) => order.status === 'PLACED')

test('every event is a valid order, with every seed', () => {
  fc.assert(
    fc.property(fc.maxSafeInteger(), fc.integer({ min: 0, max: 60_000 }), (seed, everyMs) => {
      for (const order of ordersOf(seed, 200, everyMs)) expect(OrderEvent.parse(order)).toEqual(order)
    }),
    { numRuns: 50 },
  )
})

test('a seed that is no integer is refused', () => {
  expect(() => createOrderFeed({ seed: 0.5 })).toThrow('A seed is an integer, not 0.5')
  expect(() => createOrderFeed({ seed: Number.NaN })).toThrow(RangeError)
})

describe('repeatability', () => {
  test('the same seed and times make the same events', () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), (seed) => {
        expect(ordersOf(seed, 100)).toEqual(ordersOf(seed, 100))
      }),
      { numRuns: 20 },
    )
  })

  test('another seed makes other events', () => {
    const cities = (seed: number) => ordersOf(seed, 100).map((order) => order.city)
    expect(new Set([0, 1, 2, -1, 2 ** 32].map((seed) => cities(seed).join())).size).toBe(5)
  })

  test('these are the first orders of seed 1', () => {
    expect(ordersOf(1, 2)).toMatchInlineSnapshot(`
      [
        {
          "amount": "259.98",
          "city": "Santa Cruz de la Sierra",
          "country": "BO",
          "currency": "BOB",
          "customer": {
            "email": "customer.36455@example.com",
            "id": "c_36455",
          },
          "id": "ord_0mwy7sw00000gv5v",
          "itemCount": 1,
          "lat": -17.786,
          "lon": -63.181,
          "merchantId": "m_0115",
          "placedAt": "2026-11-27T00:00:00.000Z",
          "region": "SOUTH_AMERICA",
          "status": "PLACED",
        },
        {
          "amount": "78.21",
          "city": "Nanchong",
          "country": "CN",
          "currency": "CNY",
          "customer": {
            "email": "customer.32235@example.com",
            "id": "c_32235",
          },
          "id": "ord_0mwy7sw1e000gv5v",
          "itemCount": 1,
          "lat": 30.795,
          "lon": 106.085,
          "merchantId": "m_0141",
          "placedAt": "2026-11-27T00:00:00.050Z",
          "region": "ASIA",
          "status": "PLACED",
        },
      ]
    `)
  })
})

describe('ids', () => {
  test('an id is used by one order only, and grows with every new one, also as text', () => {
    const ids = placed.map((order) => order.id)
    expect(ids.every((id, index) => index === 0 || id > ids[index - 1]!)).toBe(true)
  })

  test('no id is used twice at times that are no whole milliseconds', () => {
    const ids = ordersOf(1, 10_000, 0.05).flatMap((order) => (order.status === 'PLACED' ? [order.id] : []))
    expect(new Set(ids).size).toBe(ids.length)
  })

  test('ids go on growing through a crowd within a millisecond, and when the clock goes back', () => {
    const feed = createOrderFeed({ seed: 1 })
    let last = ''
    for (let index = 0; index < 120_000; index++) {
      const order = feed.next(START - index / 1000)
      if (order.status !== 'PLACED') continue
      expect(order.id > last).toBe(true)
      last = order.id
    }
  })

  test('feeds with different seeds at the same time use different ids', () => {
    const ids = new Set(ordersOf(1, 100).map((order) => order.id))
    expect(ordersOf(2, 100).filter((order) => ids.has(order.id))).toEqual([])
  })
})

describe('places', () => {
  const REGION_OF = {
    AF: 'AFRICA',
    AS: 'ASIA',
    EU: 'EUROPE',
    NA: 'NORTH_AMERICA',
    OC: 'OCEANIA',
    SA: 'SOUTH_AMERICA',
    AN: undefined,
  }

  test('region and currency are those of the country', () => {
    for (const order of placed) {
      const country = countries[order.country as TCountryCode]
      expect(order.region).toBe(order.country === 'RU' ? 'EUROPE' : REGION_OF[country.continent])
      expect(order.currency).toBe(country.currency[0])
    }
  })

  test.each([
    ['Amsterdam', 'NL', 'EUROPE', 52.37, 4.89],
    ['Sydney', 'AU', 'OCEANIA', -33.87, 151.21],
    ['São Paulo', 'BR', 'SOUTH_AMERICA', -23.55, -46.64],
    ['New York City', 'US', 'NORTH_AMERICA', 40.71, -74.01],
    ['Lagos', 'NG', 'AFRICA', 6.45, 3.39],
    ['Tokyo', 'JP', 'ASIA', 35.69, 139.69],
  ])('%s is where it is on a map', (city, country, region, lat, lon) => {
    const place = loadPlaces().find((one) => one.city === city && one.country === country)
    expect(place?.region).toBe(region)
    expect(place?.lat).toBeCloseTo(lat, 1)
    expect(place?.lon).toBeCloseTo(lon, 1)
  })

  test('an order is where its city is', () => {
    const known = new Set(loadPlaces().map((place) => [place.city, place.country, place.lat, place.lon].join()))
    const lost = placed.filter((order) => !known.has([order.city, order.country, order.lat, order.lon].join()))
    expect(lost).toEqual([])
  })

  test('every region has places, and no place is listed twice', () => {
    const places = loadPlaces()
    expect(new Set(places.map((place) => place.region)).size).toBe(6)
    expect(new Set(places.map((place) => `${place.lat},${place.lon}`)).size).toBe(places.length)
  })

  test('countries have orders as they have people', () => {
    const people = Map.groupBy(loadPlaces(), (place) => place.country)
    const all = loadPlaces().reduce((sum, place) => sum + place.population, 0)
    const counts = countBy(placed, (order) => order.country)
    for (const [country, places] of people) {
      const share = places.reduce((sum, place) => sum + place.population, 0) / all
      const expected = share * placed.length
      // Five standard deviations: of 160 countries none is that far off by chance.
      expect(Math.abs((counts.get(country) ?? 0) - expected), country).toBeLessThan(5 * Math.sqrt(expected) + 5)
    }
  })
})

describe('amounts', () => {
  test('every amount is more than nothing, with the decimals of its currency', () => {
    for (const { amount, currency } of placed) {
      expect(Number(amount)).toBeGreaterThan(0)
      expect(amount.split('.')[1]?.length ?? 0, currency).toBe(currencies[currency as keyof typeof currencies].decimals)
    }
  })

  test.each([
    ['EUR', 5, 200],
    ['JPY', 1000, 30_000],
    ['VND', 100_000, 5_000_000],
    ['KWD', 2, 70],
  ])('most amounts in %s are between %d and %d', (currency, low, high) => {
    const amounts = placed
      .filter((order) => order.currency === currency && order.itemCount === 1)
      .map((order) => Number(order.amount))
    expect(amounts.length).toBeGreaterThan(10)
    expect(amounts.filter((amount) => amount > low && amount < high).length / amounts.length).toBeGreaterThan(0.8)
  })

  test('most orders are of one or two items, and a few of very many', () => {
    const items = placed.map((order) => order.itemCount).sort((a, b) => a - b)
    expect(items[Math.floor(items.length / 2)]).toBe(1)
    expect(items[Math.floor(items.length * 0.99)]).toBeGreaterThan(10)
    expect(items.at(-1)).toBeLessThanOrEqual(500)
  })
})

describe('merchants', () => {
  const counts = countBy(placed, (order) => order.merchantId)
  const shares = [...counts.values()].sort((a, b) => b - a).map((count) => count / placed.length)

  test('a few merchants have many orders, and many have few', () => {
    expect(shares[0]).toBeGreaterThan(0.03)
    expect(shares[0]).toBeLessThan(0.08)
    expect(shares.slice(0, 100).reduce((sum, share) => sum + share, 0)).toBeGreaterThan(0.45)
    expect(shares.length).toBeGreaterThan(1800)
    expect([...counts.keys()].every((id) => /^m_\d{4}$/.test(id) && id > 'm_0000' && id <= 'm_2000')).toBe(true)
  })

  test('a merchant of rank n has about its share by Zipf', () => {
    const share = (rank: number) => (counts.get(`m_${String(rank).padStart(4, '0')}`) ?? 0) / placed.length
    expect(share(1) / share(10)).toBeGreaterThan(2.5) // (10 + 2) / (1 + 2) = 4
    expect(share(1) / share(10)).toBeLessThan(6.5)
    expect(share(10) / share(100)).toBeGreaterThan(5) // (100 + 2) / (10 + 2) = 8.5
    expect(share(10) / share(100)).toBeLessThan(15)
  })

  test('the orders of a merchant come mostly from one country', () => {
    const byMerchant = Map.groupBy(placed, (order) => order.merchantId)
    for (let rank = 1; rank <= 30; rank++) {
      const orders = byMerchant.get(`m_${String(rank).padStart(4, '0')}`)!
      const most = Math.max(...countBy(orders, (order) => order.country).values())
      expect(most / orders.length).toBeGreaterThan(0.5)
    }
  })
})

describe('what becomes of an order', () => {
  const AFTER: Record<OrderEvent['status'], OrderEvent['status'] | 'PLACED, PAID' | undefined> = {
    PLACED: undefined,
    PAID: 'PLACED',
    SHIPPED: 'PAID',
    CANCELLED: 'PLACED, PAID',
  }

  test.each([0, 0.05, 50, 3_600_000])(
    'a status follows the one before it, on the same order, with events %d ms apart',
    (everyMs) => {
      const known = new Map<string, OrderEvent>()
      for (const order of ordersOf(3, MANY, everyMs)) {
        const before = known.get(order.id)
        if (before === undefined) expect(order.status).toBe('PLACED')
        else {
          expect(AFTER[order.status]).toContain(before.status)
          expect(order).toEqual({ ...before, status: order.status })
        }
        known.set(order.id, order)
      }
    },
  )

  test.each([1, 50, 1000])('PLACED dominates, then PAID, SHIPPED and CANCELLED, with events %d ms apart', (everyMs) => {
    const counts = countBy(ordersOf(4, 100_000, everyMs), (order) => order.status)
    const share = (status: OrderEvent['status']) => (counts.get(status) ?? 0) / 100_000
    expect(share('PLACED')).toBeGreaterThan(0.6)
    expect(share('PAID')).toBeGreaterThan(share('SHIPPED'))
    expect(share('SHIPPED')).toBeGreaterThan(share('CANCELLED'))
    expect(share('CANCELLED')).toBeGreaterThan(0.01)
  })

  test('half of the orders that are paid are paid within about twenty seconds', () => {
    const delays = many
      .flatMap((order, index) => (order.status === 'PAID' ? [index * 50 - (Date.parse(order.placedAt) - START)] : []))
      .sort((a, b) => a - b)
    expect(delays[0]).toBeGreaterThan(0)
    expect(delays[Math.floor(delays.length / 2)]).toBeGreaterThan(15_000)
    expect(delays[Math.floor(delays.length / 2)]).toBeLessThan(25_000)
  })

  test('after a pause, new orders go on while what is due is made up for', () => {
    const feed = createOrderFeed({ seed: 5 })
    for (let index = 0; index < 2000; index++) feed.next(START + index)
    const after = Array.from({ length: 400 }, (_, index) => feed.next(START + 86_400_000 + index))
    const fresh = after.filter((order) => order.status === 'PLACED').length
    expect(fresh).toBeGreaterThan(150)
    expect(fresh).toBeLessThan(250)
  })
})
