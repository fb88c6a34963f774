import { type GeoPermissibleObjects, type GeoProjection, geoCircle, geoGraticule10, geoPath } from 'd3-geo'
import type { MultiPolygon, Position } from 'geojson'
import { feature } from 'topojson-client'
import type { GeometryCollection, Topology } from 'topojson-specification'
import atlas from 'world-atlas/land-110m.json'
import type { Palette } from './palette.ts'
import type { MapSize } from './projection.ts'

/** Everything south of this is Antarctica, which has no orders. */
const ANTARCTICA = -62

const topology = atlas as unknown as Topology<{ land: GeometryCollection }>
const land: MultiPolygon = {
  type: 'MultiPolygon',
  coordinates: feature(topology, topology.objects.land).features.flatMap(({ geometry }) =>
    geometry.type === 'MultiPolygon' ? geometry.coordinates.filter(isInhabited) : [],
  ),
}

function isInhabited(polygon: Position[][]): boolean {
  return polygon[0]?.some(([, lat = 0]) => lat > ANTARCTICA) ?? false
}

/** CSS pixels from one dot of the land to the next, at scale 1. */
const DOT_STEP = 7
const LEAST_STEP = 5
const DOT_RADIUS = 0.27

/** Of the map's sides, how much fades out: a region has land all around it. */
const FADE = 0.05

/** Draws the static layer: graticule, land as a grid of dots, and night. In CSS pixels. */
export function drawLand(
  context: CanvasRenderingContext2D,
  { width, height, ratio, scale }: MapSize,
  projection: GeoProjection,
  palette: Palette,
  now: Date,
): void {
  context.setTransform(ratio, 0, 0, ratio, 0, 0)
  context.clearRect(0, 0, width, height)
  const path = geoPath(projection, context)
  const fill = (shape: GeoPermissibleObjects, style: string) => {
    context.beginPath()
    path(shape)
    context.fillStyle = style
    context.fill()
  }

  context.beginPath()
  path(geoGraticule10())
  context.strokeStyle = palette.graticule
  context.lineWidth = 1
  context.stroke()

  fill(land, palette.land)
  context.save()
  context.beginPath()
  path(land)
  context.clip()
  drawDots(context, width, height, DOT_STEP * scale, palette.dot)
  const night = geoCircle().center(oppositeOfSun(now))
  for (const radius of TWILIGHT) fill(night.radius(radius)(), palette.night)
  context.restore()
  fadeSides(context, width, height)
}

function fadeSides(context: CanvasRenderingContext2D, width: number, height: number): void {
  context.globalCompositeOperation = 'destination-in'
  for (const [right, bottom] of [
    [width, 0],
    [0, height],
  ] as const) {
    const sides = context.createLinearGradient(0, 0, right, bottom)
    sides.addColorStop(0, 'transparent')
    sides.addColorStop(FADE, '#000')
    sides.addColorStop(1 - FADE, '#000')
    sides.addColorStop(1, 'transparent')
    context.fillStyle = sides
    context.fillRect(0, 0, width, height)
  }
  context.globalCompositeOperation = 'source-over'
}

/** Degrees from midnight: it grows dark in steps, while the sun goes from the horizon to eighteen degrees below. */
const TWILIGHT = [90, 86.4, 82.8, 79.2, 75.6, 72]

/** A hexagonal grid over everything; the clip leaves those on land. */
function drawDots(
  context: CanvasRenderingContext2D,
  width: number,
  height: number,
  wanted: number,
  style: string,
): void {
  const step = Math.max(LEAST_STEP, wanted)
  const row = (step * Math.sqrt(3)) / 2
  context.beginPath()
  for (let y = row / 2, odd = 0; y < height + row; y += row, odd ^= 1) {
    for (let x = odd ? step / 2 : 0; x < width + step; x += step) {
      context.moveTo(x + step * DOT_RADIUS, y)
      context.arc(x, y, step * DOT_RADIUS, 0, 2 * Math.PI)
    }
  }
  context.fillStyle = style
  context.fill()
}

const DAY_MS = 86_400_000

/** Where it is midnight, and the sun is furthest: to a degree or so. */
function oppositeOfSun(now: Date): [number, number] {
  const dayOfYear = (now.getTime() - Date.UTC(now.getUTCFullYear(), 0, 0)) / DAY_MS
  const declination = -23.44 * Math.cos((2 * Math.PI * (dayOfYear + 10)) / 365.25)
  const timeOfDay = (now.getTime() % DAY_MS) / DAY_MS
  return [-360 * timeOfDay, -declination]
}
