import fc from 'fast-check'

/** What values of a generated topic are, from which its records are made. */
export type Spec =
  | { readonly of: 'leaf'; readonly leaf: Leaf }
  | { readonly of: 'list'; readonly item: Spec; readonly mayBeNull: boolean }
  | { readonly of: 'map'; readonly item: Spec }
  | { readonly of: 'union'; readonly by: string; readonly kinds: ReadonlyMap<string, ObjectSpec> }
  | ObjectSpec

export interface ObjectSpec {
  readonly of: 'object'
  readonly properties: ReadonlyMap<string, PropertySpec>
}

export interface PropertySpec {
  readonly spec: Spec
  readonly mayBeAbsent: boolean
  readonly mayBeNull: boolean
}

/** Strings of persons, which must not be in a project: each has a mark by which it is found. */
export const MARK = 'zq'
/** Names become files and types in letters of another case, without what is no letter. */
const hasNoMark = (name: string) =>
  !name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]/g, '')
    .includes(MARK)
const secret = fc
  .tuple(fc.constantFrom('Jane', 'anna', 'BOB', 'x@', '+49', "it's */", '`${', '\u2028', 'ü'), fc.nat({ max: 1e9 }))
  .map(([start, number]) => `${start}${MARK}${number}`)

const LEAVES = {
  text: secret,
  repeated: fc.constantFrom(`bob${MARK}`, `ann${MARK}@example.com`, `Jane ${MARK}`),
  status: fc.constantFrom('PAID', 'open', 'part-paid', 'x1'),
  decimalText: fc.integer({ min: -1e9, max: 1e9 }).map((cents) => (cents / 100).toFixed(2)),
  amount: fc.integer({ min: -1e9, max: 1e9 }).map((cents) => cents / 100),
  int: fc.integer({ min: -1000, max: 1000 }),
  long: fc.maxSafeInteger(),
  float: fc.double({ noDefaultInfinity: true, noNaN: true }),
  huge: fc.constantFrom(2 ** 60, 1e300, 7),
  seconds: fc.integer({ min: 1e9, max: 2e9 }),
  milliseconds: fc.integer({ min: 1e12, max: 2e12 }),
  microseconds: fc.integer({ min: 1e15, max: 2e15 }),
  time: fc.date({ min: new Date(0), max: new Date(4e12), noInvalidDate: true }).map((date) => date.toISOString()),
  localTime: fc.date({ min: new Date(0), max: new Date(4e12), noInvalidDate: true }).map((date) => date.toISOString().slice(0, 19)), // biome-ignore format: one line
  date: fc.date({ min: new Date(0), max: new Date(4e12), noInvalidDate: true }).map((date) => date.toISOString().slice(0, 10)), // biome-ignore format: one line
  boolean: fc.boolean(),
  nothing: fc.constant(null),
  mixed: fc.oneof(secret, fc.integer(), fc.constant([]), fc.constant({})),
  empty: fc.constantFrom({}, {}),
  emptyList: fc.constant([]),
  emptyOrText: fc.constantFrom('', '12.5', '2026-01-02T03:04:05Z'),
} as const
export type Leaf = keyof typeof LEAVES

/** Names that records have, and names that a project cannot have. */
const NAMES = [
  'id',
  'amount',
  'status',
  'type',
  'created_at',
  'updatedAt',
  'first-name',
  'class',
  '__typename',
  '1st',
  'größe',
  'a_b',
  'aB',
  'a-b',
  '',
  "it's */",
  'constructor',
  'toString',
  '__proto__',
  'hasOwnProperty',
  'last',
  'where',
  'and',
  'isNull',
  'value',
  'key',
  'record',
  'z',
  'filter',
  'change',
  '数',
  'line\nfeed\u2028',
  `\${x}\``,
  'customerId',
  'total',
  'ts',
  'length',
  'prototype',
] // prettier-ignore

const names = fc.oneof(
  { weight: 9, arbitrary: fc.constantFrom(...NAMES) },
  { weight: 1, arbitrary: fc.string().filter(hasNoMark) },
)

const { spec } = fc.letrec<{ spec: Spec; leaf: Spec; object: ObjectSpec }>((tie) => ({
  spec: fc.oneof(
    { maxDepth: 3 },
    { weight: 6, arbitrary: tie('leaf') },
    { weight: 3, arbitrary: tie('object') },
    {
      weight: 2,
      arbitrary: fc.record({ of: fc.constant('list' as const), item: tie('spec'), mayBeNull: fc.boolean() }),
    },
    { weight: 1, arbitrary: fc.record({ of: fc.constant('map' as const), item: tie('spec') }) },
    {
      weight: 1,
      arbitrary: fc.record({
        of: fc.constant('union' as const),
        by: fc.constantFrom('type', 'event_type', '__typename'),
        kinds: fc
          .tuple(tie('object'), tie('object'))
          .map(([one, other]) => new Map([['created', one], ['part-2', other]])), // biome-ignore format: one line
      }),
    },
  ),
  leaf: fc.record({ of: fc.constant('leaf' as const), leaf: fc.constantFrom(...(Object.keys(LEAVES) as Leaf[])) }),
  object: fc.record({
    of: fc.constant('object' as const),
    properties: fc
      .uniqueArray(
        fc.tuple(names, fc.record({ spec: tie('spec'), mayBeAbsent: fc.boolean(), mayBeNull: fc.boolean() })),
        {
          maxLength: 8,
          selector: ([name]) => name,
        },
      )
      .map((entries) => new Map(entries)),
  }),
}))

