import type { Subscription } from './subscription.ts'

/** No part of a wait is longer, whoever asks for it: a mistake should not keep a client away for good. */
const MAX_PART_MS = 3_600_000

export interface Waits {
  /** Longest wait after the first failure, ms; it doubles with each further one. */
  readonly baseWaitMs: number
  /** Longest wait ever, ms, on top of what the server asks for. */
  readonly maxWaitMs: number
}

/** How long a `Retry-After` of seconds or of a date (RFC 9110, 10.2.3) says to wait, ms; 0 where it says nothing. */
export function retryAfterMs(value: string | null, now: number): number {
  if (value === null) return 0
  const ms = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - now
  return Math.max(ms || 0, 0)
}

/**
 * How long to wait before the next attempt, ms: what the server asked for, and on top of it a random part of a span
 * that doubles with every failure in a row, so that clients who were cut together do not come back together.
 *
 * @param tries how often its client says to have tried. It counts for a subscription that never had a stream: one that
 *   had knows better, since clients go on counting over streams that were well but quiet.
 */
export function waitMs(subscription: Subscription, tries: number, { baseWaitMs, maxWaitMs }: Waits): number {
  const own = Math.max(subscription.failures - 1, 0)
  const failures = subscription.proved ? own : Math.max(own, tries)
  return toldMs(subscription) + Math.random() * Math.min(maxWaitMs, MAX_PART_MS, baseWaitMs * 2 ** failures)
}

/** The part of a wait that its server asked for, ms. */
export function toldMs({ retryMs, notBefore }: Subscription): number {
  return Math.min(Math.max(retryMs, notBefore - Date.now()), MAX_PART_MS)
}

/**
 * Rings once after so many ms. @returns what cancels it
 * @param soonestMs from when on it may ring earlier, for a good reason; default: it may not
 */
export type Alarm = (ms: number, ring: () => void, soonestMs?: number) => () => void

export const timer: Alarm = (ms, ring) => {
  const set = setTimeout(ring, ms)
  return () => clearTimeout(set)
}

/** Waits, but not for a subscription that has been aborted meanwhile. */
export function wait(
  ms: number,
  signal: AbortSignal | undefined,
  alarm: Alarm = timer,
  soonestMs?: number,
): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      cancel()
      signal?.removeEventListener('abort', done)
      resolve()
    }
    const cancel = alarm(ms, done, soonestMs)
    if (signal?.aborted) done()
    else signal?.addEventListener('abort', done)
  })
}
