import type { GeoProjection } from 'd3-geo'
import type { MapOrderFragment, Region } from '../gql/graphql.ts'
import { sizeOf } from '../model/euro-magnitude.ts'
import { indexOfRegion } from '../model/regions.ts'
import { Frames } from './frames.ts'
import { drawLand } from './land.ts'
import { FADE_EVERY_MS, Lights } from './lights.ts'
import { PALETTES, type Palette, type Theme } from './palette.ts'
import { type MapSize, projectionFor, scaleFor } from './projection.ts'
import { Pulses } from './pulses.ts'
import { makeSprites, type Sprites, spriteOf } from './sprites.ts'

/** Above this a screen is so fine that more pixels are not seen, and cost. */
const MAX_RATIO = 2
/** Of a canvas, device pixels: a wall's are more than a frame has time for. */
const MAX_PIXELS = 6_000_000
/** Interval of redrawing the land, for the boundary of the night. */
const LAND_EVERY_MS = 60_000
/** Limit of orders that wait for the next frame; of more, the newest are drawn. */
const MAX_PENDING = 1_000

export interface WorldMapOptions {
  readonly host: HTMLElement
  readonly theme: Theme
  readonly reducedMotion: boolean
  /** An order was drawn for the first time. `isMeasured` as it was added. */
  onDrawn(order: MapOrderFragment, isMeasured: boolean): void
}

/** Three canvases above one another: land (static), lights (fading), pulses (redrawn in each frame). */
export class WorldMap {
  readonly frames = new Frames()
  readonly #options: WorldMapOptions
  readonly #land: CanvasRenderingContext2D
  readonly #glow: CanvasRenderingContext2D
  readonly #orders: CanvasRenderingContext2D
  readonly #pulses = new Pulses()
  readonly #lights = new Lights()
  readonly #pending: MapOrderFragment[] = []
  readonly #pendingMeasured: boolean[] = []
  #size: MapSize = { width: 0, height: 0, ratio: 1, scale: 1 }
  #palette: Palette
  #sprites: Sprites
  #projection: GeoProjection
  #region: Region | undefined
  #reducedMotion: boolean
  #request = 0
  #fadedAt = 0
  #landAt = 0