/** Values of a spec. */
function valuesOf(of: Spec): fc.Arbitrary<unknown> {
  switch (of.of) {
    case 'leaf':
      return LEAVES[of.leaf]
    case 'list':
      return fc.array(of.mayBeNull ? fc.option(valuesOf(of.item), { freq: 3 }) : valuesOf(of.item), { maxLength: 3 })
    case 'map':
      // In one record alone, a name that does not look like data is taken for a property's.
      return fc
        .array(
          fc.tuple(
            secret.map((key) => `${key}@`),
            valuesOf(of.item),
          ),
          { maxLength: 3 },
        )
        .map(Object.fromEntries)
    case 'union':
      return fc.oneof(...[...of.kinds].map(([kind, object]) => valuesOf(object).map((value) => withOwn(value, of.by, kind)))) // biome-ignore format: one line
    case 'object':
      return objectsOf(of)
  }
}

function objectsOf({ properties }: ObjectSpec): fc.Arbitrary<object> {
  const parts = [...properties].map(([name, { spec: inner, mayBeAbsent, mayBeNull }]) => {
    const value = mayBeNull ? fc.option(valuesOf(inner), { freq: 3 }) : valuesOf(inner)
    return (mayBeAbsent ? fc.option(value, { nil: undefined, freq: 3 }) : value).map((each) => [name, each] as const)
  })
  return fc.tuple(...parts).map((entries) => {
    let object: object = {}
    for (const [name, value] of entries) if (value !== undefined) object = withOwn(object, name, value)
    return object
  })
}

/** As `JSON.parse` makes it: `__proto__` is a property. */
function withOwn(object: unknown, name: string, value: unknown): object {
  const own = { ...(object as object) }
  Object.defineProperty(own, name, { value, enumerable: true, configurable: true, writable: true })
  return own
}

export interface GeneratedRecord {
  readonly key: string | null
  readonly value: unknown
}

export interface GeneratedTopic {
  readonly name: string
  readonly spec: Spec
  readonly records: readonly GeneratedRecord[]
}

const leaf = (kind: Leaf): Spec => ({ of: 'leaf', leaf: kind })
const property = (of: Spec, more: Partial<PropertySpec> = {}): PropertySpec => ({
  spec: of,
  mayBeAbsent: false,
  mayBeNull: false,
  ...more,
})

/** What records usually have, under the names that these usually have: random names say little of their values. */
const USUAL: ObjectSpec = {
  of: 'object',
  properties: new Map([
    ['status', property(leaf('status'), { mayBeNull: true })],
    ['first-name', property(leaf('repeated'))],
    ['created_at', property(leaf('seconds'), { mayBeAbsent: true })],
    ['updatedAt', property(leaf('milliseconds'))],
    ['ts', property(leaf('microseconds'))],
    ['total', property(leaf('amount'))],
    ['price', property(leaf('decimalText'))],
    ['paidAt', property(leaf('time'))],
    ['paidOn', property(leaf('date'))],
    ['size', property(leaf('long'))],
    ['notes', property({ of: 'list', item: leaf('text'), mayBeNull: true })],
    ['attributes', property({ of: 'map', item: leaf('int') })],
    ['mixed', property(leaf('mixed'))],
    [
      'change',
      property({
        of: 'union',
        by: 'type',
        kinds: new Map([
          ['created', { of: 'object', properties: new Map([['by', property(leaf('text'))]]) }],
          ['deleted', { of: 'object', properties: new Map([['reason', property(leaf('text'))]]) }],
        ]),
      }),
    ],
  ]),
}

const TOPICS = [
  'payments',
  'payment',
  'my-topic.v1',
  'my_topic-v1',
  'events',
  'class',
  'query',
  'z',
  '1st',
  'String',
  'order.filter',
]

const topicName = fc.oneof(fc.constantFrom(...TOPICS), fc.stringMatching(/^[a-zA-Z0-9._-]{1,30}$/)).filter(isOwn)

/** Names of the usual topics are theirs alone; Kafka has no topics of dots. */
function isOwn(name: string): boolean {
  return !['usual', 'scalars', '.', '..'].includes(name) && hasNoMark(name)
}

/** Records without a value are tombstones; few are also looked at. */
const recordsOf = (of: Spec, count: number, hasKeys: boolean): fc.Arbitrary<readonly GeneratedRecord[]> => {
  const value = fc.oneof({ weight: 15, arbitrary: valuesOf(of) }, { weight: 1, arbitrary: fc.constant(null) })
  const record = fc.record({ key: hasKeys ? secret : fc.constant(null), value })
  return fc
    .array(record, { minLength: count, maxLength: count, size: 'max' })
    .map((records) => records.map((each) => ({ ...each, value: each.value ?? null })))
}

/** A topic of any shape. */
const generatedTopic: fc.Arbitrary<GeneratedTopic> = fc
  .tuple(
    topicName,
    spec,
    fc.oneof({ weight: 3, arbitrary: fc.constant(60) }, { weight: 1, arbitrary: fc.nat({ max: 15 }) }),
    fc.boolean(),
  )
  .chain(([name, of, count, hasKeys]) => recordsOf(of, count, hasKeys).map((records) => ({ name, spec: of, records })))

const usualTopics = fc
  .tuple(recordsOf(USUAL, 80, true), recordsOf(leaf('float'), 20, false))
  .map(([usual, scalars]): GeneratedTopic[] => [
    { name: 'usual', spec: USUAL, records: usual },
    { name: 'scalars', spec: leaf('float'), records: scalars },
  ])

/** Topics of one project: any, and two that are usual. */
export function generatedTopics(count: number): fc.Arbitrary<readonly GeneratedTopic[]> {
  const any = fc.uniqueArray(generatedTopic, {
    minLength: count - 2,
    maxLength: count - 2,
    selector: ({ name }) => name,
  })
  return fc.tuple(any, usualTopics).map(([some, usual]) => [...some, ...usual])
}
