import type { Place, Region } from './places.ts'
import { createRandom, type Random } from './random.ts'
import { type Weighted, weighted, weightedBy } from './weighted.ts'

/** A seller. The same for every seed, so that `m_0001` is the same shop in every run and in every document. */
export interface Merchant {
  /** `m_0001` is the one that sells most, `m_2000` the one that sells least. */
  readonly id: string
  /** Most of its orders come from here. */
  readonly home: string
  readonly region: Region
  /** Its share of all orders, against the others'. */
  readonly weight: number
  /** What one of its items usually costs, in US dollars. */
  readonly itemPrice: number
}

const MERCHANTS = 2000

/**
 * Zipf's law, flattened at the top (Mandelbrot): the first merchant has about 5% of all orders, the first hundred a
 * little more than half. Without it the first alone would have 12%, and dominate its country's share.
 */
const FLATTENED_BY = 2

/** Of a place's orders, how many go to a merchant of its country; of the rest, how many stay in its region. */
const AT_HOME = 0.85
const NEARBY = 0.6

/** Any number: it only must stay the same. */
const PRICES_SEED = 1

/**
 * Makes the merchants, each at home where the people of the places have the fewest merchants yet: so merchants are
 * spread as people are, and picking one by country leaves every merchant its share.
 */
export function createMerchants(places: readonly Place[]): readonly Merchant[] {
  const random = createRandom(PRICES_SEED)
  const countries = [...Map.groupBy(places, (place) => place.country)].map(([country, lot]) => ({
    country,
    region: lot[0]!.region,
    people: lot.reduce((sum, place) => sum + place.population, 0),
    weight: 0,
  }))

  return Array.from({ length: MERCHANTS }, (_, index) => {
    const weight = 1 / (index + 1 + FLATTENED_BY)
    const home = countries.reduce((a, b) => ((b.weight + weight) / b.people < (a.weight + weight) / a.people ? b : a))
    home.weight += weight
    return {
      id: `m_${String(index + 1).padStart(4, '0')}`,
      home: home.country,
      region: home.region,
      weight,
      itemPrice: 28 * Math.exp(0.8 * random.normal()),
    }
  })
}

/**
 * Selects the merchant of an order by its place: mostly one of that country, else of that region, else of the world.
 */
export function createMerchantChoice(merchants: readonly Merchant[]): (place: Place, random: Random) => Merchant {
  const weightOf = (merchant: Merchant) => merchant.weight
  const byCountry = weightedBy(merchants, (merchant) => merchant.home, weightOf)
  const byRegion = weightedBy(merchants, (merchant) => merchant.region, weightOf)
  const anywhere: Weighted<Merchant> = weighted(merchants, weightOf)

  return (place, random) => {
    const atHome = random.float() < AT_HOME ? byCountry.get(place.country) : undefined
    const nearby = atHome ?? (random.float() < NEARBY ? byRegion.get(place.region) : undefined)
    return (nearby ?? anywhere)(random.float())
  }
}
