import type { Region } from '../gql/graphql.ts'

/** West to east, as they are on the map; a region that the schema gets or loses is an error here. */
export const REGIONS = [
  'NORTH_AMERICA',
  'SOUTH_AMERICA',
  'EUROPE',
  'AFRICA',
  'ASIA',
  'OCEANIA',
] as const satisfies readonly Region[]

export const REGION_NAMES: Readonly<Record<Region, string>> = {
  NORTH_AMERICA: 'North America',
  SOUTH_AMERICA: 'South America',
  EUROPE: 'Europe',
  AFRICA: 'Africa',
  ASIA: 'Asia',
  OCEANIA: 'Oceania',
}

/** What the map shows of a region that was picked, degrees: west, south, east, north. Russia is in Europe. */
export const REGION_BOUNDS: Readonly<Record<Region, readonly [number, number, number, number]>> = {
  NORTH_AMERICA: [-150, 7, -52, 66],
  SOUTH_AMERICA: [-86, -54, -32, 13],
  EUROPE: [-24, 34, 66, 68],
  AFRICA: [-20, -36, 54, 38],
  ASIA: [30, -11, 146, 54],
  OCEANIA: [110, -48, 180, 2],
}

export const indexOfRegion: Readonly<Record<Region, number>> = Object.fromEntries(
  REGIONS.map((region, index) => [region, index]),
) as Record<Region, number>

export function isRegion(text: string): text is Region {
  return Object.hasOwn(indexOfRegion, text)
}
