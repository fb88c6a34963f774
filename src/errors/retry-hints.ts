import type { ErrorCode } from './codes.ts'

/** A client waits this long before it comes back, at random between the two, so that they do not come all at once. */
const RETRY_MIN_MS = 1_000
export const RETRY_MAX_MS = 5_000

/**
 * After a planned end: it has a moment of its own already, and another instance is there. No shorter, since it sticks:
 * the clients of a lone instance ask that often until it is back.
 */
const PLANNED_MIN_MS = 250
const PLANNED_MAX_MS = 1_250

/** Where there is no room: that changes when streams end by themselves, or somebody adds an instance. */
const FULL_MIN_MS = 10_000
const FULL_MAX_MS = 30_000

/** For a `retry:` line. It sticks in the client, so every stream begins with a new one. */
export function retryMs(): number {
  return between(RETRY_MIN_MS, RETRY_MAX_MS)
}

/** For the `retry:` line that ends a stream whose turn it is to end. */
export function plannedRetryMs(): number {
  return between(PLANNED_MIN_MS, PLANNED_MAX_MS)
}

/** For a client that is refused a stream for now. */
export function refusedRetryMs(code: ErrorCode): number {
  return code === 'TOO_MANY_STREAMS' ? between(FULL_MIN_MS, FULL_MAX_MS) : retryMs()
}

function between(min: number, max: number): number {
  return Math.round(min + Math.random() * (max - min))
}
