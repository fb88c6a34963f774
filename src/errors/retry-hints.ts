import type { ErrorCode } from './codes.ts'

/** Reconnection delay: random between the two, so that clients do not reconnect all at once. */
const RETRY_MIN_MS = 1_000
export const RETRY_MAX_MS = 5_000

/**
 * Reconnection delay after a planned end: the ends are spread already, and another instance is available. It is no
 * shorter, because the client keeps it: the clients of a single instance reconnect at that rate until it is back.
 */
const PLANNED_MIN_MS = 250
const PLANNED_MAX_MS = 1_250

/** Delay after a refusal for lack of room, which changes by ended streams or a new instance only. */
const FULL_MIN_MS = 10_000
const FULL_MAX_MS = 30_000

/**
 * Delay after an end that is final for the client: it must not reconnect, and a native EventSource does, for as long as
 * its page is open.
 */
const FINAL_MIN_MS = 60_000
const FINAL_MAX_MS = 120_000

/** For a `retry:` line. The client keeps the value, so that every stream begins with a new one. */
export function retryMs(): number {
  return between(RETRY_MIN_MS, RETRY_MAX_MS)
}

/** For the `retry:` line at a stream's planned end. */
export function plannedRetryMs(): number {
  return between(PLANNED_MIN_MS, PLANNED_MAX_MS)
}

/** For the `retry:` line before a `complete` that the gateway has decided. */
export function finalRetryMs(): number {
  return between(FINAL_MIN_MS, FINAL_MAX_MS)
}

/** For a client whose stream is refused for now. */
export function refusedRetryMs(code: ErrorCode): number {
  return code === 'TOO_MANY_STREAMS' ? between(FULL_MIN_MS, FULL_MAX_MS) : retryMs()
}

function between(min: number, max: number): number {
  return Math.round(min + Math.random() * (max - min))
}
