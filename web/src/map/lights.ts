import type { GeoProjection } from 'd3-geo'
import { SIZES } from '../model/euro-magnitude.ts'
import { REGIONS } from '../model/regions.ts'
import type { Palette } from './palette.ts'

/** Orders kept for redrawing after a resize. */
const KEPT = 4_096
/** CSS pixels at scale 1: of the smallest, and of each size more. */
const RADIUS = 0.9
const RADIUS_MORE = 0.3
const OPACITY = 0.5
/** Share of opacity removed per step. Rounding to 8 bits leaves a few percent indefinitely. */
const FADES_BY = 0.04
export const FADE_EVERY_MS = 1_000

/** A small dot for each order, which fades over about a minute: the places of recent orders. */
export class Lights {
  readonly #places = new Float32Array(2 * KEPT)
  readonly #sprites = new Uint8Array(KEPT)
  #count = 0
  /** See MapSize. */
  scale = 1

  add(lon: number, lat: number, sprite: number): void {
    const at = this.#count++ % KEPT
    this.#places[2 * at] = lon
    this.#places[2 * at + 1] = lat
    this.#sprites[at] = sprite
  }

  clear(): void {
    this.#count = 0
  }

  /** A light, in CSS pixels. */
  stamp(context: CanvasRenderingContext2D, palette: Palette, x: number, y: number, sprite: number): void {
    const size = sprite % SIZES
    const region = REGIONS[(sprite - size) / SIZES]!
    context.globalAlpha = OPACITY
    context.fillStyle = palette.regions[region]
    const radius = (RADIUS + size * RADIUS_MORE) * this.scale
    context.beginPath()
    context.arc(x, y, radius, 0, 2 * Math.PI)
    context.fill()
    context.globalAlpha = 1
  }

  fade(context: CanvasRenderingContext2D, width: number, height: number): void {
    context.globalCompositeOperation = 'destination-out'
    context.globalAlpha = FADES_BY
    context.fillRect(0, 0, width, height)
    context.globalAlpha = 1
    context.globalCompositeOperation = 'source-over'
  }

  /** All that are remembered, on an empty canvas. */
  drawAll(context: CanvasRenderingContext2D, projection: GeoProjection, palette: Palette): void {
    const count = Math.min(this.#count, KEPT)
    for (let at = 0; at < count; at++) {
      const point = projection([this.#places[2 * at]!, this.#places[2 * at + 1]!])
      if (point) this.stamp(context, palette, point[0], point[1], this.#sprites[at]!)
    }
  }
}
