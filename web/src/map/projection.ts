import { type GeoProjection, geoNaturalEarth1 } from 'd3-geo'
import type { Region } from '../gql/graphql.ts'
import { REGION_BOUNDS } from '../model/regions.ts'

/** Bounds of the visible world, degrees: beyond them there are no orders. */
const WORLD = [-168, -54, 180, 76] as const
/** CSS pixels around what is to be seen. */
const MARGIN = 12

export interface MapSize {
  /** CSS pixels. */
  readonly width: number
  readonly height: number
  /** Device pixels of a CSS pixel. */
  readonly ratio: number
  /** What is drawn is this much larger than on a map of a thousand pixels. */
  readonly scale: number
}

const USUAL_WIDTH = 1_000
const LEAST_SCALE = 0.75
const MOST_SCALE = 1.8
/** Factor of sizes when a region is shown. */
const REGION_SCALE = 1.45

export function scaleFor(width: number, region?: Region): number {
  return Math.min(MOST_SCALE, Math.max(LEAST_SCALE, width / USUAL_WIDTH)) * (region ? REGION_SCALE : 1)
}

/** The Natural Earth projection, a compromise between areas and shapes, fitted to a region or the world. */
export function projectionFor(width: number, height: number, region?: Region): GeoProjection {
  const [west, south, east, north] = region ? REGION_BOUNDS[region] : WORLD
  const middle = (south + north) / 2
  const coordinates = [west, (west + east) / 2, east].flatMap((lon) =>
    [south, middle, north].map((lat) => [lon, lat] as [number, number]),
  )
  const size: [[number, number], [number, number]] = [
    [MARGIN, MARGIN],
    [Math.max(MARGIN + 1, width - MARGIN), Math.max(MARGIN + 1, height - MARGIN)],
  ]
  // A region is centred, so that its middle is not tilted; the world's edge is in the Bering Strait.
  const projection = geoNaturalEarth1().rotate(region ? [-(west + east) / 2, 0] : [-11, 0])
  return projection.fitExtent(size, { type: 'MultiPoint', coordinates })
}
