import fc from 'fast-check'
import { z } from 'zod'

/** A schema, values that it mostly takes, and the names of the kinds it is made of. */
export interface Part {
  readonly schema: z.ZodType
  readonly values: fc.Arbitrary<unknown>
  readonly kinds: readonly string[]
}

const part = (kind: string, schema: z.ZodType, values: fc.Arbitrary<unknown>): Part => ({
  schema,
  values,
  kinds: [kind],
})
const is = (...values: unknown[]) => fc.constantFrom(...values)

const text = fc.oneof(
  fc.string({ maxLength: 6 }),
  fc.string({ unit: 'grapheme', maxLength: 4 }),
  is('', '😀', '😀😀', '\ud800', '\udc00a', 'ab', 'ABC', 'ünï', ' trim ', 'a'.repeat(40), '😀'.repeat(12)),
)
const REGIONS = ['AFRICA', 'EUROPE', 'NORTH_AMERICA', "it's", '__proto__', '\u2028']
const MANY = Array.from({ length: 20 }, (_, index) => `value-${index}`)
const UUID = 'c56a4180-65aa-42ec-a945-5ad21dec0538'

const TEXTS: readonly Part[] = [
  part('string', z.string(), text),
  part('min', z.string().min(1), text),
  part('min', z.string().min(3), text),
  part('max', z.string().max(3), text),
  part('length', z.string().length(2), fc.oneof(text, is('ab', '😀😀', '😀'))),
  part('length', z.string().min(2).max(12), text),
  part('custom when', z.string().min(5, { when: () => false } as never), text),
  part('regex', z.string().regex(/^[a-c]+$/), is('a', 'abc', 'abd', '')),
  part('regex with state', z.string().regex(/b/g), is('ab', 'b', 'aaab', 'x')),
  part('regex with state', z.string().regex(/a/y), is('ab', 'ba', 'a')),
  part('regex', z.string().regex(/^\p{L}+$/u), text),
  part('includes', z.string().includes('b', { position: 1 }), is('ab', 'ba', 'bb')),
  part('includes', z.string().includes('"\n'), is('x"\n', 'x')),
  part('starts or ends', z.string().startsWith('a').endsWith('c'), is('abc', 'ac', 'ab', 'c')),
  part('case', z.string().lowercase(), is('abc', 'aBc')),
  part('case', z.string().uppercase(), is('ABC', 'aBc')),
  part('format', z.email(), is('a@b.co', 'a@b', 'x')),
  part('format', z.string().uuid(), is(UUID, UUID.slice(1))),
  part('format', z.uuidv4(), is(UUID, '')),
  part(
    'format',
    z.iso.datetime({ offset: true }),
    is('2026-11-27T10:15:30.123Z', '2026-11-27T10:15:30+01:00', '2026-13-27T'),
  ),
  part('format', z.iso.datetime({ local: true, precision: 0 }), is('2026-11-27T10:15:30', '2026-11-27T10:15:30.1')),
  part('format', z.iso.date().min(1), is('2024-02-29', '2023-02-29')),
  part('format', z.iso.time(), is('10:15', '25:00')),
  part('format', z.ipv4(), is('127.0.0.1', '256.0.0.1')),
  part('format', z.ulid(), is('01ARZ3NDEKTSV4RRFFQ69G5FAV', 'x')),
  part('overwrite', z.string().trim().min(1), fc.oneof(text, is('  ', ' a'))),
  part(
    'overwrite',
    z
      .string()
      .toUpperCase()
      .regex(/^[A-Z]*$/),
    text,
  ),
  part('zod: format', z.url(), is('https://a.b/', ' https://a.b/\n', 'nothing')),
  part('zod: format', z.base64(), is('YWI=', 'YWI')),
  part('zod: format', z.ipv6(), is('::1', '::1::')),
  part(
    'zod: format',
    z.stringFormat('email', (value) => value.length > 2),
    text,
  ),
  part('template', z.templateLiteral(['id-', z.number()]), is('id-4', 'id-', 'id-x')),
  part('enum', z.enum(REGIONS), is(...REGIONS, 'MOON', 'toString')),
  part('enum', z.enum(MANY), is(...MANY, 'value-20')),
  part('enum', z.enum({ Low: 0, High: 1, Text: 'text' }), is(0, -0, 1, 'text', 'Low', '0')),
  part('literal', z.literal('a"b'), is('a"b', 'ab')),
  part('literal', z.literal(['a', 1, null, undefined, true]), is('a', 1, null, undefined, true, false, '1')),
  part('literal', z.literal(0), is(0, -0, '0', null)),
  part('literal', z.literal([]), is(undefined, null)),
]

