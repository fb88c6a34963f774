import type { Topic } from '../topic/topic.ts'
import type { Selection, Where } from '../topic/where.ts'
import { demandBounds } from './bounds.ts'
import { compile } from './compile.ts'
import { type Explanation, explain } from './explain.ts'
import type { Filter } from './filter.ts'
import { type Lookup, lookUp } from './lookup.ts'
import { Group, isTrue, type Node } from './node.ts'
import { normalize } from './normalize.ts'
import { conditionOf, type Names, type Wanted, wantedIn } from './wanted.ts'

export type { Explanation }

/** How the events that meet a filter are found. */
export interface Plan<V> {
  /** Equal for equal filters, however they were spelled. Of bounded length. */
  readonly key: string
  /** What is looked up: all events that meet the filter, and maybe others. Empty: nothing can match. */
  readonly selection: Selection<V>
  /** The rest of the filter, for the events that were found. Undefined: the lookup says it all. */
  readonly test: ((value: V) => boolean) | undefined
  readonly explain: Explanation
}

/**
 * Plans a filter on the events that `where`, the selection of the field's definition, has.
 * @throws SluiceError `BAD_USER_INPUT` for a filter beyond its bounds.
 */
export function planOf<V>(filter: Filter, topic: Topic<V>, where: Selection<V> = {}): Plan<V> {
  demandBounds(filter)
  const node = normalize(filter)
  const given = lookupsOf(where, topic)
  const { alternatives, rest } = lookUp(node.kind === 'all' ? node.of : [node], given, topic)
  const selection = selectionOf<V>(alternatives)
  const left = nodeOf(alternatives.length === 0 ? [] : rest)
  let test: Plan<V>['test']
  return {
    key: node.key,
    selection,
    // Both are made when they are asked for: a filter that is in use already is planned for its key.
    get test() {
      if (!isTrue(left)) test ??= compile(left)
      return test
    },
    get explain() {
      return explain(selection, left)
    },
  }
}

function nodeOf(parts: readonly Node[]): Node {
  return parts.length === 1 ? (parts[0] as Node) : new Group('all', parts)
}

/** A definition's alternatives, without those that nothing meets. */
function lookupsOf<V>(where: Selection<V>, names: Names): readonly Lookup[] {
  const alternatives: readonly Where<V>[] = Array.isArray(where) ? where : [where as Where<V>]
  return alternatives.flatMap((one) => {
    const lookup = new Map<string, Wanted>()
    for (const [name, condition] of Object.entries(one)) {
      const wanted = wantedIn(condition, name, names)
      if (!wanted) return []
      if (wanted !== 'any') lookup.set(name, wanted)
    }
    return [lookup]
  })
}

function selectionOf<V>(alternatives: readonly Lookup[]): Selection<V> {
  const wheres = alternatives.map(
    (lookup) => Object.fromEntries(Array.from(lookup, ([name, wanted]) => [name, conditionOf(wanted)])) as Where<V>,
  )
  return wheres.length === 1 ? (wheres[0] as Where<V>) : wheres
}
