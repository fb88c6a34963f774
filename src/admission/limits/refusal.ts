import { SluiceError } from '../../errors/codes.ts'
import { refusedRetryMs } from '../../errors/retry-hints.ts'
import type { AccountKind } from './account.ts'

/** What of a client's quota can be used up. */
const LIMITED = ['streams', 'new_streams', 'requests', 'reservations', 'operations', 'groups', 'preparing'] as const
export type Limited = (typeof LIMITED)[number]

/** Why a client is refused by a limit of its own: values of a metric's label, so there are few. */
export type LimitReason = `${AccountKind}_${Limited}`

export const LIMIT_REASONS: readonly LimitReason[] = [
  ...LIMITED.map((limited) => `principal_${limited}` as const),
  ...LIMITED.map((limited) => `address_${limited}` as const),
]

/** The shortest `Retry-After` that is told: less would be a second try at once. */
const MIN_RETRY_MS = 1_000

/**
 * @param waitMs the time until there is something again; undefined: it depends on what the client itself ends.
 */
export function rateLimited(reason: LimitReason, message: string, waitMs?: number): SluiceError {
  return new SluiceError('RATE_LIMITED', message, { limit: reason }, retryMs(waitMs))
}

/** With jitter: many clients of one principal may be told at once. */
function retryMs(waitMs: number | undefined): number {
  if (waitMs === undefined) return refusedRetryMs('TOO_MANY_STREAMS')
  return Math.max(MIN_RETRY_MS, waitMs) * (1 + Math.random())
}
