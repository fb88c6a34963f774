/** How many events are due at a time, so that on average there are `rate` a second. Times are in ms of one clock. */
export interface Pace {
  /** How many are due now, and not sent yet. */
  due(now: number): number
  sent(count: number): void
  /** 0 if one is due already. */
  msUntilDue(now: number): number
}

/**
 * Limit of the backlog: a late timer, or a pause of the garbage collector, is made up for, but a laptop's sleep or a
 * slow log is not followed by a burst.
 */
const LONGEST_DEBT_MS = 250

/** The first event is due at `start`; then one every 1000 / rate ms, counted from `start`, so that nothing drifts. */
export function createPace(rate: number, start: number): Pace {
  const intervalMs = 1000 / rate
  const mostOwed = Math.floor(LONGEST_DEBT_MS / intervalMs) + 1
  let origin = start
  let done = 0

  const owed = (now: number) => Math.floor((now - origin) / intervalMs) + 1 - done

  return {
    due(now) {
      if (owed(now) > mostOwed) {
        origin = now - (mostOwed - 1) * intervalMs
        done = 0
      }
      return Math.max(0, owed(now))
    },
    sent(count) {
      done += count
    },
    msUntilDue: (now) => Math.max(0, origin + done * intervalMs - now),
  }
}
