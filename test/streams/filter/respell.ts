import type { FieldKind, Filter, Test } from '../../../src/streams/filter/filter.ts'

/** A number from 0 to 1, and how often each way of spelling was taken. */
export interface Choice {
  readonly random: () => number
  readonly count: (rule: string) => void
}

/** Another spelling of a filter, which says the same. */
export function respell(filter: Filter, choice: Choice): Filter {
  const { random, count } = choice
  const rule = (name: string, share: number) => {
    const isTaken = random() < share
    if (isTaken) count(name)
    return isTaken
  }
  const again = (one: Filter) => respell(one, choice)
  if (rule('double not', 0.1)) return { kind: 'not', of: { kind: 'not', of: again(filter) } }
  if (rule('nested alone', 0.05)) return { kind: random() < 0.5 ? 'all' : 'any', of: [again(filter)] }
  if (filter.kind === 'not') return { kind: 'not', of: again(filter.of) }
  if (filter.kind === 'all' || filter.kind === 'any') {
    let of = shuffled(filter.of.map(again), random)
    if (of.length > 0 && rule('said twice', 0.2)) of = [...of, again(filter.of[0] as Filter)]
    if (of.length > 1 && rule('nested', 0.3)) of = [of[0] as Filter, { kind: filter.kind, of: of.slice(1) }]
    if (rule('said nothing', 0.1)) of = [...of, { kind: filter.kind, of: [] }]
    const other = filter.kind === 'all' ? 'any' : 'all'
    if (rule('De Morgan', 0.2))
      return { kind: 'not', of: { kind: other, of: of.map((one) => ({ kind: 'not', of: one })) } }
    return { kind: filter.kind, of }
  }
  return respellTest(filter, choice, rule)
}

function respellTest(test: Test, { random }: Choice, rule: (name: string, share: number) => boolean): Filter {
  const { field } = test
  const value = (one: unknown) => respellValue(field.kind, one, rule)
  switch (test.kind) {
    case 'null':
      return rule('null as a value', 0.5) ? { kind: 'in', field, values: [null] } : test
    case 'in':
    case 'hasAny':
    case 'hasAll': {
      const values = shuffled(test.values.map(value), random)
      if (values.length > 0 && rule('a value twice', 0.2)) values.push(value(values[0]))
      const parts = values.map((one) => ({ kind: test.kind, field, values: [one] }) as Filter)
      if (values.length > 0 && rule('values apart', 0.3))
        return { kind: test.kind === 'hasAll' ? 'all' : 'any', of: parts }
      if (values.length === 1 && test.kind !== 'in' && rule('any of one', 0.5))
        return { kind: test.kind === 'hasAny' ? 'hasAll' : 'hasAny', field, values }
      return { kind: test.kind, field, values }
    }
    case 'range': {
      const bounds = Object.entries(test.range).map(([operator, bound]) => ({ [operator]: bound && value(bound) }))
      if (!rule('bounds apart', 0.3)) return { kind: 'range', field, range: Object.assign({}, ...bounds) }
      return { kind: 'all', of: shuffled(bounds, random).map((range) => ({ kind: 'range', field, range })) }
    }
    default:
      return test
  }
}

function respellValue(kind: FieldKind, value: unknown, rule: (name: string, share: number) => boolean): unknown {
  if (kind === 'decimal' && typeof value === 'string' && /^-?\d+(\.\d+)?$/.test(value) && rule('zeros', 0.3))
    return value.includes('.') ? `${value}0`.replace(/^(-?)/, '$10') : `${value}.000`
  if (kind === 'instant' && value instanceof Date && !Number.isNaN(value.getTime()) && rule('another offset', 0.3))
    return new Date(value.getTime() - 5_400_000).toISOString().replace('Z', '000-01:30')
  if (kind === 'number' && Number.isInteger(value) && rule('a bigint', 0.3)) return BigInt(value as number)
  return value
}

function shuffled<T>(items: readonly T[], random: () => number): T[] {
  return items
    .map((item) => ({ item, place: random() }))
    .sort((a, b) => a.place - b.place)
    .map(({ item }) => item)
}
