import type { GraphQLField } from 'graphql'
import { SluiceError } from '../errors/codes.ts'
import type { StreamEvent } from '../streams/event.ts'
import type { ThrottleMode, ThrottleRule } from '../streams/throttle/throttle.ts'
import { ANONYMOUS, type Audience } from './context.ts'
import { keysOf } from './throttle-key.ts'

/** Shorter intervals save nothing: under load, frames wait up to 25 ms for their flush. */
export const MIN_EVERY_MS = 50
/** Streams are closed after an hour, by default: a longer interval would have one event a stream. */
export const MAX_EVERY_MS = 3_600_000

/** The argument that throttles a stream field: a part of a group's key, and not of its results. */
export const THROTTLE_ARGUMENT = 'throttle'

export const THROTTLE_MODES = {
  FIRST: { description: 'Those that follow within the interval are dropped.' },
  LATEST: { description: "The latest of those that follow goes out at the interval's end. None after it is skipped." },
}

/** The throttle of a subscription. */
export interface Throttling extends ThrottleRule {
  /** Events of one key share an interval. Never throws. */
  readonly keyOf: (event: StreamEvent) => unknown
}

/** The argument's coerced value. */
interface ThrottleInput {
  readonly everyMs: number
  readonly mode: ThrottleMode
  readonly by?: string | null
}

/**
 * The throttle that a stream field's arguments ask for; undefined: none.
 * @throws SluiceError `BAD_USER_INPUT` for an interval beyond the limits, and a `by` that is no path of the field's type;
 * `FORBIDDEN` for a path that the audience may not select.
 */
export function throttlingOf(
  args: Readonly<Record<string, unknown>>,
  field: Pick<GraphQLField<unknown, unknown>, 'type' | 'extensions'>,
  audience: Audience = ANONYMOUS,
): Throttling | undefined {
  const given = args[THROTTLE_ARGUMENT] as ThrottleInput | null | undefined
  if (!given) return undefined
  const { everyMs, mode, by } = given
  if (everyMs < MIN_EVERY_MS || everyMs > MAX_EVERY_MS) {
    const message = `"throttle.everyMs" is a number of milliseconds from ${MIN_EVERY_MS} to ${MAX_EVERY_MS}`
    throw new SluiceError('BAD_USER_INPUT', message)
  }
  return { everyMs, mode, keyOf: by === undefined || by === null ? () => undefined : keysOf(field, by, audience) }
}

/** The same for equal throttles, however they were written. */
export function canonicalThrottle(value: unknown): object | undefined {
  if (!value) return undefined
  const { everyMs, mode, by } = value as ThrottleInput
  return { everyMs, mode, ...(typeof by === 'string' && { by }) }
}
