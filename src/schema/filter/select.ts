import type { StreamEvent } from '../../streams/event.ts'
import type { Filter } from '../../streams/filter/filter.ts'
import { type Explanation, planOf } from '../../streams/filter/plan.ts'
import type { Topic } from '../../streams/topic/topic.ts'
import type { Selection } from '../../streams/topic/where.ts'
import type { Audience } from '../context.ts'
import { boundSelection, boundsOf, type TopicBound } from '../rights/bounds.ts'

/** Which events of its topic a field's arguments select. */
export interface Select<V = unknown> {
  /** What is looked up: all events that are selected, and maybe others. */
  readonly selection: Selection<V>
  /** Undefined: the lookup says it all. What it throws is an error of the event. */
  readonly test: ((event: StreamEvent) => boolean) | undefined
  /** Key of the client's filter: equal for equal ones, however they were written. Undefined: it selects all. */
  readonly key: string | undefined
  readonly explain?: Explanation
  /** The bounds of the audience, which selection and test keep already: nothing is told of other events. */
  readonly bounds?: readonly TopicBound[] | undefined
}

/** Selects all. */
export const ALL: Filter = { kind: 'all', of: [] }

export interface Conditions {
  readonly topic: Topic
  /** The client's. */
  readonly filter: Filter
  /** The field definition's own: all events, if absent. */
  readonly where?: Selection<unknown> | undefined
  /** The field definition's own, for every other condition. It is asked last. */
  readonly predicate?: ((event: StreamEvent) => boolean) | undefined
  readonly audience: Audience
  /** The arguments that `where` was made of. Undefined: it was written by hand. */
  readonly args?: Readonly<Record<string, unknown>>
}

/**
 * The conditions together, within the bounds of the audience.
 * @throws SluiceError `BAD_USER_INPUT` for a filter that is too large; `FORBIDDEN` for what is outside of the bounds.
 */
export function selectBy({ topic, filter, where = {}, predicate, audience, args }: Conditions): Select {
  const { bounds: claimed } = audience.claims
  if (!claimed) return select(topic, filter, where, predicate)
  const bounds = boundsOf(topic, claimed)
  const bounded = boundSelection(bounds, { topic, where, filter, args })
  return { ...select(topic, filter, bounded.where, predicate, bounded.test), ...(bounds.length > 0 && { bounds }) }
}

/** `first` is the test that is asked before all others. */
function select(topic: Topic, filter: Filter, where: Selection<unknown>, predicate?: Test, first?: Test): Select {
  if (isAll(filter)) return { selection: where, test: both(first, predicate), key: undefined }
  const plan = planOf(filter, topic, where)
  const { selection, test } = plan
  return {
    selection,
    test: both(both(first, test && (({ value }: StreamEvent) => test(value))), predicate),
    key: plan.key === keyOfAll(topic) ? undefined : plan.key,
    get explain() {
      return plan.explain
    },
  }
}

function isAll(filter: Filter): boolean {
  return filter.kind === 'all' && filter.of.length === 0
}

let allKey: string | undefined

/** A filter may turn out to be true whatever the event: `{ or: [{}] }`, say. */
function keyOfAll(topic: Topic): string {
  allKey ??= planOf(ALL, topic).key
  return allKey
}

type Test = (event: StreamEvent) => boolean

function both(first: Test | undefined, second: Test | undefined): Test | undefined {
  if (!first || !second) return first ?? second
  return (event) => first(event) && second(event)
}
