import type { StreamEvent } from '../event.ts'
import { approximately, exactly, type Ordered } from '../topic/ordered.ts'
import type { Range } from '../topic/where.ts'

/** Which orders of a value against a bound a range admits. */
const OPERATORS = {
  gt: (order: number) => order > 0,
  gte: (order: number) => order >= 0,
  lt: (order: number) => order < 0,
  lte: (order: number) => order <= 0,
}
const NAMES = Object.keys(OPERATORS) as (keyof typeof OPERATORS)[]

/** An object with nothing but bounds, or nothing. */
export function isRange(wanted: unknown): wanted is Range<unknown> {
  if (typeof wanted !== 'object' || wanted === null) return false
  const prototype: unknown = Object.getPrototypeOf(wanted)
  if (prototype !== Object.prototype && prototype !== null) return false
  return Object.keys(wanted).every((name) => Object.hasOwn(OPERATORS, name))
}

interface Bound {
  readonly name: keyof typeof OPERATORS
  readonly value: unknown
}

/**
 * A range of an ordered value as two doubles. What lies between them is in the range; only what lies on one of them is
 * compared exactly: two decimals may be one double, and `gt` is no `gte`.
 */
export class Bounds {
  readonly ordered: Ordered
  /** Both ends included. */
  readonly low: number
  readonly high: number
  /** No value is in the range. */
  readonly isEmpty: boolean
  readonly #bounds: readonly Bound[]

  private constructor(ordered: Ordered, low: number, high: number, bounds: readonly Bound[]) {
    this.ordered = ordered
    this.low = low
    this.high = high
    this.#bounds = bounds
    // Not `low > high`: a bound without an order is NaN, and no value can be compared with it.
    this.isEmpty = !(low <= high) || (low === high && this.#isContradictory())
  }

  /** Undefined for a range without bounds. */
  static of(ordered: Ordered, range: Range<unknown>): Bounds | undefined {
    const bounds = NAMES.flatMap((name) => (range[name] === undefined ? [] : [{ name, value: range[name] }]))
    if (bounds.length === 0) return undefined
    const places = (isWanted: boolean) =>
      bounds.filter(({ name }) => isLower(name) === isWanted).map(({ value }) => approximately(ordered.kind, value))
    const low = Math.max(Number.NEGATIVE_INFINITY, ...places(true))
    const high = Math.min(Number.POSITIVE_INFINITY, ...places(false))
    return new Bounds(ordered, low, high, bounds)
  }

  /** The range from the least of some values to the greatest; undefined if one has no order. */
  static around(ordered: Ordered, values: ReadonlySet<unknown>): Bounds | undefined {
    let low = Number.POSITIVE_INFINITY
    let high = Number.NEGATIVE_INFINITY
    for (const value of values) {
      const place = approximately(ordered.kind, value)
      if (Number.isNaN(place)) return undefined
      low = Math.min(low, place)
      high = Math.max(high, place)
    }
    return new Bounds(ordered, low, high, [])
  }

  /** Each end is a number. */
  get isClosed(): boolean {
    return this.low > Number.NEGATIVE_INFINITY && this.high < Number.POSITIVE_INFINITY
  }

  /** Whether an event is in the range; `place` is `ordered.read(event)`. */
  admits(place: number, event: StreamEvent): boolean {
    if (place > this.low && place < this.high) return true
    return place >= this.low && place <= this.high && this.#admitsExactly(this.ordered.value(event))
  }

  #admitsExactly(value: unknown): boolean {
    for (const bound of this.#bounds) {
      const order = exactly(this.ordered.kind, value, bound.value)
      if (order === undefined || !OPERATORS[bound.name](order)) return false
    }
    return true
  }

  /** Two bounds at one place, between which there is no value. */
  #isContradictory(): boolean {
    const lower = this.#bounds.filter(({ name }) => isLower(name))
    const upper = this.#bounds.filter(({ name }) => !isLower(name))
    return lower.some((one) =>
      upper.some((other) => {
        const order = exactly(this.ordered.kind, one.value, other.value) as number
        return order > 0 || (order === 0 && (one.name === 'gt' || other.name === 'lt'))
      }),
    )
  }
}

function isLower(name: keyof typeof OPERATORS): boolean {
  return name === 'gt' || name === 'gte'
}
