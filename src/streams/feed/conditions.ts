import { SluiceError } from '../../errors/codes.ts'
import type { StreamEvent } from '../event.ts'
import type { Lookups } from '../topic/topic.ts'
import type { Selection, Where } from '../topic/where.ts'
import { Bounds, isRange } from './bounds.ts'

/**
 * Limit of combinations, of all alternatives together: enough for three lists of ten. Each is an entry in the index, and
 * a posting list.
 */
export const MAX_COMBINATIONS = 1000

/** A value that is one of several. */
export interface Equality {
  readonly property: string
  readonly read: (event: StreamEvent) => unknown
  readonly values: ReadonlySet<unknown>
}

/** The conditions of one `Where`, all of which must hold. */
export interface Conjunction {
  /** Of indexed values, by name. */
  readonly equalities: readonly Equality[]
  /** Of values that are ordered only: what is looked up for these is the range around them. */
  readonly unindexed: readonly Equality[]
  /** In the order in which the topic names its ordered values. */
  readonly ranges: readonly Bounds[]
}

/** The conditions of a selection, read once. An event meets them if it meets one of the alternatives. */
export class Conditions<V> {
  /** Those that an event can meet. */
  readonly alternatives: readonly Conjunction[]

  /**
   * @throws SluiceError `BAD_USER_INPUT` for a selection of more than MAX_COMBINATIONS combinations of values.
   * @throws TypeError if it names what is not indexed, or has a range of what is not ordered.
   */
  constructor(lookups: Lookups, selection: Selection<V>) {
    const wheres = (Array.isArray(selection) ? selection : [selection]) as readonly Where<V>[]
    let left = MAX_COMBINATIONS
    const alternatives: Conjunction[] = []
    for (const where of wheres) {
      const conjunction = conjunctionOf(lookups, where)
      const combinations = combinationsOf(conjunction)
      // Also those that nothing can meet have to be looked at.
      left -= Math.max(1, combinations)
      if (left < 0)
        throw new SluiceError('BAD_USER_INPUT', `The filter asks for more than ${MAX_COMBINATIONS} combinations`)
      if (combinations > 0) alternatives.push(conjunction)
    }
    this.alternatives = alternatives
  }

  /** Those of a selection, unless it has been read already. */
  static of<V>(lookups: Lookups, selection: Selection<V> | Conditions<V>): Conditions<V> {
    return selection instanceof Conditions ? selection : new Conditions(lookups, selection)
  }

  /** Whether an event meets the selection: the predicate that the index evaluates for all interests at once. */
  meets(event: StreamEvent<V>): boolean {
    for (const alternative of this.alternatives) if (meetsAll(alternative, event)) return true
    return false
  }
}

/** The values of which a condition wants one. */
function valuesOf(wanted: unknown): ReadonlySet<unknown> {
  const isList = typeof wanted === 'object' && wanted !== null && 'in' in wanted
  return new Set(isList ? (wanted.in as readonly unknown[]) : [wanted])
}

function conjunctionOf({ indexed, ordered }: Lookups, where: object): Conjunction {
  const equalities: Equality[] = []
  const unindexed: Equality[] = []
  const ranges = new Map<string, Bounds | undefined>()
  for (const [property, wanted] of Object.entries(where)) {
    if (wanted === undefined) continue
    const order = ordered.get(property)
    if (isRange(wanted)) {
      if (order === undefined) throw new TypeError(`The topic is not ordered by "${property}"`)
      ranges.set(property, Bounds.of(order, wanted))
      continue
    }
    const values = valuesOf(wanted)
    const read = indexed.get(property)
    if (read) equalities.push({ property, read, values })
    else if (order) {
      unindexed.push({ property, read: order.value, values })
      ranges.set(property, Bounds.around(order, values))
    } else throw new TypeError(`The topic is not indexed by "${property}"`)
  }
  equalities.sort((a, b) => (a.property < b.property ? -1 : 1))
  const inOrder = [...ordered.keys()].map((name) => ranges.get(name))
  return { equalities, unindexed, ranges: inOrder.filter((bounds) => bounds !== undefined) }
}

/** Number of combinations of indexed values; 0 if no event can meet the conditions. */
function combinationsOf({ equalities, ranges }: Conjunction): number {
  if (ranges.some(({ isEmpty }) => isEmpty)) return 0
  return equalities.reduce((product, { values }) => product * values.size, 1)
}

function meetsAll({ equalities, unindexed, ranges }: Conjunction, event: StreamEvent): boolean {
  for (const { values, read } of equalities) if (!values.has(read(event))) return false
  for (const bounds of ranges) if (!bounds.admits(bounds.ordered.read(event), event)) return false
  for (const { values, read } of unindexed) if (!values.has(read(event))) return false
  return true
}