const number = fc.oneof(
  fc.integer({ min: -5, max: 5 }),
  fc.double(),
  is(0, -0, 0.1, 1.5, -90, 90, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 31, 2 ** 53 - 1, 2 ** 53, -(2 ** 53), 1e308),
)
const NUMBERS: readonly Part[] = [
  part('number', z.number(), number),
  part('compare', z.number().min(-90).max(90), number),
  part(
    'compare',
    z
      .number()
      .gt(0)
      .lt(2 ** 31),
    number,
  ),
  part('compare', z.number().min(Number.NEGATIVE_INFINITY), number),
  part('compare', z.number().max(Number.NaN), number),
  part('integer', z.int(), number),
  part('integer', z.number().int().nonnegative(), number),
  part('integer', z.int32(), number),
  part('integer', z.uint32(), number),
  part('format of numbers', z.float32(), number),
  part('format of numbers', z.float64(), number),
  part('multiple', z.number().multipleOf(0.1), number),
  part('multiple', z.number().multipleOf(0), number),
  part(
    'overwrite',
    z
      .number()
      .overwrite(() => Number.NaN)
      .min(0),
    number,
  ),
  part(
    'overwrite',
    z
      .number()
      .overwrite((value) => -value)
      .max(3),
    number,
  ),
  part(
    'overwrite',
    z.number().overwrite((value) => -value),
    number,
  ),
]

/** Function values too, which no codec should give. */
const anything = fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.anything({ maxDepth: 1 }))
const OTHERS: readonly Part[] = [
  part('boolean', z.boolean(), fc.boolean()),
  part('null', z.null(), is(null)),
  part('undefined', z.undefined(), is(undefined)),
  part('undefined', z.void(), is(undefined, null)),
  part('nan', z.nan(), is(Number.NaN, 1)),
  part('never', z.never(), is(undefined)),
  part('any', z.any(), anything),
  part(
    'any',
    z.unknown().refine((value) => value !== 4),
    fc.oneof(anything, is(4)),
  ),
  part('bigint', z.bigint().min(3n), is(2n, 3n, 4)),
  part('date', z.date().min(new Date(5)), is(new Date(4), new Date(5), new Date(Number.NaN), 5)),
  part(
    'custom',
    z.custom((value) => typeof value === 'string'),
    is('a', 1),
  ),
  part(
    'predicate',
    z.string().refine((value) => value !== 'a', { path: ['x'], error: 'No' }),
    is('a', 'b'),
  ),
  part(
    'predicate',
    z
      .string()
      .min(1)
      .refine((value) => value.length, { abort: true })
      .max(2),
    text,
  ),
  part(
    'predicate that throws',
    z.string().refine((value) => BigInt(value) > 1n),
    is('1', '2', 'a'),
  ),
  part(
    'transform',
    z.string().transform((value) => value.length),
    text,
  ),
  part(
    'transform',
    z.string().transform((value) => (value === 'a' ? undefined : value)),
    is('a', 'b'),
  ),
  part(
    'pipe',
    z
      .string()
      .min(1)
      .pipe(z.enum(['a', 'b'])),
    is('a', 'b', 'c', ''),
  ),
  part('pipe', z.string().transform(Number).pipe(z.int().min(2)), is('1', '2', 'x')),
  part(
    'zod: issues',
    z.string().superRefine((value, { addIssue }) => {
      if (value === 'a') addIssue('No')
    }),
    is('a', 'b'),
  ),
  part(
    'zod: issues',
    z
      .string()
      .min(3)
      .check((payload) => void payload.issues.splice(0)),
    is('a', 'abc', 4),
  ),
  part('zod: catch', z.number().catch(7), is(1, 'a', undefined)),
  part('zod: coerce', z.coerce.number().min(3), is('4', 4, '2', null, undefined)),
  part(
    'zod: preprocess',
    z.preprocess((value) => value ?? 'none', z.string()),
    is('a', undefined, 4),
  ),
  part('zod: codec', z.stringbool(), is('yes', 'no', 'maybe')),
  part('zod: map or set', z.set(z.string()), is(new Set(['a']), new Set([1]), {})),
  part('zod: map or set', z.map(z.string(), z.int()), is(new Map([['a', 1]]), new Map([['a', 'b']]))),
  part(
    'zod: lazy',
    z.lazy(() => z.array(z.string())),
    is(['a'], [1], undefined),
  ),
  part('zod: promise', z.promise(z.string()), is('a')),
  part(
    'zod: async',
    z.string().refine(async () => true),
    is('a', 1),
  ),
  part('zod: union of one', z.xor([z.string(), z.literal('a')]), is('a', 'b')),
]

