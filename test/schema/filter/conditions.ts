import fc from 'fast-check'
import type { Item } from './shop.ts'

/*
 * Values of `ItemFilter`, and what they mean, without anything of the product: each is asked of an item as it reads.
 */

/** Conditions as JSON has them: enums by their names. */
export type Conditions = { readonly [name: string]: unknown }

/** How each field is read and compared. The values are few, so that each operator holds now and then. */
interface Field {
  readonly read: (item: Item) => unknown
  readonly values: fc.Arbitrary<string | number | boolean>
  /** Equal for equal values; ordered as they are. */
  readonly canonical: (value: unknown) => unknown
  readonly operators: readonly string[]
}

const EQUALITY = ['eq', 'ne', 'in', 'notIn']
const ORDER = [...EQUALITY, 'gt', 'gte', 'lt', 'lte']
const TEXT = [...EQUALITY, 'startsWith', 'contains']
const LIST = ['has', 'hasAny', 'hasAll']

const words = fc.constantFrom('a', 'b', 'ab', 'ba')
const numbers = fc.integer({ min: 0, max: 4 })
const colors = fc.constantFrom('RED', 'GREEN')
const same = (value: unknown) => value
const lowerCase = (value: unknown) => String(value).toLowerCase()

/** By path. Names of enums are not case sensitive here: they differ by their case from the internal values. */
const FIELDS: Readonly<Record<string, Field>> = {
  id: { read: ({ id }) => id, values: words, canonical: same, operators: EQUALITY },
  n: { read: ({ n }) => n, values: numbers, canonical: same, operators: ORDER },
  weight: { read: ({ weight }) => weight, values: numbers, canonical: same, operators: [...ORDER, 'isNull'] },
  madeAt: {
    read: ({ madeAt }) => madeAt,
    values: fc.constantFrom('2026-01-01T00:00:00Z', '2026-01-01T02:00:00+02:00', '2026-01-01T00:00:01Z'),
    canonical: (value) => Date.parse(value as string),
    operators: ORDER,
  },
  color: { read: ({ color }) => color, values: colors, canonical: lowerCase, operators: EQUALITY },
  isSold: { read: ({ isSold }) => isSold, values: fc.boolean(), canonical: same, operators: ['eq', 'ne'] },
  note: { read: ({ note }) => note, values: words, canonical: same, operators: [...TEXT, 'isNull'] },
  tags: { read: ({ tags }) => tags, values: words, canonical: same, operators: LIST },
  sizes: { read: ({ sizes }) => sizes, values: numbers, canonical: same, operators: [...LIST, 'isNull'] },
  shades: { read: ({ shades }) => shades, values: colors, canonical: lowerCase, operators: LIST },
  'price.amount': {
    read: ({ price }) => price,
    values: fc.constantFrom('1', '1.00', '2.5', '10'),
    canonical: Number,
    operators: ORDER,
  },
  'maker.name': { read: ({ maker }) => maker.name, values: words, canonical: same, operators: TEXT },
  'maker.town.name': { read: ({ maker }) => maker.town?.name, values: words, canonical: same, operators: TEXT },
  label: {
    read: ({ color, n }) => `${color} ${n}`,
    values: fc.constantFrom('red 1', 'green', 'red', '2'),
    canonical: same,
    operators: TEXT,
  },
}

const OBJECTS: Readonly<Record<string, (item: Item) => unknown>> = { 'maker.town': ({ maker }) => maker.town }

export const OPERATORS = [...new Set(Object.values(FIELDS).flatMap(({ operators }) => operators))]

function operandOf(operator: string, values: Field['values']): fc.Arbitrary<unknown> {
  if (operator === 'isNull') return fc.boolean()
  if (['in', 'notIn', 'hasAny', 'hasAll'].includes(operator)) return fc.array(values, { maxLength: 3 })
  const mayBeNull = operator === 'eq' || operator === 'ne'
  return mayBeNull ? fc.oneof({ weight: 6, arbitrary: values }, fc.constant(null)) : values
}

const condition: fc.Arbitrary<Conditions> = fc.oneof(
  ...Object.entries(FIELDS).map(([path, { values, operators }]) =>
    fc
      .array(
        fc
          .constantFrom(...operators)
          .chain((operator) => operandOf(operator, values).map((value) => [operator, value])),
        { minLength: 1, maxLength: 2 },
      )
      .map((pairs) => nested(path, Object.fromEntries(pairs))),
  ),
  fc.boolean().map((isNull) => nested('maker.town', { isNull })),
)