  constructor(options: WorldMapOptions) {
    this.#options = options
    this.#palette = PALETTES[options.theme]
    this.#reducedMotion = options.reducedMotion
    this.#land = addCanvas(options.host)
    this.#glow = addCanvas(options.host)
    this.#orders = addCanvas(options.host)
    this.#projection = projectionFor(1, 1)
    this.#sprites = makeSprites(this.#palette, 1, 1)
    new ResizeObserver(() => this.#resize()).observe(options.host)
    document.addEventListener('visibilitychange', () => this.#schedule())
    // Without orders there are no frames; lights and night still have to change.
    setInterval(() => this.#schedule(), FADE_EVERY_MS)
    this.#resize()
  }

  get pulses(): number {
    return this.#pulses.size
  }

  /** One that has just happened: it is drawn in the next frame. @param isMeasured what `onDrawn` is told of it. */
  add(order: MapOrderFragment, isMeasured: boolean): void {
    this.#pending.push(order)
    this.#pendingMeasured.push(isMeasured)
    if (this.#pending.length > MAX_PENDING) {
      this.#pending.shift()
      this.#pendingMeasured.shift()
    }
    this.#schedule()
  }

  /** One that happened before: it has left its light. */
  addPast(order: MapOrderFragment): void {
    this.#light(order)
    this.#schedule()
  }

  clear(): void {
    this.#pending.length = 0
    this.#pendingMeasured.length = 0
    this.#pulses.clear()
    this.#lights.clear()
    this.#redraw()
  }

  show(region: Region | undefined): void {
    if (region === this.#region) return
    this.#region = region
    this.#resize()
  }

  set theme(theme: Theme) {
    this.#palette = PALETTES[theme]
    this.#resize()
  }

  set reducedMotion(reduced: boolean) {
    this.#reducedMotion = reduced
    this.#pulses.clear()
    this.#schedule()
  }

  /** Where a place is, in CSS pixels of the map. */
  pointOf({ lon, lat }: { readonly lon: number; readonly lat: number }): readonly [number, number] | null {
    return this.#projection([lon, lat])
  }

  /** Longitude and latitude of a point of the map. */
  placeAt(x: number, y: number): readonly [number, number] | null {
    return this.#projection.invert?.([x, y]) ?? null
  }

  #resize(): void {
    const { clientWidth: width, clientHeight: height } = this.#options.host
    if (width === 0 || height === 0) return
    const most = Math.min(MAX_RATIO, Math.sqrt(MAX_PIXELS / (width * height)))
    const zoom = this.#options.host.getBoundingClientRect().width / width
    const ratio = Math.min(most, zoom * (globalThis.devicePixelRatio || 1))
    const scale = scaleFor(width, this.#region)
    this.#size = { width, height, ratio, scale }
    this.#lights.scale = scale
    for (const { canvas } of [this.#land, this.#glow, this.#orders]) {
      canvas.width = Math.round(width * ratio)
      canvas.height = Math.round(height * ratio)
    }
    this.#projection = projectionFor(width, height, this.#region)
    this.#sprites = makeSprites(this.#palette, ratio, scale)
    // Their places are those of the former size.
    this.#pulses.clear()
    this.#redraw()
  }

  #redraw(): void {
    const { width, height, ratio } = this.#size
    this.#landAt = performance.now()
    drawLand(this.#land, this.#size, this.#projection, this.#palette, new Date())
    this.#glow.setTransform(ratio, 0, 0, ratio, 0, 0)
    this.#glow.clearRect(0, 0, width, height)
    this.#lights.drawAll(this.#glow, this.#projection, this.#palette)
    this.#orders.setTransform(ratio, 0, 0, ratio, 0, 0)
    this.#orders.clearRect(0, 0, width, height)
    this.#schedule()
  }

  #schedule(): void {
    if (this.#request === 0 && !document.hidden) this.#request = requestAnimationFrame((now) => this.#frame(now))
  }

  #frame(now: number): void {
    this.#request = 0
    if (document.hidden) {
      this.frames.rest()
      return
    }
    this.frames.begin(now)
    if (now - this.#landAt > LAND_EVERY_MS) this.#redraw()
    if (now - this.#fadedAt > FADE_EVERY_MS) {
      this.#fadedAt = now
      this.#lights.fade(this.#glow, this.#size.width, this.#size.height)
    }
    for (let i = 0; i < this.#pending.length; i++) {
      const order = this.#pending[i]!
      this.#light(order)
      const point = this.pointOf(order.location)
      if (point && !this.#reducedMotion) this.#pulses.add(point[0], point[1], spriteFor(order), now)
      this.#options.onDrawn(order, this.#pendingMeasured[i]!)
    }
    this.#pending.length = 0
    this.#pendingMeasured.length = 0

    const context = this.#orders
    context.clearRect(0, 0, this.#size.width, this.#size.height)
    this.#pulses.expire(now)
    if (this.#pulses.size === 0) {
      this.frames.rest()
      return
    }
    context.globalCompositeOperation = this.#palette.blend
    this.#pulses.draw(context, this.#sprites, now, this.frames.hasRings)
    context.globalCompositeOperation = 'source-over'
    this.#schedule()
  }

  #light(order: MapOrderFragment): void {
    const { lon, lat } = order.location
    const sprite = spriteFor(order)
    this.#lights.add(lon, lat, sprite)
    const point = this.#projection([lon, lat])
    if (point) this.#lights.stamp(this.#glow, this.#palette, point[0], point[1], sprite)
  }
}

function spriteFor({ region, total }: MapOrderFragment): number {
  return spriteOf(indexOfRegion[region], sizeOf(total))
}

function addCanvas(host: HTMLElement): CanvasRenderingContext2D {
  const canvas = document.createElement('canvas')
  canvas.setAttribute('aria-hidden', 'true')
  host.append(canvas)
  const context = canvas.getContext('2d')
  if (!context) throw new Error('This browser has no 2D canvas')
  return context
}
