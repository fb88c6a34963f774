import type { GraphQLField } from 'graphql'
import type { EventRecord } from '../streams/event.ts'
import type { Topic } from '../streams/topic/topic.ts'
import type { Where } from '../streams/topic/where.ts'
import type { Context } from './context.ts'

/**
 * Definition of a field made by `t.stream`. The three ways to select events are separate properties, because each has
 * its own cost.
 */
export interface StreamField<V = unknown> {
  readonly topic: Topic<V>
  /** Index lookup: one for each event. */
  readonly where: (args: Record<string, unknown>, context: Context) => Where<V>
  /** Predicate: run for each event of the lookup and each group. */
  readonly filter:
    | ((value: V, args: Record<string, unknown>, context: Context, record: EventRecord) => boolean)
    | undefined
  /** Whether the field's value depends on its arguments, not only the selection of events. */
  readonly resolvesArguments: boolean
  /** Made by `t.table`: its events are rows, and the root value of an execution is a `TableItem`. */
  readonly isTable?: boolean
}

export const STREAM_EXTENSION = 'sluiceStream'

/** The stream behind a subscription's root field; undefined for a field with a hand-written `subscribe`. */
export function streamFieldOf(field: GraphQLField<unknown, unknown>): StreamField | undefined {
  return field.extensions[STREAM_EXTENSION] as StreamField | undefined
}
