import type { StreamEvent } from '../../streams/event.ts'
import type { Filter } from '../../streams/filter/filter.ts'
import { type Explanation, planOf } from '../../streams/filter/plan.ts'
import type { Topic } from '../../streams/topic/topic.ts'
import type { Selection } from '../../streams/topic/where.ts'

/** Which events of its topic a field's arguments select. */
export interface Select<V = unknown> {
  /** What is looked up: all events that are selected, and maybe others. */
  readonly selection: Selection<V>
  /** Undefined: the lookup says it all. What it throws is an error of the event. */
  readonly test: ((event: StreamEvent) => boolean) | undefined
  /** Key of the client's filter: equal for equal ones, however they were written. Undefined: it selects all. */
  readonly key: string | undefined
  readonly explain?: Explanation
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
}

/** The conditions together. @throws SluiceError `BAD_USER_INPUT` for a filter beyond the bounds. */
export function selectBy({ topic, filter, where = {}, predicate }: Conditions): Select {
  if (isAll(filter)) return { selection: where, test: predicate, key: undefined }
  const plan = planOf(filter, topic, where)
  const { selection, test } = plan
  return {
    selection,
    test: both(test && (({ value }: StreamEvent) => test(value)), predicate),
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