const leaf = fc.oneof({ weight: 3, arbitrary: is(...TEXTS) }, is(...NUMBERS), {
  weight: 2,
  arbitrary: is(...OTHERS),
}) as fc.Arbitrary<Part>

const KEYS = [
  'a',
  'b',
  'c',
  'd',
  '1',
  '0',
  '__proto__',
  'constructor',
  'toString',
  'length',
  'a"b',
  "it's",
  '\u2028',
  '$'.concat('{x}'),
]

/** Makes any key an own property, as JSON.parse does. */
export function own(properties: Iterable<readonly [string, unknown]>): Record<string, unknown> {
  const object = {}
  for (const [key, value] of properties) {
    Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true })
  }
  return object
}

type Wrap = (inner: Part) => { schema: z.ZodType; values?: fc.Arbitrary<unknown> }
const WRAPS: Readonly<Record<string, Wrap>> = {
  optional: ({ schema, values }) => ({ schema: schema.optional(), values: fc.option(values, { nil: undefined }) }),
  'exact optional': ({ schema }) => ({ schema: z.exactOptional(schema) }),
  nullable: ({ schema, values }) => ({ schema: schema.nullable(), values: fc.option(values) }),
  nullish: ({ schema, values }) => ({ schema: schema.nullish(), values: fc.option(values) }),
  default: ({ schema, values }) => ({ schema: schema.default(['a']), values: fc.option(values, { nil: undefined }) }),
  'default by function': ({ schema, values }) => ({
    schema: schema.default(() => ({ made: true })),
    values: fc.option(values, { nil: undefined }),
  }),
  'optional default': ({ schema }) => ({ schema: schema.default('a').optional() }),
  prefault: ({ schema, values }) => ({ schema: schema.prefault('a'), values: fc.option(values, { nil: undefined }) }),
  readonly: ({ schema }) => ({ schema: schema.readonly() }),
  nonoptional: ({ schema }) => ({ schema: schema.optional().nonoptional() }),
  branded: ({ schema }) => ({ schema: schema.brand('X').describe('y').meta({ id: undefined }) }),
  'predicate on optional': ({ schema }) => ({ schema: schema.optional().refine((value) => value !== 'a') }),
}

function wrapped(inner: fc.Arbitrary<Part>): fc.Arbitrary<Part> {
  return fc.tuple(inner, fc.constantFrom(...Object.keys(WRAPS))).map(([within, kind]) => {
    const { schema, values = within.values } = (WRAPS[kind] as Wrap)(within)
    return { schema, values, kinds: [...within.kinds, kind] }
  })
}

/** Properties of values: now and then one is missing, and others are added. */
function properties(entries: readonly (readonly [string, Part])[], extra = 0): fc.Arbitrary<Record<string, unknown>> {
  const absent = Symbol('absent')
  const values = entries.map(([, { values }]) =>
    fc.oneof({ weight: 9, arbitrary: values }, { weight: 1, arbitrary: fc.constant(absent) }),
  )
  const more = fc.array(fc.tuple(fc.constantFrom(...KEYS, 'more'), fc.jsonValue({ maxDepth: 1 })), { maxLength: extra })
  return fc.tuple(fc.tuple(...values), more, fc.boolean()).map(([own_, added, isReversed]) => {
    const pairs = own_.map((value, index) => [(entries[index] as readonly [string, Part])[0], value] as const)
    const kept = [...added, ...pairs].filter(([, value]) => value !== absent)
    return own(isReversed ? kept.reverse() : kept)
  })
}

const kindsOf = (parts: readonly Part[]) => parts.flatMap(({ kinds }) => kinds)

function objects(inner: fc.Arbitrary<Part>): fc.Arbitrary<Part> {
  const entries = fc.uniqueArray(fc.tuple(fc.constantFrom(...KEYS), fc.oneof(inner, wrapped(inner))), {
    maxLength: 5,
    selector: ([key]) => key,
  })
  const modes = fc.constantFrom(
    'object',
    'object',
    'object',
    'strict object',
    'loose object',
    'zod: catchall',
    'checked object',
  )
  return fc.tuple(entries, modes, fc.nat(2)).map(([list, mode, extra]) => {
    const shape = own(list.map(([key, { schema }]) => [key, schema] as const)) as Record<string, z.ZodType>
    const object = z.object(shape)
    const schema = {
      object,
      'strict object': object.strict(),
      'loose object': object.loose(),
      'zod: catchall': object.catchall(z.string()),
      'checked object': object.refine((value) => !('c' in value)),
    }[mode] as z.ZodType
    return { schema, values: properties(list, extra), kinds: [mode, ...kindsOf(list.map(([, each]) => each))] }
  })
}

