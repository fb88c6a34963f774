import type { Topic } from '../topic/topic.ts'
import type { Selection, Where } from '../topic/where.ts'
import { canonicalOf, compareCanonical } from './canonical.ts'
import type { Filter } from './filter.ts'

/** What a filter became, as plain JSON: for those who look into a running gateway. */
export interface Explanation {
  readonly lookups: readonly unknown[]
  readonly tests: readonly string[]
}

/** How the events that meet a filter are found. */
export interface Plan<V> {
  /** Equal for equal filters, however they were spelled. Never holds more than the filter does. */
  readonly key: string
  /** What is looked up: all events that meet the filter, and maybe others. Empty: nothing can match. */
  readonly selection: Selection<V>
  /** The rest of the filter, for the events that were found. Undefined: the lookup says it all. */
  readonly test: ((value: V) => boolean) | undefined
  readonly explain: Explanation
}

/** @throws SluiceError `BAD_USER_INPUT` for a filter beyond the bounds. */
export function planOf<V>(filter: Filter, _topic: Topic<V>, where: Where<V> = {}): Plan<V> {
  return {
    key: JSON.stringify(filter, (name, value) => (name === 'field' ? value.path : value)),
    selection: where,
    test: (value) => meetsFilter(filter, value),
    explain: { lookups: [where], tests: [filter.kind] },
  }
}

function meetsFilter(filter: Filter, value: unknown): boolean {
  if (filter.kind === 'all' || filter.kind === 'any') {
    const isMet = (one: Filter) => meetsFilter(one, value)
    return filter.kind === 'all' ? filter.of.every(isMet) : filter.of.some(isMet)
  }
  if (filter.kind === 'not') return !meetsFilter(filter.of, value)
  const { kind, isList } = filter.field
  const read = filter.field.read(value) ?? null
  const canonical = isList ? undefined : canonicalOf(kind, read)
  const isAmong = (values: readonly unknown[], one: unknown) =>
    one === null ? values.includes(null) : values.some((each) => canonicalOf(kind, each) === one)
  switch (filter.kind) {
    case 'null':
      return read === null
    case 'in':
      return isAmong(filter.values, read === null ? null : (canonical ?? Number.NaN))
    case 'range': {
      if (canonical === undefined) return false
      return Object.entries(filter.range).every(([operator, given]) => {
        if (given === undefined) return true
        const bound = canonicalOf(kind, given)
        if (bound === undefined) return false
        const order = compareCanonical(kind, canonical, bound)
        if (operator === 'gt') return order > 0
        if (operator === 'gte') return order >= 0
        return operator === 'lt' ? order < 0 : order <= 0
      })
    }
    case 'startsWith':
      return typeof read === 'string' && read.startsWith(filter.text)
    case 'contains':
      return typeof read === 'string' && read.includes(filter.text)
    default: {
      if (!Array.isArray(read)) return false
      const has = (wanted: unknown) =>
        read.some((item) =>
          wanted === null ? (item ?? null) === null : canonicalOf(kind, item) === canonicalOf(kind, wanted),
        )
      return filter.kind === 'hasAll' ? filter.values.every(has) : filter.values.some(has)
    }
  }
}
