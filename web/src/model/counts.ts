import type { MapOrderFragment } from '../gql/graphql.ts'
import { indexOfRegion, REGIONS } from './regions.ts'

const SECONDS = 60

/** What came over the stream of orders: each event is counted once, as it came. */
export class Counts {
  /** Orders that were placed, by region, since the view was opened (with those it began with). */
  readonly placed = new Uint32Array(REGIONS.length)
  /** All events: later statuses too. */
  events = 0
  /** Placed in each of the last sixty seconds, by region: a ring. */
  readonly #seconds = new Uint16Array(REGIONS.length * SECONDS)
  #second = 0

  /** @param isLive not one of those that the view began with. @param now ms. */
  add({ region, status }: MapOrderFragment, isLive: boolean, now: number): void {
    this.events++
    if (status !== 'PLACED') return
    const index = indexOfRegion[region]
    this.placed[index]!++
    if (!isLive) return
    this.#moveTo(now)
    this.#seconds[(this.#second % SECONDS) * REGIONS.length + index]!++
  }

  /** Orders of a region that came in the last minute. */
  lastMinute(region: MapOrderFragment['region'], now: number): number {
    this.#moveTo(now)
    let sum = 0
    for (let i = indexOfRegion[region]; i < this.#seconds.length; i += REGIONS.length) sum += this.#seconds[i]!
    return sum
  }

  clear(): void {
    this.placed.fill(0)
    this.#seconds.fill(0)
    this.events = 0
  }

  #moveTo(now: number): void {
    const second = Math.floor(now / 1000)
    const passed = Math.min(SECONDS, second - this.#second)
    for (let i = 1; i <= passed; i++) {
      const at = ((this.#second + i) % SECONDS) * REGIONS.length
      this.#seconds.fill(0, at, at + REGIONS.length)
    }
    this.#second = Math.max(this.#second, second)
  }
}
