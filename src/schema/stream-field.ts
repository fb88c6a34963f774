import type { GraphQLField } from 'graphql'
import { SluiceError } from '../errors.ts'
import type { Gap, StreamEvent } from '../streams/event.ts'
import type { Topic, Where } from '../streams/topic.ts'
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

/** @throws SluiceError `START_UNSUPPORTED` if the arguments ask to start anywhere but now. */
export function checkStart(args: Record<string, unknown>): void {
  for (const name of POSITION_ARGUMENTS) {
    if (args[name] !== undefined && args[name] !== null) throw new SluiceError('START_UNSUPPORTED')
  }
}

/** The value of an item as `resolve` sees it. @throws SluiceError `CURSOR_EXPIRED` for a gap. */
export function eventValue<V>(item: StreamEvent<V> | Gap): V {
  if (item.kind === 'gap') throw gapError(item)
  return item.value
}

/** What clients are told of a gap: by partition the offsets that are gone, for people to read. */
export function gapError({ topic, partition, from, to, reason }: Gap): SluiceError {
  return new SluiceError('CURSOR_EXPIRED', undefined, { topic, gaps: [{ partition, from, to, reason }] })
}
