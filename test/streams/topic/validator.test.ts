import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { afterEach, expect, test, vi } from 'vitest'
import { z } from 'zod'
import { compileValidator, INVALID, Validator } from '../../../src/streams/topic/validator.ts'
import { OrderEvent } from '../../../src/streams/topics/orders.ts'
import { anOrder } from '../../kit/gateway.ts'
import { own } from './validator-schemas.ts'
import { same } from './validator-values.ts'

afterEach(() => {
  z.config({ jitless: false })
})

function compiled<V>(schema: z.ZodType<V>): (plain: unknown) => V | typeof INVALID {
  const validate = compileValidator(schema)
  if (!validate) throw new Error('It was left to zod')
  return validate
}

/** What the compiled schema says of each value, after a comparison with what zod says. */
function says(schema: z.ZodType, ...values: unknown[]): unknown[] {
  const validate = compiled(schema)
  return values.map((value) => {
    const [ours, zods] = [validate(value), schema.safeParse(value)]
    expect(ours === INVALID ? undefined : ours).toEqual(zods.data)
    expect(ours === INVALID ? !zods.success : same(ours, zods.data)).toBe(true)
    return ours
  })
}

const N = INVALID

test('an order is compiled, and keeps what zod keeps', () => {
  const order = { ...anOrder({ id: 'ord_1' }), cardNumber: '4111' }
  expect(says(OrderEvent, order)).toEqual([anOrder({ id: 'ord_1' })])
  for (const key of Object.keys(anOrder())) {
    expect(says(OrderEvent, { ...anOrder(), [key]: undefined }, { ...anOrder(), [key]: {} })).toEqual([N, N])
    const { [key as 'id']: _, ...without } = anOrder()
    expect(says(OrderEvent, without)).toEqual([N])
  }
})

test('the output has the order of the schema, not of the input, and integer names come first', () => {
  const schema = z.object({ b: z.int(), a: z.int().optional(), 1: z.int(), c: z.int() })
  const [value] = says(schema, { c: 3, 1: 0, a: 2, b: 1 })
  expect(Object.keys(value as object)).toEqual(['1', 'b', 'a', 'c'])
})

test('an absent optional property is absent, and one that is undefined is undefined', () => {
  const schema = z.object({ a: z.string().optional(), b: z.string().nullish(), c: z.int() })
  const values = says(schema, { c: 1 }, { a: undefined, c: 1 }, { b: null, c: 1 }, { a: 'x', b: 'y', c: 1 })
  expect(values.map((value) => Object.keys(value as object).join())).toEqual(['c', 'a,c', 'b,c', 'a,b,c'])
})

test('many optional properties are present or absent in every combination', () => {
  const keys = ['a', 'b', 'c', 'd', 'e', 'f']
  const schema = z.object({
    first: z.int(),
    ...Object.fromEntries(keys.map((key) => [key, z.int().optional()])),
    last: z.int(),
  })
  for (let set = 0; set < 2 ** keys.length; set++) {
    const some = keys.filter((_, index) => set & (1 << index)).map((key) => [key, set])
    const [value] = says(schema, { last: 1, ...Object.fromEntries(some), first: 0 })
    expect(value).toEqual({ first: 0, ...Object.fromEntries(some), last: 1 })
  }
})

test('a property that may be undefined must be there all the same', () => {
  expect(says(z.object({ a: z.any() }), {}, { a: undefined }, { a: 1 })).toEqual([N, { a: undefined }, { a: 1 }])
  expect(says(z.object({ a: z.undefined() }), {}, { a: undefined })).toEqual([N, { a: undefined }])
  expect(says(z.object({ a: z.exactOptional(z.int()) }), {}, { a: undefined })).toEqual([{}, N])
})

test('a default replaces what is absent or undefined, and is another object each time', () => {
  const schema = z.object({
    a: z.array(z.int()).default([1]),
    b: z.object({}).default(() => ({})),
    c: z.int().default(7).optional(),
  })
  const [first, second] = says(schema, {}, { a: undefined, b: undefined, c: undefined }) as { a: unknown; b: unknown }[]
  expect([first, second]).toEqual([
    { a: [1], b: {}, c: 7 },
    { a: [1], b: {}, c: 7 },
  ])
  expect(first?.a).not.toBe(second?.a)
  expect(first?.b).not.toBe(second?.b)
})

test('what every object inherits is no property of an event', () => {
  const schema = z.object({ constructor: z.string().optional(), toString: z.string().optional(), valueOf: z.any() })
  expect(says(schema, {}, { constructor: 'a', toString: 'b', valueOf: 1 })).toHaveLength(2)
  expect(says(z.record(z.string(), z.int()), { constructor: 1, toString: 2 })).toEqual([
    { constructor: 1, toString: 2 },
  ])
  expect(says(z.enum(['a']), 'toString', 'constructor', '__proto__')).toEqual([N, N, N])
})

