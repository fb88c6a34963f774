import { SluiceError } from '../errors/codes.ts'
import { maxOf, UNKNOWN, type Vector } from '../streams/cursor/vector.ts'
import type { StreamEvent } from '../streams/event.ts'
import type { Position } from '../streams/feed/position.ts'
import { SourceUnavailable } from '../streams/source/port.ts'
import type { Audience, TopicEvents } from './context.ts'
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
  // Clients write an empty text for the position that they do not have yet.
  if (typeof after === 'string' && after !== '') return { after }
  if (since instanceof Date) return { since: since.getTime() }
  return typeof last === 'number' ? { last } : undefined
}

/**
 * The position of a timestamp (ms since the epoch) in a topic.
 * @throws SluiceError `NOT_READY` while the log is unavailable.
 */
export async function positionSince(feed: Starts, timestamp: number): Promise<Position> {
  try {
    return await feed.startSince(timestamp)
  } catch (error) {
    if (!(error instanceof SourceUnavailable)) throw error
    throw new SluiceError('NOT_READY', `The log cannot be asked now where to start: ${error.message}`)
  }
}

/**
 * The position before the newest `count` events that are selected, and are not before `floor`. A test that throws counts
 * as met.
 */
async function positionLast(
  feed: Starts,
  { selection, test }: Select,
  count: number,
  floor: Vector = [],
): Promise<Position> {
  const passes = (event: StreamEvent): boolean => {
    if (event.offset < (floor[event.partition] ?? UNKNOWN)) return false
    try {
      return !test || test(event)
    } catch {
      return true // the execution of this event reports the error to the client
    }
  }
  const position = await feed.findLast(count, passes, selection)
  // Of another partition, older events may come after the first of those that were found.
  if (floor.length > 0) position.raise(maxOf(position.vector, floor), position.seq)
  return position
}

/**
 * The position before which an audience may not read; undefined: it may read all. Its second is rounded up, so that
 * clients that come together ask the log the same.
 * @throws SluiceError `NOT_READY` while the log is unavailable.
 */
export async function floorFor(feed: Starts, { claims: { historyMs } }: Audience): Promise<Vector | undefined> {
  if (historyMs === undefined) return undefined
  const oldest = Math.ceil((Date.now() - historyMs) / 1000) * 1000
  return (await positionSince(feed, Math.max(0, oldest))).vector
}

/** How a topic's positions are found. */
type Starts = Pick<TopicEvents<unknown, unknown>, 'startAfter' | 'startSince' | 'findLast'>

/**
 * The position of a start that clients name, for an audience: what it may not read is left out, and `next` of the
 * position reports it; but for `last`, which names no position. A promise, where the log or the window is searched.
 */
export function positionAt(
  feed: Starts,
  start: ArgumentStart,
  select: Select,
  audience: Audience,
): Position | Promise<Position> {
  if ('after' in start && audience.claims.historyMs === undefined) return feed.startAfter(start.after)
  return searched(feed, start, select, audience)
}

async function searched(feed: Starts, start: ArgumentStart, select: Select, audience: Audience): Promise<Position> {
  const floor = await floorFor(feed, audience)
  if ('last' in start) return await positionLast(feed, select, start.last, floor)
  const position = 'after' in start ? feed.startAfter(start.after) : await positionSince(feed, start.since)
  return floor ? position.notBefore(floor) : position
}
