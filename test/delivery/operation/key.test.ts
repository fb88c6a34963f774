import fc from 'fast-check'
import { parse, type ValidatedSubscriptionArgs, validateSubscriptionArgs } from 'graphql'
import { expect, test } from 'vitest'
import { canonicalJson, operationKey } from '../../../src/delivery/operation/key.ts'
import { createBuilder } from '../../../src/schema/builder.ts'
import { ANONYMOUS } from '../../../src/schema/context.ts'
import { type Paint, paints } from '../../kit/feeds.ts'
import { Statistics } from '../../kit/statistics.ts'

const schema = itemSchema()

/** An operation as it is meant: what is said, not how it is written. */
interface Meant {
  readonly root: { readonly color: string; readonly size: number }
  readonly selections: readonly Selection[]
  readonly tier: string
}
type Selection =
  | {
      readonly kind: 'field'
      readonly name: 'n' | 'text' | 'stamp' | 'search' | 'child'
      readonly alias: string | null
      readonly value: number
      readonly skip: boolean | null
      readonly inner: readonly Selection[]
    }
  | { readonly kind: 'inline'; readonly inner: readonly Selection[] }
  | { readonly kind: 'fragment'; readonly inner: readonly Selection[] }

/** How it is written: numbers that every choice is taken from, one after the other. */
type Spelling = readonly number[]

const names = ['n', 'text', 'stamp', 'search'] as const
const leaf = fc.record({
  kind: fc.constant('field' as const),
  name: fc.constantFrom(...names),
  alias: fc.constantFrom(null, null, 'a', 'b'),
  value: fc.nat(3),
  skip: fc.constantFrom(null, null, true, false),
  inner: fc.constant([]),
})
const { selections } = fc.letrec<{ selections: Selection[]; selection: Selection }>((tie) => ({
  selections: fc.array(tie('selection'), { minLength: 1, maxLength: 4 }),
  selection: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    { weight: 5, arbitrary: leaf },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant('field' as const),
        name: fc.constant('child' as const),
        alias: fc.constantFrom(null, 'a'),
        value: fc.constant(0),
        skip: fc.constantFrom(null, true),
        inner: tie('selections'),
      }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('inline', 'fragment'), inner: tie('selections') }) },
  ),
}))
const meant: fc.Arbitrary<Meant> = fc.record({
  root: fc.record({ color: fc.constantFrom('red', 'blue'), size: fc.constantFrom(3, 4) }),
  selections,
  tier: fc.constantFrom('gold', 'basic'),
})
const spelling: fc.Arbitrary<Spelling> = fc.array(fc.nat(), { minLength: 20, maxLength: 60, size: 'max' })

/** The values that an argument's number stands for, as JSON, and the type a variable of it has. */
const ARGUMENTS = {
  text: [
    { name: 'max', type: 'Int', of: (value: number) => value + 9, byDefault: 10 },
    { name: 'style', type: 'Style', of: (value: number) => (value % 2 ? 'BOLD' : 'PLAIN') },
  ],
  stamp: [{ name: 'at', type: 'DateTime', of: (value: number) => `2026-11-27T10:15:3${value}Z` }],
  search: [
    {
      name: 'filter',
      type: 'Filter',
      of: (value: number) => ({ words: ['x', String(value)], at: `2026-11-27T10:15:3${value}Z`, min: `${value}.0` }),
    },
  ],
} as const

