import { SluiceError } from '../errors/codes.ts'
import type { StreamEvent } from '../streams/event.ts'
import type { Feed } from '../streams/feed/feed.ts'
import type { Position } from '../streams/feed/position.ts'
import { SourceUnavailable } from '../streams/source/port.ts'
import type { Select } from './filter/select.ts'

/** Start arguments of every stream field. They are no part of a group's key. */
export const POSITION_ARGUMENTS: ReadonlySet<string> = new Set(['after', 'since', 'last'])

/** Limit of `last`, which searches the window. For more of the past, `since` and cursors need no search. */
export const MAX_LAST = 10_000

/** The start that the arguments of a stream field name. */
export type ArgumentStart =
  | { readonly after: string }
  /** Milliseconds since the epoch. */
  | { readonly since: number }
  | { readonly last: number }

/**
 * The start that the arguments name; undefined: now. Precedence: `after`, `since`, `last`.
 * @throws SluiceError `BAD_USER_INPUT` for a `last` that is negative or too large.
 */
export function startOf({ after, since, last }: Record<string, unknown>): ArgumentStart | undefined {
  if (typeof last === 'number' && (last < 0 || last > MAX_LAST)) {
    throw new SluiceError('BAD_USER_INPUT', `"last" is a number from 0 to ${MAX_LAST}`)
  }
  if (typeof after === 'string') return { after }
  if (since instanceof Date) return { since: since.getTime() }
  return typeof last === 'number' ? { last } : undefined
}

/**
 * The position of a timestamp (ms since the epoch) in a topic.
 * @throws SluiceError `NOT_READY` while the log is unavailable.
 */
export async function positionSince(feed: Feed, timestamp: number): Promise<Position> {
  try {
    return await feed.startSince(timestamp)
  } catch (error) {
    if (!(error instanceof SourceUnavailable)) throw error
    throw new SluiceError('NOT_READY', `The log cannot be asked now where to start: ${error.message}`)
  }
}

/** The position before the newest `count` events that are selected. A test that throws counts as met. */
export function positionLast(feed: Feed, { selection, test }: Select, count: number): Promise<Position> {
  const passes = (event: StreamEvent): boolean => {
    try {
      return !test || test(event)
    } catch {
      return true // the execution of this event reports the error to the client
    }
  }
  return feed.findLast(count, passes, selection)
}
