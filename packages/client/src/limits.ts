import type { Waits } from './retry.ts'
import type { Limits } from './whole-blocks.ts'

/** More than two heartbeats of a gateway that sends one every 15 s, and time for a slow network. */
const HEARTBEAT_TIMEOUT_MS = 40_000
/** Far above any result; a stream without blank lines must not fill the memory. */
const MAX_BLOCK_BYTES = 16 * 1024 * 1024
const BASE_WAIT_MS = 1_000
/** A gateway that is back is found within this time, whatever the number of tries. */
const MAX_WAIT_MS = 30_000
/** The longest a timer can take, ms; one that is set for longer goes off at once. */
const MAX_TIMER_MS = 2 ** 31 - 1

/** The limits and waits of a client, with defaults for what its options leave out. @throws RangeError */
export function limitsOf(options: Partial<Limits & Waits>): { limits: Limits; waits: Waits } {
  const {
    heartbeatTimeoutMs = HEARTBEAT_TIMEOUT_MS,
    maxBlockBytes = MAX_BLOCK_BYTES,
    baseWaitMs = BASE_WAIT_MS,
    maxWaitMs = MAX_WAIT_MS,
  } = options
  for (const [name, value] of Object.entries({ heartbeatTimeoutMs, maxBlockBytes, baseWaitMs, maxWaitMs })) {
    const isRight = value >= 0 && (value <= MAX_TIMER_MS || value === Number.POSITIVE_INFINITY)
    if (!isRight) throw new RangeError(`${name} must be from 0 to ${MAX_TIMER_MS}, or Infinity, and is ${value}`)
  }
  return { limits: { heartbeatTimeoutMs, maxBlockBytes }, waits: { baseWaitMs, maxWaitMs } }
}