/** Writes an operation in one of the many ways there are. */
function write({ root, selections, tier }: Meant, spelling: Spelling, seen?: Statistics) {
  let at = 0
  const choose = <T>(...options: [T, ...T[]]): T =>
    options[(spelling[at++ % spelling.length] as number) % options.length] as T
  const space = () => choose(' ', '\n', ', ', ' # a comment\n', '\t')
  const variables: Record<string, unknown> = {}
  const declared: string[] = []
  const fragments: string[] = []
  const prefix = choose('v', 'other', '_')

  const literal = (value: unknown, enumeration: boolean): string => {
    if (enumeration) return String(value)
    if (Array.isArray(value)) return `[${value.map((item) => literal(item, false)).join(space())}]`
    if (typeof value !== 'object' || value === null) return JSON.stringify(value)
    const entries = Object.entries(value).map(([name, item]) => `${name}:${literal(item, false)}`)
    return `{${(choose(true, false) ? entries.toReversed() : entries).join(space())}}`
  }
  const variable = (type: string, value: unknown): string => {
    const name = `${prefix}${declared.length}`
    declared.push(`$${name}:${space()}${type}`)
    variables[name] = value
    seen?.count('variable')
    return `$${name}`
  }
  const argument = (name: string, type: string, value: unknown, byDefault?: unknown): string[] => {
    if (value === byDefault && choose(true, false)) {
      seen?.count('default left out')
      return []
    }
    if (choose(true, false)) return [`${name}:${variable(type, value)}`]
    seen?.count('literal')
    return [`${name}: ${literal(value, type === 'Style')}`]
  }
  const inParens = (written: string[]): string => {
    if (written.length === 0) return ''
    return `(${(choose(true, false) ? written.toReversed() : written).join(space())})`
  }
  const set = (inner: readonly Selection[]): string => `{${space()}${inner.map(one).join(space())}${space()}}`
  const one = (selection: Selection): string => {
    if (selection.kind === 'inline') return `... ${choose('', 'on Item')} ${set(selection.inner)}`
    if (selection.kind === 'fragment') {
      const name = `${prefix}Fragment${fragments.length}`
      const index = fragments.push('') - 1
      fragments[index] = `fragment ${name} on Item ${set(selection.inner)}`
      seen?.count('fragment')
      return `...${name}`
    }
    const { name, alias, value, skip, inner } = selection
    const wanted = name === 'n' || name === 'child' ? [] : ARGUMENTS[name]
    const written = wanted.flatMap((each) =>
      argument(each.name, each.type, each.of(value), 'byDefault' in each ? each.byDefault : undefined),
    )
    const directive = skip === null ? '' : `@skip(${argument('if', 'Boolean!', skip)})`
    return `${alias ? `${alias}:` : ''}${name}${inParens(written)}${directive}${inner.length > 0 ? set(inner) : ''}`
  }

  const rootArguments = [
    ...argument('color', 'String!', root.color),
    ...argument('size', 'Int', root.size, 3),
    ...choose<string[]>([], argument('last', 'Int', 5), argument('since', 'DateTime', '2026-01-01T00:00:00Z')),
  ]
  const body = `{ item${inParens(rootArguments)} ${set(selections)} }`
  if (choose(true, false)) fragments.push('fragment Unused on Item { n }')
  const name = choose('', 'Named', 'Other')
  const head = `subscription ${name}${declared.length > 0 ? `(${declared.join(space())})` : ''}`
  const operation = `${head} ${body}`
  const text = (choose(true, false) ? [operation, ...fragments] : [...fragments, operation]).join('\n')
  return { text, variables, audience: { claims: { tier, roles: ['a', 'b'] } } }
}

function keyOf(text: string, variables: Record<string, unknown> = {}, audience: typeof ANONYMOUS = ANONYMOUS) {
  const args = validateSubscriptionArgs({ schema, document: parse(text), variableValues: variables })
  if (!('operation' in args)) throw args[0]
  return operationKey(args as ValidatedSubscriptionArgs, audience)
}

test('however an operation is written, its key is the same', () => {
  const statistics = new Statistics('equal operations', [
    'variable',
    'literal',
    'default left out',
    'fragment',
    'texts that differ',
  ])
  fc.assert(
    fc.property(meant, spelling, spelling, (operation, one, other) => {
      const first = write(operation, one, statistics)
      const second = write(operation, other, statistics)
      if (first.text !== second.text) statistics.count('texts that differ')
      const key = keyOf(first.text, first.variables, first.audience)
      expect(key).toBeTypeOf('string')
      expect(keyOf(second.text, second.variables, second.audience)).toBe(key)
    }),
    { numRuns: 1000 },
  )
  statistics.report()
})