test('a property named __proto__ is never kept, and pollutes nothing', () => {
  const poison = JSON.parse('{"__proto__":{"admin":true},"a":1}')
  const shape = own([['__proto__', z.string()] as const, ['a', z.int()] as const]) as Record<string, z.ZodType>
  for (const schema of [z.object({ a: z.int() }), z.object(shape), z.looseObject({ a: z.int() })]) {
    const [value] = says(schema, poison) as object[]
    expect(value).toEqual({ a: 1 })
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype)
  }
  expect(says(z.strictObject({ a: z.int() }), poison)).toEqual([N])
  expect(says(z.record(z.string(), z.any()), poison)).toEqual([{ a: 1 }])
  expect({}).not.toHaveProperty('admin')
})

test('names and texts are never code', () => {
  const names = [
    'a"b',
    "it's",
    '`$'.concat('{x}`'),
    '\\',
    '\u2028\u2029',
    '\n',
    '*/',
    '\ud800',
    '</script>',
    '");throw 1;("',
  ]
  for (const name of names) {
    const schema = z.object({
      [name]: z.literal(name).or(z.enum([name, 'x'])),
      t: z.string().startsWith(name).optional(),
    })
    expect(says(schema, { [name]: name, t: `${name}.` }, { [name]: 'no' })).toEqual([
      { [name]: name, t: `${name}.` },
      N,
    ])
  }
})

test('unknown properties are dropped, refused or kept, as the schema says', () => {
  const value = { a: 1, b: { c: 2 } }
  expect(says(z.object({ a: z.int() }), value)).toEqual([{ a: 1 }])
  expect(says(z.strictObject({ a: z.int() }), value, { a: 1 })).toEqual([N, { a: 1 }])
  expect(says(z.looseObject({ a: z.int() }), value)).toEqual([value])
  expect(says(z.strictObject({ a: z.int() }), Object.create({ a: 1, inherited: 1 }))).toEqual([N])
})

test('-0 stays -0, and NaN and the infinities are no numbers', () => {
  const schema = z.object({ n: z.number(), e: z.literal([0, 1]).optional() })
  const values = says(schema, { n: -0 }, { n: 0, e: -0 }) as { n: number; e?: number }[]
  expect([Object.is(values[0]?.n, -0), Object.is(values[1]?.e, -0)]).toEqual([true, true])
  expect(says(z.number(), Number.NaN, Number.POSITIVE_INFINITY, -Number.MAX_VALUE)).toEqual([N, N, -Number.MAX_VALUE])
})

test('integers are safe integers', () => {
  expect(says(z.int(), 2 ** 53 - 1, 2 ** 53, -(2 ** 53), 1.5)).toEqual([2 ** 53 - 1, N, N, N])
  expect(says(z.uint32(), 2 ** 32 - 1, 2 ** 32, -1)).toEqual([2 ** 32 - 1, N, N])
  expect(says(z.number().multipleOf(0.07), 2.03, 2.04)).toEqual([2.03, N])
})

test('lengths are in code points', () => {
  const pair = '😀😀'
  expect(says(z.string().length(2), pair, 'ab', '😀', '\ud83d\ud83d', 'abc')).toEqual([
    pair,
    'ab',
    N,
    '\ud83d\ud83d',
    N,
  ])
  expect(says(z.string().min(2), pair, '😀')).toEqual([pair, N])
  expect(says(z.string().max(20), '😀'.repeat(20), '😀'.repeat(21))).toEqual(['😀'.repeat(20), N])
})

test('a regular expression with a state starts from the start each time', () => {
  for (const pattern of [/b/g, /ab/y, /b/gy]) {
    pattern.lastIndex = 7
    const schema = z.string().regex(pattern)
    expect(says(schema, 'ab', 'ab', 'aab')).toEqual(says(schema, 'ab', 'ab', 'aab'))
  }
})

test('a regular expression that somebody has changed is left to zod', () => {
  const pattern = Object.assign(/a/, { test: () => true })
  expect(compileValidator(z.string().regex(pattern))).toBeUndefined()
  expect(says(z.object({ a: z.string().regex(pattern) }), { a: 'x' })).toEqual([{ a: 'x' }])
})