function lists(inner: fc.Arbitrary<Part>): fc.Arbitrary<Part> {
  const array = fc.tuple(inner, fc.nat(3)).map(([item, max]): Part => {
    const schema = z.array(item.schema)
    const values = fc.array(item.values, { maxLength: 4 })
    return { schema: max === 0 ? schema : schema.min(1).max(max), values, kinds: ['array', ...item.kinds] }
  })
  const tuple = fc.array(inner, { minLength: 1, maxLength: 3 }).map((items): Part => {
    const schema = z.tuple(items.map(({ schema }) => schema) as [z.ZodType])
    return { schema, values: fc.tuple(...items.map(({ values }) => values)), kinds: ['tuple', ...kindsOf(items)] }
  })
  const rest = fc.tuple(inner, inner).map(([first, more]): Part => {
    const schema = z.tuple([first.schema, more.schema.optional()], more.schema)
    const values = fc
      .tuple(first.values, fc.array(more.values, { maxLength: 2 }))
      .map(([head, tail]) => [head, ...tail])
    return { schema, values, kinds: ['zod: open tuple', ...first.kinds, ...more.kinds] }
  })
  const record = inner.map((value): Part => {
    const values = fc.dictionary(fc.constantFrom(...KEYS), value.values, { maxKeys: 3 })
    return { schema: z.record(z.string(), value.schema), values, kinds: ['record', ...value.kinds] }
  })
  const named = inner.map((value): Part => {
    const values = fc.dictionary(fc.constantFrom('a', 'b'), value.values)
    const keys = z.enum(['a', 'b'])
    return { schema: z.partialRecord(keys, value.schema), values, kinds: ['zod: record of names', ...value.kinds] }
  })
  return fc.oneof({ weight: 2, arbitrary: array }, tuple, record, rest, named)
}

function unions(inner: fc.Arbitrary<Part>): fc.Arbitrary<Part> {
  const union = fc.array(inner, { minLength: 1, maxLength: 3 }).map((options): Part => {
    const schema = z.union(options.map(({ schema }) => schema) as [z.ZodType])
    return { schema, values: fc.oneof(...options.map(({ values }) => values)), kinds: ['union', ...kindsOf(options)] }
  })
  const tagged = fc.array(inner, { minLength: 1, maxLength: 3 }).map((options): Part => {
    const tags = ['x', 1, null] as const
    const objects = options.map(({ schema }, index) => z.object({ t: z.literal(tags[index] as 'x'), v: schema }))
    const values = options.map(({ values }, index) => values.map((v) => ({ t: tags[index], v })))
    const schema = z.discriminatedUnion('t', objects as never) as z.ZodType
    return { schema, values: fc.oneof(...values), kinds: ['discriminated union', ...kindsOf(options)] }
  })
  const both = fc.tuple(inner, inner).map(([left, right]): Part => {
    const schema = z.object({ l: left.schema }).and(z.strictObject({ r: right.schema }))
    const values = fc.tuple(left.values, right.values).map(([l, r]) => ({ l, r }))
    return { schema, values, kinds: ['zod: intersection', ...left.kinds, ...right.kinds] }
  })
  const piped = inner.map((within): Part => {
    const schema = z.strictObject({ a: within.schema }).pipe(z.union([z.object({ a: z.any() }), z.string()]) as never)
    const values = fc.tuple(within.values, fc.boolean()).map(([a, isMore]) => (isMore ? { a, more: 1 } : { a }))
    return { schema, values, kinds: ['pipe of an object', ...within.kinds] }
  })
  return fc.oneof({ weight: 3, arbitrary: union }, { weight: 2, arbitrary: tagged }, both, piped)
}

/** Schemas of all kinds, nested to this depth. */
export function parts(depth: number): fc.Arbitrary<Part> {
  if (depth === 0) return leaf
  const inner = parts(depth - 1)
  return fc.oneof(
    { weight: 2, arbitrary: leaf },
    { weight: 2, arbitrary: wrapped(inner) },
    { weight: 4, arbitrary: objects(inner) },
    { weight: 2, arbitrary: lists(inner) },
    { weight: 2, arbitrary: unions(inner) },
  )
}
