import type { GraphQLField } from 'graphql'
import type { Topic } from '../streams/topic/topic.ts'
import type { Context } from './context.ts'
import type { Select } from './filter/select.ts'
import type { NoStep, Step } from './filter/step.ts'

/** Definition of a field made by `t.stream`. */
export interface StreamField<V = unknown> {
  readonly topic: Topic<V>
  /**
   * Which events its arguments select. Computed once for each operation, before any event.
   * @throws SluiceError `BAD_USER_INPUT` for a filter that means nothing, or is too large; `FORBIDDEN` for what the
   * audience may not read, or filter by.
   */
  readonly select: (args: Readonly<Record<string, unknown>>, context: Context) => Select
  /** Whether the argument `where` is the client's filter, and no argument of the definition's own. */
  readonly hasFilter: boolean
  /** Whether the field's value depends on its arguments, not only the selection of events. */
  readonly resolvesArguments: boolean
  /** Made by `t.table`: its events are rows, and the root value of an execution is a `TableItem`. */
  readonly isTable?: boolean
  /** From an event's value to the field's, where it is made from that alone, and at once. */
  readonly step: Step | NoStep
}

/** Name of the argument by which clients filter. */
export const FILTER_ARGUMENT = 'where'

export const STREAM_EXTENSION = 'sluiceStream'

/** The stream behind a subscription's root field; undefined for a field with a hand-written `subscribe`. */
export function streamFieldOf(field: GraphQLField<unknown, unknown>): StreamField | undefined {
  return field.extensions[STREAM_EXTENSION] as StreamField | undefined
}