/** The operation with one thing changed, somewhere; undefined where there is no such thing. */
const CHANGES: Record<string, (operation: Meant, where: number) => Meant | undefined> = {
  'root argument': (operation) => ({ ...operation, root: { ...operation.root, size: operation.root.size + 1 } }),
  audience: (operation) => ({ ...operation, tier: `${operation.tier}+` }),
  alias: (operation, where) =>
    changeField(operation, where, (field) => ({ ...field, alias: field.alias === 'a' ? 'c' : 'a' })),
  'name of a field': (operation, where) =>
    changeField(operation, where, (field) =>
      field.name === 'child' ? undefined : { ...field, name: field.name === 'n' ? 'text' : 'n' },
    ),
  'argument value': (operation, where) =>
    changeField(operation, where, (field) =>
      field.name === 'n' || field.name === 'child' ? undefined : { ...field, value: field.value + 1 },
    ),
  directive: (operation, where) =>
    changeField(operation, where, (field) => ({ ...field, skip: field.skip === null ? false : null })),
  'directive value': (operation, where) =>
    changeField(operation, where, (field) => (field.skip === null ? undefined : { ...field, skip: !field.skip })),
  'one selection more': (operation) => ({
    ...operation,
    selections: [...operation.selections, { kind: 'field', name: 'n', alias: 'more', value: 0, skip: null, inner: [] }],
  }),
  'one selection less': (operation) =>
    operation.selections.length > 1 ? { ...operation, selections: operation.selections.slice(1) } : undefined,
  'order of selections': (operation) => ({ ...operation, selections: operation.selections.toReversed() }),
}

/** An operation as text that two of them share only if they mean the same: fields without arguments have no value. */
function meaning(operation: Meant): string {
  return JSON.stringify(operation, (_key, one) =>
    one?.kind === 'field' && (one.name === 'n' || one.name === 'child') ? { ...one, value: undefined } : one,
  )
}

type Field = Extract<Selection, { kind: 'field' }>

function changeField(operation: Meant, where: number, change: (field: Field) => Field | undefined): Meant | undefined {
  let fields = 0
  const visit = (all: readonly Selection[], each: (field: Field) => Field): Selection[] =>
    all.map((one) => {
      const inner = visit(one.inner, each)
      return one.kind === 'field' ? each({ ...one, inner }) : { ...one, inner }
    })
  visit(operation.selections, (field) => {
    fields++
    return field
  })
  let index = 0
  let changed = false
  const selections = visit(operation.selections, (field) => {
    const replacement = index++ === where % fields ? change(field) : undefined
    if (replacement) changed = true
    return replacement ?? field
  })
  return changed ? { ...operation, selections } : undefined
}

test('an operation that means anything else has another key', () => {
  const statistics = new Statistics('other operations', Object.keys(CHANGES))
  fc.assert(
    fc.property(
      meant,
      fc.constantFrom(...Object.keys(CHANGES)),
      fc.nat(),
      spelling,
      spelling,
      (operation, name, where, one, other) => {
        const changed = CHANGES[name]?.(operation, where)
        fc.pre(changed !== undefined && meaning(changed) !== meaning(operation))
        const first = write(operation, one)
        const second = write(changed as Meant, other)
        expect(keyOf(second.text, second.variables, second.audience)).not.toBe(
          keyOf(first.text, first.variables, first.audience),
        )
        statistics.count(name)
      },
    ),
    { numRuns: 2000 },
  )
  statistics.report()
})

test('the order of claims makes no difference, their values and the order of lists do', () => {
  const key = (claims: Record<string, string | readonly string[]>) =>
    keyOf('subscription { item(color: "red") { n } }', {}, { claims })
  expect(key({ a: '1', b: '2' })).toBe(key({ b: '2', a: '1' }))
  expect(key({ a: '1' })).not.toBe(key({ a: '2' }))
  expect(key({ a: ['1', '2'] })).not.toBe(key({ a: ['2', '1'] }))
  expect(key({ a: '1' })).not.toBe(key({ a: ['1'] }))
})