test('one exotic property is left to zod, and the rest of the object is compiled', () => {
  const exotic = {
    url: z.url(),
    map: z.map(z.string(), z.int()),
    file: z.file().optional(),
    caught: z.number().catch(0),
    coerced: z.coerce.number(),
    both: z.object({ a: z.int() }).and(z.object({ b: z.int() })),
  }
  const schema = z.object({ id: z.string(), ...exotic })
  const given = {
    id: 'x',
    url: 'https://a/',
    map: new Map([['a', 1]]),
    caught: 'x',
    coerced: '4',
    both: { a: 1, b: 2 },
  }
  expect(says(schema, given, { ...given, url: 'no' }, { ...given, both: { a: 1 } })).toEqual([
    { ...given, caught: 0, coerced: 4 },
    N,
    N,
  ])
})

test('a schema that refers to itself is run by zod where it does', () => {
  const Node = z.object({
    name: z.string(),
    get children() {
      return z.array(Node).optional()
    },
  })
  const tree = { name: 'a', children: [{ name: 'b', x: 1, children: [] }, { name: 'c' }] }
  expect(says(Node, tree, { name: 'a', children: [{}] })).toHaveLength(2)
  expect(new Validator(Node).isBounded).toBe(false)
})

test('shapes without end, and schemas that share parts many times over, compile to code of a bounded size', () => {
  const endless = (): z.ZodObject =>
    z.object({
      get a() {
        return endless().optional()
      },
    })
  expect(says(endless(), { a: { a: { a: {} } } })).toHaveLength(1)
  let wide: z.ZodType = z.object({ n: z.int() })
  for (let level = 0; level < 12; level++) wide = z.object({ l: wide.optional(), r: wide.optional() })
  expect(String(compiled(wide)).length).toBeLessThan(500_000)
  expect(says(wide, { l: { r: { l: {} } }, x: 1 }, { l: { r: 1 } })).toEqual([{ l: { r: { l: {} } } }, N])
})

test('the option of a discriminated union is chosen by its tag alone', () => {
  const schema = z.discriminatedUnion('t', [
    z.object({ t: z.literal(['a', 1]), n: z.int() }),
    z.object({ t: z.null(), s: z.string() }),
    z
      .object({ t: z.boolean().optional().pipe(z.any()).pipe(z.literal('x')).or(z.literal('x')) })
      .extend({ t: z.literal('x') }),
  ])
  expect(
    says(schema, { t: 'a', n: 1 }, { t: 1, n: 2 }, { t: null, s: '' }, { t: 'a', s: '' }, { t: 'b' }, [], null),
  ).toEqual([{ t: 'a', n: 1 }, { t: 1, n: 2 }, { t: null, s: '' }, N, N, N, N])
})

test('a union gives what its first fitting option keeps', () => {
  const schema = z.union([z.object({ a: z.int() }), z.object({ b: z.int() }), z.array(z.int()), z.null()])
  expect(says(schema, { a: 1, b: 2 }, { a: 'x', b: 2 }, [1], ['x'], null, 'x')).toEqual([
    { a: 1 },
    { b: 2 },
    [1],
    N,
    null,
    N,
  ])
})

test('getters are read as often as zod reads them, and one that throws throws', () => {
  const reads: string[] = []
  const spied = (throwing: string) => {
    const value = {}
    for (const key of ['a', 'b', 'c']) {
      const get = () => {
        reads.push(key)
        if (key === throwing) throw new Error('No')
        return 1
      }
      Object.defineProperty(value, key, { get, enumerable: true })
    }
    return value
  }
  const schema = z.object({ b: z.int(), a: z.int() })
  expect(says(schema, spied('c'))).toEqual([{ b: 1, a: 1 }])
  expect(reads).toEqual(['b', 'a', 'b', 'a'])
  expect(() => compiled(schema)(spied('a'))).toThrow('No')
  // zod reads the whole of the first option before it takes the second.
  const union = z.union([z.object({ x: z.string(), a: z.int() }), z.looseObject({ b: z.int() })])
  expect(() => union.safeParse(spied('a'))).toThrow('No')
  expect(compiled(union)(spied('a'))).toBe(INVALID)
})

test('instances, objects without prototype, proxies and inherited properties are objects, and lists are none', () => {
  class Event {
    id = 'x'
  }
  const schema = z.object({ id: z.string() })
  const values = [new Event(), Object.create(new Event()), Object.assign(Object.create(null), { id: 'x' })]
  expect(says(schema, ...values, new Proxy({ id: 'x' }, {}))).toEqual(Array(4).fill({ id: 'x' }))
  expect(
    says(
      schema,
      Object.assign([], { id: 'x' }),
      'x',
      null,
      Object.assign(() => {}, { id: 'x' }),
    ),
  ).toEqual([N, N, N, N])
  expect(says(z.record(z.string(), z.any()), new Event(), new Date())).toEqual([N, N])
})

