import fc from 'fast-check'
import type { Filter, Test } from '../../../src/streams/filter/filter.ts'
import { CONSTANTS, FIELDS, type FieldName, HALVES, STRANGE } from './shop.ts'

/** An operator of a kind, by the name that the statistics have for it. */
export type Named = { readonly name: string; readonly test: Test }

const SCALARS = Object.keys(FIELDS).filter((name) => !FIELDS[name as FieldName].isList) as FieldName[]
const LISTS = Object.keys(FIELDS).filter((name) => FIELDS[name as FieldName].isList) as FieldName[]

function constantsOf(name: FieldName): fc.Arbitrary<unknown> {
  const { kind } = FIELDS[name]
  if (kind === 'object') return fc.constant(null)
  return fc.oneof(
    { weight: 12, arbitrary: CONSTANTS[kind] },
    { weight: 2, arbitrary: fc.constant(null) },
    { weight: 1, arbitrary: STRANGE.filter((value) => value !== undefined) },
  )
}

function testsOf(name: FieldName): fc.Arbitrary<Named>[] {
  const field = FIELDS[name]
  const { kind, isList } = field
  const named = (operator: string, test: fc.Arbitrary<Test>) =>
    test.map((one) => ({ name: `${operator} of ${isList ? `list of ${kind}` : kind}`, test: one }))
  const isNull = named('null', fc.constant({ kind: 'null', field }))
  if (kind === 'object') return [isNull]
  const values = fc.array(constantsOf(name), { minLength: 0, maxLength: 3 })
  if (isList) {
    return [
      isNull,
      named(
        'hasAll',
        fc.array(constantsOf(name), { maxLength: 2 }).map((of) => ({ kind: 'hasAll', field, values: of })),
      ),
      named(
        'hasAny',
        values.map((of) => ({ kind: 'hasAny', field, values: of })),
      ),
    ]
  }
  const tests = [
    isNull,
    named(
      'eq',
      constantsOf(name).map((value) => ({ kind: 'in', field, values: [value] })),
    ),
    named(
      'in',
      fc.array(constantsOf(name), { maxLength: 7 }).map((of) => ({ kind: 'in', field, values: of })),
    ),
  ]
  if (kind === 'number' || kind === 'decimal' || kind === 'instant') {
    const any = constantsOf(name)
    const half = fc.constantFrom('gt', 'gte', 'lt', 'lte').chain((operator) => fc.record({ [operator]: any }))
    tests.push(
      named(
        'half range',
        half.map((range) => ({ kind: 'range', field, range })),
      ),
    )
    const [low, high] = HALVES[kind].map((half) =>
      fc.oneof({ weight: 20, arbitrary: half }, { weight: 1, arbitrary: any }),
    )
    const whole = fc.record({ gt: low, gte: low, lt: high, lte: high } as never, { requiredKeys: [] })
    tests.push(
      named(
        'range',
        whole.map((range) => ({ kind: 'range', field, range })),
      ),
    )
  }
  if (kind === 'text') {
    const text = fc.constantFrom('', 'a', 'ab', 'b', 'c', '__proto__')
    tests.push(
      named(
        'startsWith',
        text.map((one) => ({ kind: 'startsWith', field, text: one })),
      ),
    )
    tests.push(
      named(
        'contains',
        text.map((one) => ({ kind: 'contains', field, text: one })),
      ),
    )
  }
  return tests
}

/** Conditions on one field, each operator as often as any other. */
export const tests: fc.Arbitrary<Named> = fc.oneof(...[...SCALARS, ...LISTS].flatMap(testsOf))

/** Filters of any depth, of these conditions. */
function treesOf(conditions: fc.Arbitrary<Named>): fc.Arbitrary<Filter> {
  return fc.letrec<{ filter: Filter }>((tie) => {
    const parts = fc.array(tie('filter'), { maxLength: 3 })
    return {
      filter: fc.oneof(
        { maxDepth: 4, depthSize: 'small', withCrossShrink: true },
        { weight: 3, arbitrary: conditions.map(({ test }) => test) },
        { weight: 2, arbitrary: parts.map((of) => ({ kind: 'all' as const, of })) },
        { weight: 2, arbitrary: parts.map((of) => ({ kind: 'any' as const, of })) },
        { weight: 1, arbitrary: tie('filter').map((of) => ({ kind: 'not' as const, of })) },
      ),
    }
  }).filter
}

/** Several conditions on one field or two, which are to be merged. */
const crowded: fc.Arbitrary<Filter> = fc
  .uniqueArray(fc.constantFrom(...SCALARS, ...LISTS), { minLength: 1, maxLength: 2 })
  .chain((names) => fc.array(fc.oneof(...names.flatMap(testsOf)), { minLength: 2, maxLength: 7 }))
  .chain((conditions) => {
    const some = conditions.map(({ test }) => test)
    const others = some.map((one, i): Filter => (i % 2 === 0 ? one : { kind: 'not', of: one }))
    const [first, ...rest] = others as [Filter, ...Filter[]]
    return fc.constantFrom<Filter>(
      { kind: 'all', of: some },
      { kind: 'any', of: some },
      { kind: 'all', of: others },
      { kind: 'any', of: others },
      { kind: 'all', of: [first, { kind: 'any', of: rest }] },
    )
  })

export const filters: fc.Arbitrary<Filter> = fc.oneof(treesOf(tests), crowded)
