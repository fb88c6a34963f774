import { InputObjectRef, type SchemaTypes } from '@pothos/core'
import type { Filter } from '../../streams/filter/filter.ts'
import type { Topic } from '../../streams/topic/topic.ts'
import type { WhereOf } from '../../streams/topic/where.ts'
import type { Context } from '../context.ts'
import { readFilter } from './read.ts'
import { ALL, type Select, selectBy } from './select.ts'
import type { FieldChoice, Shape } from './shape.ts'
import { SAME } from './step.ts'

declare const FILTER_OF: unique symbol

/** A value of a filter's input type, as an argument has it: only its `FilterRef` can read it. */
export interface FilterValue<V> {
  readonly [FILTER_OF]: V
}

export interface FilterOptions extends FieldChoice {
  /** Of the input type; that of the output type and "Filter", if absent. Filters of other fields need another name. */
  readonly name?: string
}

/**
 * The input type of conditions on an output type, for arguments of fields that are written by hand. `V`: what the output
 * type is made of, which is the value of the topic's events.
 */
export class FilterRef<Types extends SchemaTypes, V> extends InputObjectRef<Types, FilterValue<V>> {
  /** Set when the schema is built. */
  shape: Shape | undefined

  /**
   * The events of a topic that an argument selects, and a `where` of the field's own: what is looked up, and a predicate
   * for what was found. Null and undefined select all that the audience of the context may read.
   * @throws SluiceError `BAD_USER_INPUT` for a filter that means nothing, or is too large; `FORBIDDEN` for what the
   * audience may not read, or filter by.
   */
  select<I>(
    topic: Topic<V, I>,
    value: FilterValue<V> | null | undefined,
    { audience }: Pick<Context, 'audience'>,
    where?: WhereOf<NoInfer<I>>,
  ): Select<V> {
    if (!this.shape) throw new Error(`The filter ${this.name} is used before its schema was built`)
    const filter: Filter = value ? readFilter(value, this.shape, SAME, { audience }) : ALL
    return selectBy({ topic: topic as Topic, filter, where: where as never, audience })
  }
}