function nested(path: string, conditions: Conditions): Conditions {
  return path.split('.').reduceRight<Conditions>((inner, name) => ({ [name]: inner }), conditions)
}

/** Filters up to three levels deep. */
export const filters: fc.Arbitrary<Conditions> = fc.letrec<{ filter: Conditions }>((tie) => ({
  filter: fc.oneof(
    { maxDepth: 3, depthIdentifier: 'filter' },
    { weight: 4, arbitrary: condition },
    { weight: 1, arbitrary: fc.tuple(condition, condition).map(([a, b]) => ({ ...a, ...b })) },
    { weight: 2, arbitrary: fc.array(tie('filter'), { maxLength: 3 }).map((and) => ({ and })) },
    { weight: 2, arbitrary: fc.array(tie('filter'), { maxLength: 3 }).map((or) => ({ or })) },
    { weight: 1, arbitrary: tie('filter').map((not) => ({ not })) },
  ),
})).filter

/** A part of a filter, with what it says of an item, for statistics. */
export type Tell = (operator: string, holds: boolean) => void

/** Whether an item meets a filter, read as the documents say it. */
export function meets(conditions: Conditions, item: Item, tell: Tell, path = ''): boolean {
  // Each is asked, whatever the others say: `tell` counts them all.
  const answers = Object.entries(conditions).map(([name, value]) => {
    if (name === 'and') return (value as Conditions[]).map((each) => meets(each, item, tell, path)).every(Boolean)
    if (name === 'or') return (value as Conditions[]).map((each) => meets(each, item, tell, path)).some(Boolean)
    if (name === 'not') return !meets(value as Conditions, item, tell, path)
    if (name === 'isNull') return (OBJECTS[path.slice(0, -1)]?.(item) === null) === value
    const inner = `${path}${name}`
    const field = FIELDS[inner]
    if (!field) return meets(value as Conditions, item, tell, `${inner}.`)
    return Object.entries(value as Conditions)
      .map(([operator, operand]) => {
        const holds = holdsOf(operator, operand, field, field.read(item) ?? null)
        tell(operator, holds)
        return holds
      })
      .every(Boolean)
  })
  return answers.every(Boolean)
}

function holdsOf(operator: string, operand: unknown, { canonical }: Field, value: unknown): boolean {
  const equals = (a: unknown, b: unknown) => (a === null || b === null ? a === b : canonical(a) === canonical(b))
  const operands = Array.isArray(operand) ? operand : [operand]
  const has = (wanted: unknown) => (value as unknown[]).some((each) => equals(each, wanted))
  switch (operator) {
    case 'eq':
    case 'in':
      return operands.some((each) => equals(each, value))
    case 'ne':
    case 'notIn':
      return !operands.some((each) => equals(each, value))
    case 'isNull':
      return (value === null) === operand
    default:
      if (value === null) return false
  }
  switch (operator) {
    case 'startsWith':
      return (value as string).startsWith(operand as string)
    case 'contains':
      return (value as string).includes(operand as string)
    case 'has':
    case 'hasAll':
      return operands.every(has)
    case 'hasAny':
      return operands.some(has)
  }
  const [a, b] = [canonical(value) as number, canonical(operand) as number]
  return { gt: a > b, gte: a >= b, lt: a < b, lte: a <= b }[operator] as boolean
}

export const someItems: fc.Arbitrary<Item> = fc.record({
  id: words,
  n: numbers,
  weight: fc.option(numbers),
  price: fc.constantFrom('1', '1.0', '2.50', '10.00', '-3'),
  madeAt: fc.constantFrom('2026-01-01T00:00:00Z', '2026-01-01T00:00:00.000+00:00', '2026-01-01T00:00:02Z'),
  color: fc.constantFrom('red', 'green'),
  isSold: fc.boolean(),
  note: fc.option(words, { freq: 2 }),
  tags: fc.array(words, { maxLength: 3 }),
  sizes: fc.option(fc.array(numbers, { maxLength: 3 }), { freq: 3 }),
  shades: fc.array(fc.constantFrom('red', 'green'), { maxLength: 2 }),
  version: fc.constant('1'),
  maker: fc.record({ name: words, town: fc.option(fc.record({ name: words }), { freq: 2 }) }),
  category: fc.constant(null),
})