test('two moments that are one are one, as a literal, a variable, and with another offset', () => {
  const keys = [
    keyOf('subscription { item(color: "red") { stamp(at: "2026-11-27T10:15:30Z") } }'),
    keyOf('subscription { item(color: "red") { stamp(at: "2026-11-27T11:15:30+01:00") } }'),
    keyOf('subscription ($at: DateTime) { item(color: "red") { stamp(at: $at) } }', { at: '2026-11-27T10:15:30.000Z' }),
  ]
  expect(new Set(keys).size).toBe(1)
})

test('null, an empty text and nothing are three values', () => {
  const keys = ['', '(max: null)', '(max: 0)'].map((given) =>
    keyOf(`subscription { item(color: "red") { text${given} } }`),
  )
  expect(new Set(keys).size).toBe(3)
})

test('an operation with a value that cannot be compared is shared with nobody', () => {
  expect(keyOf('subscription { item(color: "red") { opaque(key: "x") } }')).toBeUndefined()
  expect(keyOf('subscription { item(color: "red") { opaque } }')).toBeTypeOf('string')
})

test('canonical JSON tells values apart as resolvers do', () => {
  const values = [
    null,
    true,
    false,
    0,
    -0,
    1,
    '1',
    1n,
    '',
    'null',
    [],
    {},
    [null],
    [[]],
    { a: 1 },
    { a: '1' },
    { b: 1 },
    { a: 1, b: 2 },
    new Date(0),
    'Date(0)',
    Number.NaN,
    Number.POSITIVE_INFINITY,
    ['a,b'],
    ['a', 'b'],
    { 'a":1,"b': 2 },
  ]
  expect(new Set(values.map(canonicalJson)).size).toBe(values.length)
  expect(canonicalJson({ b: 1, a: 2 })).toBe(canonicalJson({ a: 2, b: 1 }))
  expect(canonicalJson(Object.assign(Object.create(null), { a: 1 }))).toBe(canonicalJson({ a: 1 }))
  for (const value of [new Map(), /x/, () => {}, Symbol('x'), undefined, new URL('http://x'), new Uint8Array(1)]) {
    expect(() => canonicalJson(value)).toThrow('no canonical form')
  }
})

function itemSchema() {
  const builder = createBuilder()
  builder.queryType({ fields: (t) => ({ ok: t.boolean({ resolve: () => true }) }) })
  const Style = builder.enumType('Style', { values: { PLAIN: { value: 1 }, BOLD: { value: 2 } } as const })
  const Filter = builder.inputType('Filter', {
    fields: (t) => ({
      words: t.stringList(),
      at: t.field({ type: 'DateTime' }),
      min: t.field({ type: 'Decimal' }),
    }),
  })
  const parseValue = (text: unknown) => new URL(`x:${text}`)
  builder.scalarType('Opaque' as never, { serialize: String, parseValue } as never)
  const Item = builder.objectRef<Paint>('Item')
  Item.implement({
    fields: (t) => ({
      n: t.exposeInt('n'),
      text: t.string({
        args: { max: t.arg.int({ defaultValue: 10 }), style: t.arg({ type: Style }) },
        resolve: ({ color }) => color,
      }),
      stamp: t.string({ args: { at: t.arg({ type: 'DateTime' }) }, resolve: ({ color }) => color }),
      search: t.string({ args: { filter: t.arg({ type: Filter }) }, resolve: ({ color }) => color }),
      opaque: t.string({ args: { key: t.arg({ type: 'Opaque' as never }) }, resolve: ({ color }) => color }),
      child: t.field({ type: Item, resolve: (item) => item }),
    }),
  })
  builder.subscriptionType({
    fields: (t) => ({
      item: t.stream({
        topic: paints,
        type: Item,
        args: { color: t.arg.string({ required: true }), size: t.arg.int({ defaultValue: 3 }) },
        where: ({ color }) => ({ color }),
      }),
    }),
  })
  return builder.toSchema()
}
