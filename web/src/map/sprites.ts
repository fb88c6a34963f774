import { SIZES } from '../model/euro-magnitude.ts'
import { REGIONS } from '../model/regions.ts'
import type { Palette } from './palette.ts'

/** Radius of a dot by size, CSS pixels at scale 1. */
const RADII = [1.5, 2.2, 3.3, 5.4] as const
/** A ring grows to this many radii of its dot, and is drawn in this many pictures. */
const RING_GROWTH = 4.2
export const RING_FRAMES = 14
const GLOW_GROWTH = 4.5

export interface Sprites {
  readonly dots: readonly Sheet[]
  readonly rings: readonly Sheet[]
}

/** Pictures side by side in one canvas, by size: the regions below one another. */
export interface Sheet {
  readonly image: HTMLCanvasElement
  /** Of one picture: device pixels, and CSS pixels. */
  readonly cell: number
  readonly side: number
}

export function spriteOf(region: number, size: number): number {
  return region * SIZES + size
}

/** Draws each dot and each moment of its ring once: a frame then only copies pictures. */
export function makeSprites(palette: Palette, ratio: number, scale: number): Sprites {
  const radii = RADII.map((radius) => radius * scale)
  return {
    dots: radii.map((radius) => makeSheet(radius * GLOW_GROWTH, 1, ratio, palette, drawDot(palette, radius))),
    rings: radii.map((radius) => makeSheet(radius * RING_GROWTH, RING_FRAMES, ratio, palette, drawRing(radius))),
  }
}

type Draw = (context: CanvasRenderingContext2D, color: string, frame: number) => void

function makeSheet(extent: number, frames: number, ratio: number, palette: Palette, draw: Draw): Sheet {
  const cell = 2 * Math.ceil((extent + 1) * ratio)
  const image = document.createElement('canvas')
  image.width = cell * frames
  image.height = cell * REGIONS.length
  const context = image.getContext('2d')
  if (!context) throw new Error('This browser has no 2D canvas')
  for (const [row, region] of REGIONS.entries()) {
    for (let frame = 0; frame < frames; frame++) {
      context.setTransform(ratio, 0, 0, ratio, (frame + 0.5) * cell, (row + 0.5) * cell)
      draw(context, palette.regions[region], frame)
    }
  }
  return { image, cell, side: cell / ratio }
}

function drawDot({ glow, blend }: Palette, radius: number): Draw {
  return (context, color) => {
    const extent = radius * GLOW_GROWTH
    const halo = context.createRadialGradient(0, 0, radius * 0.5, 0, 0, extent)
    halo.addColorStop(0, color)
    halo.addColorStop(0.25, `color-mix(in srgb, ${color} 40%, transparent)`)
    halo.addColorStop(1, 'transparent')
    context.globalAlpha = glow
    context.fillStyle = halo
    context.fillRect(-extent, -extent, 2 * extent, 2 * extent)
    context.globalAlpha = 1
    circle(context, radius)
    context.fillStyle = color
    context.fill()
    if (blend !== 'lighter') return
    // The middle of a light is nearly white.
    circle(context, radius * 0.55)
    context.fillStyle = 'rgba(255, 255, 255, 0.65)'
    context.fill()
  }
}

function drawRing(radius: number): Draw {
  return (context, color, frame) => {
    const progress = (frame + 0.5) / RING_FRAMES
    const eased = 1 - (1 - progress) ** 2
    circle(context, radius * (1 + (RING_GROWTH - 1) * eased) - 0.5)
    context.globalAlpha = 0.75 * (1 - progress) ** 1.4
    context.strokeStyle = color
    context.lineWidth = 0.4 + 1.1 * (1 - progress)
    context.stroke()
    context.globalAlpha = 1
  }
}

function circle(context: CanvasRenderingContext2D, radius: number): void {
  context.beginPath()
  context.arc(0, 0, Math.max(0.1, radius), 0, 2 * Math.PI)
}
