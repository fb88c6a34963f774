import type { EventRecord, StreamEvent } from '../streams/event.ts'
import type { Topic } from '../streams/topic/topic.ts'
import type { Selection } from '../streams/topic/where.ts'
import { atOnce } from './at-once.ts'
import type { Context } from './context.ts'
import type { FilterRequest, FiltersOption, StreamFilter } from './filter/filters.ts'
import { readFilter } from './filter/read.ts'
import { ALL, type Select, selectBy } from './filter/select.ts'
import { type NoStep, SAME, type Step, stepOf } from './filter/step.ts'
import { visibleParameters } from './resolver-parameters.ts'
import { FILTER_ARGUMENT, type StreamField } from './stream-field.ts'

type Args = Readonly<Record<string, unknown>>

/** The callbacks of a definition, whatever their types. */
export interface Callbacks {
  readonly where?: ((args: never, context: never) => unknown) | undefined
  readonly filter?: ((value: never, args: never, context: never, record: EventRecord) => boolean) | undefined
  readonly resolve?: ((value: never, args: never, context: never, record: EventRecord) => unknown) | undefined
}

/**
 * A stream field as it is defined. The ways to select events stay apart, because each has its own cost: `where` is
 * looked up; of the client's filter what can be looked up is, and the rest is one predicate; `filter` is run last.
 */
export class StreamDefinition implements StreamField {
  readonly topic: Topic
  readonly resolvesArguments: boolean
  readonly isTable: boolean
  readonly step: Step | NoStep
  readonly filterRequest: FilterRequest
  /** Set when the schema is built; undefined: the field takes no filter. */
  filter: StreamFilter | undefined
  readonly #callbacks: Callbacks

  constructor(topic: Topic, callbacks: Callbacks, filters: FiltersOption, isTable = false) {
    const { resolve } = callbacks
    this.topic = topic
    this.isTable = isTable
    this.resolvesArguments = resolve !== undefined && visibleParameters(resolve as never) > 1
    this.step = resolve === undefined ? SAME : stepOf(resolve as (value: never) => unknown, 'resolve')
    this.filterRequest = { option: filters, resolve }
    this.#callbacks = callbacks
  }

  get hasFilter(): boolean {
    return this.filter !== undefined
  }

  select(args: Args, context: Context): Select {
    const { where, filter } = this.#callbacks
    const { audience } = context
    const own = this.ownArgs(args)
    const given = this.hasFilter ? args[FILTER_ARGUMENT] : undefined
    return selectBy({
      topic: this.topic,
      audience,
      args: own,
      filter: this.filter && given ? readFilter(given, this.filter.shape, this.filter.step, { audience }) : ALL,
      where: (where && atOnce(where(own as never, context as never), 'where')) as Selection<unknown> | undefined,
      predicate:
        filter &&
        ((event: StreamEvent) => atOnce(filter(event.value as never, own as never, context as never, event), 'filter')),
    })
  }

  /** The arguments of the definition: its callbacks do not see the client's filter. */
  ownArgs(args: Args): Args {
    if (!this.hasFilter) return args
    const { [FILTER_ARGUMENT]: _, ...own } = args
    return own
  }
}
