import type { GraphQLField } from 'graphql'
import { SluiceError } from '../errors/codes.ts'
import type { Gap, StreamEvent } from '../streams/event.ts'
import type { Feed } from '../streams/feed/feed.ts'
import { meets } from '../streams/feed/interest-index.ts'
import type { Position } from '../streams/feed/position.ts'
import { SourceUnavailable } from '../streams/source/port.ts'
import type { Topic, Where } from '../streams/topic/topic.ts'
import type { Context } from './context.ts'

/**
 * What the delivery engine knows of a field made by `t.stream`: the three ways in which a subscription chooses its
 * events are kept apart, because each is paid for differently.
 */
export interface StreamField<V = unknown> {
  readonly topic: Topic<V>
  /** Looked up in the topic's index. */
  readonly where: (args: Record<string, unknown>, context: Context) => Where<V>
  /** Run on what the lookup found. */
  readonly filter: ((value: V, args: Record<string, unknown>, context: Context) => boolean) | undefined
  /** The field's value depends on its arguments, and not only the choice of events. */
  readonly resolvesArguments: boolean
}

/** Arguments of every stream field that say where to start: no part of what a subscription asks for. */
export const POSITION_ARGUMENTS: ReadonlySet<string> = new Set(['after', 'since', 'last'])

export const STREAM_EXTENSION = 'sluiceStream'

/** The stream behind a subscription's root field; undefined for a field with a hand-written `subscribe`. */
export function streamFieldOf(field: GraphQLField<unknown, unknown>): StreamField | undefined {
  return field.extensions[STREAM_EXTENSION] as StreamField | undefined
}

/** More than this many events of the past are asked for by `since` or a cursor, which do not search the window. */
export const MAX_LAST = 10_000

/** Where the arguments of a stream field ask to start. */
export type ArgumentStart =
  | { readonly after: string }
  /** Milliseconds since the epoch. */
  | { readonly since: number }
  | { readonly last: number }

/**
 * Where the arguments ask to start; undefined: now. Of several, `after` wins over `since`, and that over `last`.
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
 * The position of a moment in a topic.
 * @throws SluiceError `NOT_READY` where the log cannot be asked now.
 */
export async function positionSince(feed: Feed, timestamp: number): Promise<Position> {
  try {
    return await feed.startSince(timestamp)
  } catch (error) {
    if (!(error instanceof SourceUnavailable)) throw error
    throw new SluiceError('NOT_READY', `The log cannot be asked now where to start: ${error.message}`)
  }
}

/** Before the newest `count` events that the field's `where` and `filter` want; one that the filter fails on is wanted. */
export function positionLast(
  feed: Feed,
  { where, filter }: StreamField,
  args: Record<string, unknown>,
  context: Context,
  count: number,
): Promise<Position> {
  const wanted = where(args, context)
  return feed.findLast(count, ({ value }) => {
    if (!meets(wanted, value)) return false
    try {
      return !filter || filter(value, args, context)
    } catch {
      return true // the client hears of it
    }
  })
}

/** The value of an item as `resolve` sees it. @throws SluiceError `CURSOR_EXPIRED` for a gap. */
export function eventValue<V>(item: StreamEvent<V> | Gap): V {
  if (item.kind === 'gap') throw gapError([item])
  return item.value
}

/** What clients are told of gaps of one topic: by partition the offsets that are gone, for people to read. */
export function gapError(gaps: readonly Gap[]): SluiceError {
  return new SluiceError('CURSOR_EXPIRED', undefined, {
    topic: gaps[0]?.topic,
    gaps: gaps.map(({ partition, from, to, reason }) => ({ partition, from, to, reason })),
  })
}