test('a proxy that hides its properties is refused, as by zod', () => {
  expect(says(z.object({ id: z.string() }), new Proxy({ id: 'x' }, { has: () => false }))).toEqual([N])
})

test('readonly freezes', () => {
  const schema = z.object({ a: z.array(z.int()).readonly() }).readonly()
  const [value] = says(schema, { a: [1] }) as { a: unknown }[]
  expect([Object.isFrozen(value), Object.isFrozen(value?.a)]).toEqual([true, true])
})

test('predicates and transforms are called as zod calls them, in the same order', () => {
  const calls: unknown[] = []
  const seen = (name: string) => (value: unknown) => calls.push([name, value])
  const schema = z.object({
    a: z
      .string()
      .trim()
      .refine(seen('a'))
      .refine(seen('b'), { when: undefined } as never),
    b: z.string().transform(seen('c')),
    c: z.string().optional().refine(seen('d')),
  })
  schema.safeParse({ a: ' x ', b: 'y' })
  const byZod = calls.splice(0)
  compiled(schema)({ a: ' x ', b: 'y' })
  expect(calls).toEqual(byZod)
  expect(calls).toHaveLength(4)
})

test('a function that reports issues may also take them back: it is left to zod', () => {
  const forgiving = z
    .string()
    .min(3)
    .check((payload) => void payload.issues.splice(0))
  expect(compileValidator(forgiving)).toBeUndefined()
  expect(says(z.object({ a: forgiving }), { a: 'x' })).toEqual([{ a: 'x' }])
})

test('a pipe goes on after unknown properties, as in zod', () => {
  const schema = z.strictObject({ a: z.int() }).pipe(z.union([z.object({ a: z.int() }), z.null()]) as never)
  expect(says(z.object({ p: schema }), { p: { a: 1, b: 2 } }, { p: { a: 'x', b: 2 } })).toHaveLength(2)
})

test('a schema with asynchronous parts throws, as in zod', () => {
  const schema = z.object({ a: z.string().refine(async () => true) })
  expect(() => compiled(schema)({ a: 'x' })).toThrow(z.core.$ZodAsyncError)
  expect(() => compiled(z.object({ a: z.string(), b: z.promise(z.any()).optional() }))({ a: 'x', b: 1 })).toThrow()
})

test("words of a rejection are zod's, with messages of the schema's own", () => {
  const validator = new Validator(z.object({ a: z.string({ error: () => 'A text, please' }).min(3, 'Longer') }))
  expect(validator.validate({ a: 1 }).error?.issues[0]?.message).toBe('A text, please')
  expect(validator.validate({ a: 'x' }).error?.issues[0]?.message).toBe('Longer')
  expect(validator.validate({ a: 'xyz' })).toEqual({ success: true, data: { a: 'xyz' } })
})

test('null and undefined are values like others', () => {
  const schema = z.null().or(z.undefined())
  const zods = vi.spyOn(schema, 'safeParse')
  expect([null, undefined].map((value) => new Validator(schema).validate(value).data)).toEqual([null, undefined])
  expect(zods).not.toHaveBeenCalled()
})

test('what is not known is left to zod: types, subclasses, options, other copies, no generated code', () => {
  class Own extends z.ZodString {
    constructor() {
      super({ type: 'string' })
      this._zod.parse = (payload) => payload
    }
  }
  const unknownOption = z.string({ fancy: true } as never)
  const foreign = Object.create(z.string())
  for (const schema of [new Own(), unknownOption, foreign, z.file(), z.lazy(() => z.string()), {} as z.ZodType])
    expect(compileValidator(schema)).toBeUndefined()
  expect(compileValidator(z.string())).toBeDefined()
  z.config({ jitless: true })
  expect(compileValidator(z.string())).toBeUndefined()
})

test('where code may not be generated, zod validates', () => {
  const path = (name: string) => JSON.stringify(fileURLToPath(new URL(`../../../src/streams/${name}`, import.meta.url)))
  const text = `
    const { compileValidator, Validator } = await import(${path('topic/validator.ts')})
    const { OrderEvent } = await import(${path('topics/orders.ts')})
    const validator = new Validator(OrderEvent)
    const order = ${JSON.stringify(anOrder())}
    console.log(compileValidator(OrderEvent), validator.validate(order).success, validator.validate({}).success)
    console.log(validator.isBounded, validator.sizeOf(order) > 100)`
  const flags = ['--disallow-code-generation-from-strings', '--input-type=module', '-e', text]
  expect(execFileSync(process.execPath, flags, { encoding: 'utf8' })).toBe('undefined true false\ntrue true\n')
})
