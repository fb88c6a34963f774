import { type Latency, STEPS_MS } from '../model/latency.ts'
import { type ClockBounds, differenceOf, uncertaintyOf } from '../stream/clock.ts'
import { count, milliseconds } from './format.ts'
import { byId, copy, setText, svg } from './page.ts'

const WIDTH = 240
const HEIGHT = 44
const GAP = 3
/** Of a cursor, what is shown: its beginning is the same for all of a topic. */
const CURSOR_END = 22
/** Of the rate that is shown: what it is worth after a second. */
const SMOOTHING = 0.4

/** Latency, cursor and rate of the stream of orders. */
export class Instruments {
  readonly #bars: readonly SVGRectElement[]
  readonly #latency: Latency
  #cursor = ''
  #events = 0
  #at = performance.now()
  #rate = 0

  constructor(latency: Latency) {
    this.#latency = latency
    const width = WIDTH / (STEPS_MS.length + 1)
    this.#bars = Array.from({ length: STEPS_MS.length + 1 }, (_, i) => {
      const bar = svg('rect', { x: i * width + GAP / 2, width: width - GAP, y: HEIGHT - 1, height: 1, rx: 1 })
      byId('histogram').append(bar)
      return bar
    })
    const button = byId<HTMLButtonElement>('copy')
    button.addEventListener('click', () => void copy(this.#cursor, button))
  }

  draw(state: { readonly cursor: string; readonly clock: ClockBounds; readonly events: number }): void {
    const { p50, p99, bars } = this.#latency.summary(differenceOf(state.clock) ?? 0)
    setText(byId('p50'), milliseconds(p50))
    setText(byId('p99'), milliseconds(p99))
    const most = Math.max(1, ...bars)
    for (const [i, bar] of this.#bars.entries()) {
      const height = Math.max(1, Math.round((bars[i]! / most) * HEIGHT))
      if (bar.getAttribute('height') === String(height)) continue
      bar.setAttribute('height', String(height))
      bar.setAttribute('y', String(HEIGHT - height))
    }
    byId('histogram').setAttribute(
      'aria-label',
      p50 === undefined
        ? 'No latency measured yet'
        : `Latencies of the newest ${count(this.#latency.size)} orders: half within ${milliseconds(p50)}, 99 of 100 within ${milliseconds(p99)}`,
    )
    setText(byId('clock'), clockText(state.clock))
    this.#drawCursor(state.cursor)
    this.#drawRate(state.events)
  }

  #drawCursor(cursor: string): void {
    if (cursor === this.#cursor) return
    this.#cursor = cursor
    const short = cursor.length > CURSOR_END ? `…${cursor.slice(-CURSOR_END)}` : cursor
    setText(byId('cursor'), short || '–')
    byId<HTMLButtonElement>('copy').disabled = cursor === ''
  }

  #drawRate(events: number): void {
    const now = performance.now()
    const seconds = (now - this.#at) / 1_000
    if (seconds < 1) return
    // A new view counts from none.
    const rate = Math.max(0, events - this.#events) / seconds
    this.#rate += SMOOTHING * (rate - this.#rate)
    this.#events = events
    this.#at = now
    setText(byId('rate'), this.#rate < 10 ? this.#rate.toFixed(1) : count(this.#rate))
  }
}

function clockText(clock: ClockBounds): string {
  const uncertainty = uncertaintyOf(clock)
  if (!Number.isFinite(uncertainty)) return "The gateway's clock is being compared."
  return `By the gateway's clock, known to ± ${milliseconds(uncertainty)}; shops are taken to have the same.`
}
