import { SIZES } from '../model/euro-magnitude.ts'
import { RING_FRAMES, type Sprites } from './sprites.ts'

/** How long an order is seen, and for how long of it there is a ring around it. */
export const PULSE_MS = 2_600
const RING_MS = 1_100
/** Far more than are seen at 500 orders a second; of more, the oldest go early. A power of two. */
export const MAX_PULSES = 4_096

/**
 * Orders that are being drawn. All have the same lifetime, so that they expire in the order in which they came: a ring
 * buffer of numbers, without an object for an order or a frame.
 */
export class Pulses {
  readonly #x = new Float32Array(MAX_PULSES)
  readonly #y = new Float32Array(MAX_PULSES)
  readonly #bornAt = new Float64Array(MAX_PULSES)
  readonly #sprite = new Uint8Array(MAX_PULSES)
  #first = 0
  #count = 0

  get size(): number {
    return this.#count
  }

  add(x: number, y: number, sprite: number, now: number): void {
    if (this.#count === MAX_PULSES) {
      this.#first = (this.#first + 1) % MAX_PULSES
      this.#count--
    }
    const at = (this.#first + this.#count++) % MAX_PULSES
    this.#x[at] = x
    this.#y[at] = y
    this.#sprite[at] = sprite
    this.#bornAt[at] = now
  }

  clear(): void {
    this.#count = 0
  }

  /** Forgets those that have faded. */
  expire(now: number): void {
    while (this.#count > 0 && now - this.#bornAt[this.#first]! >= PULSE_MS) {
      this.#first = (this.#first + 1) % MAX_PULSES
      this.#count--
    }
  }

  /** Copies a picture, or two, for each order. @param hasRings false: only the dots, for a machine that is too slow. */
  draw(context: CanvasRenderingContext2D, sprites: Sprites, now: number, hasRings: boolean): void {
    for (let i = 0; i < this.#count; i++) {
      const at = (this.#first + i) % MAX_PULSES
      const age = Math.max(0, now - this.#bornAt[at]!)
      const sprite = this.#sprite[at]!
      const size = sprite % SIZES
      const row = (sprite - size) / SIZES
      const x = this.#x[at]!
      const y = this.#y[at]!
      const left = 1 - age / PULSE_MS
      const dot = sprites.dots[size]!
      context.globalAlpha = left * (2 - left) // stays, and then goes
      context.drawImage(
        dot.image,
        0,
        row * dot.cell,
        dot.cell,
        dot.cell,
        x - dot.side / 2,
        y - dot.side / 2,
        dot.side,
        dot.side,
      )
      if (!hasRings || age >= RING_MS) continue
      const ring = sprites.rings[size]!
      const frame = Math.floor((age / RING_MS) * RING_FRAMES)
      context.globalAlpha = 1
      context.drawImage(
        ring.image,
        frame * ring.cell,
        row * ring.cell,
        ring.cell,
        ring.cell,
        x - ring.side / 2,
        y - ring.side / 2,
        ring.side,
        ring.side,
      )
    }
    context.globalAlpha = 1
  }
}
