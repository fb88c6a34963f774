/**
 * How far the gateway's clock is ahead of the page's, by the Date header. It has whole seconds only; but each answer
 * says that the clock showed that second at some moment between the request and the answer, and answers around the tick
 * of a second leave little between the two bounds.
 */
export interface ClockBounds {
  /** The difference is at least this, ms. */
  readonly low: number
  readonly high: number
}

export interface ClockSample {
  /** By the page's clock, ms. */
  readonly sentAt: number
  readonly receivedAt: number
  /** The Date header: start of a second by the gateway's clock, ms. */
  readonly date: number
}

export const UNKNOWN: ClockBounds = { low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY }

const SECOND_MS = 1_000
/** Servers keep the text of the date for a second, and renew it a little late when they are busy. */
const SLACK_MS = 20

export function narrow(bounds: ClockBounds, { sentAt, receivedAt, date }: ClockSample): ClockBounds {
  const sample = { low: date - receivedAt - SLACK_MS, high: date + SECOND_MS - sentAt + SLACK_MS }
  const both = { low: Math.max(bounds.low, sample.low), high: Math.min(bounds.high, sample.high) }
  // They contradict each other: a clock was set, or another server answered.
  return both.low <= both.high ? both : sample
}

/** What else is known: the difference is at least `low`, unless that contradicts the rest. */
export function atLeast(bounds: ClockBounds, low: number): ClockBounds {
  return low > bounds.low && low <= bounds.high ? { low, high: bounds.high } : bounds
}

export function differenceOf({ low, high }: ClockBounds): number | undefined {
  return Number.isFinite(low) && Number.isFinite(high) ? (low + high) / 2 : undefined
}

/** Half of what is unknown, ms. */
export function uncertaintyOf({ low, high }: ClockBounds): number {
  return (high - low) / 2
}

/** Time of the next sample: at the estimated tick of a second, which halves what is unknown. ms from now, 1,000 at most. */
export function nextSampleIn(bounds: ClockBounds, now: number): number {
  const difference = differenceOf(bounds) ?? 0
  const gateway = now + difference
  return SECOND_MS - (((gateway % SECOND_MS) + SECOND_MS) % SECOND_MS)
}
