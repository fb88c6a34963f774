import { type GraphQLScalarType, graphqlSync, parse, printSchema, validate } from 'graphql'
import { expect, test } from 'vitest'
import { createBuilder } from '../../src/schema/builder.ts'
import { comparedAs } from '../../src/schema/filter/comparison.ts'

const money = {
  description: 'An amount and its currency, such as "12.50 EUR".',
  comparedAs: 'text' as const,
  parse(value: unknown): string {
    if (typeof value !== 'string' || !/^\d+\.\d\d [A-Z]{3}$/.test(value)) throw new Error('Money is like "12.50 EUR"')
    return value
  },
  serialize: (value: string) => value,
}

function echo() {
  const builder = createBuilder({ scalars: { Money: money } })
  builder.queryType({
    fields: (t) => ({
      money: t.field({
        type: 'Money',
        args: { is: t.arg({ type: 'Money', required: true }) },
        resolve: (_, { is }) => is.toUpperCase(),
      }),
      long: t.field({
        type: 'Long',
        args: { is: t.arg({ type: 'Long', required: true }) },
        resolve: (_, { is }) => BigInt(is),
      }),
      json: t.field({ type: 'JSON', resolve: () => ({ a: [1, null, { b: 'c' }] }) }),
    }),
  })
  return builder
}

const run = (source: string, variableValues = {}) =>
  graphqlSync({ schema: echo().toSchema(), source, variableValues, contextValue: {} })

test('a scalar of one’s own is used by its name, in fields and arguments', () => {
  expect(run('{ money(is: "12.50 EUR") }').data).toEqual({ money: '12.50 EUR' })
  expect(run('{ money(is: "12.5") }').errors?.[0]?.message).toContain('Money is like')
})

test.each([
  ['9223372036854775807', '9223372036854775807'],
  ['"9223372036854775807"', '9223372036854775807'],
  ['-9223372036854775808', '-9223372036854775808'],
  ['"007"', '7'],
  ['-0', '0'],
])('the Long %s is %s, exactly', (written, meant) => {
  expect(run(`{ long(is: ${written}) }`).data).toEqual({ long: meant })
})

test.each([
  '9223372036854775808',
  '"-9223372036854775809"',
  '1.5',
  '"1e3"',
  '""',
  'true',
  '{}',
  `"${'0'.repeat(1e5)}1"`,
])('what is no Long is refused: %.20s', (written) => {
  expect(run(`{ long(is: ${written}) }`).errors?.[0]?.message).toContain('Long is a whole number of 64 bits')
})

test('a variable of the type Long is text, or a number that a double holds', () => {
  const source = 'query($is: Long!) { long(is: $is) }'
  expect(run(source, { is: 9007199254740991 }).data).toEqual({ long: '9007199254740991' })
  expect(run(source, { is: '9007199254740993' }).data).toEqual({ long: '9007199254740993' })
  expect(run(source, { is: 9007199254740992 }).errors?.[0]?.message).toContain('Long is')
})

test('a value of JSON goes out as it is', () => {
  expect(run('{ json }').data).toEqual({ json: { a: [1, null, { b: 'c' }] } })
})

test('built-in scalars that a schema does not use are not in it', () => {
  const builder = createBuilder()
  builder.queryType({ fields: (t) => ({ a: t.string({ resolve: () => '' }) }) })
  expect(printSchema(builder.toSchema())).not.toMatch(/scalar (Long|JSON)/)
  expect(printSchema(echo().toSchema())).toMatch(/scalar JSON[\s\S]*scalar Long/)
  expect(validate(echo().toSchema(), parse('{ json }'))).toEqual([])
})

test.each(['Long', 'JSON', 'Cursor', 'String', 'ID', 'Query', 'Throttle'])('the name %s is taken', (name) => {
  expect(() => createBuilder({ scalars: { [name]: money } })).toThrow(`The name "${name}" is taken`)
})

test('what is no definition of a scalar is refused', () => {
  expect(() => createBuilder({ scalars: { 'a-b': money } })).toThrow('is no name of a scalar')
  expect(() => createBuilder({ scalars: { A: {} as never } })).toThrow('needs the functions')
  expect(() => createBuilder({ scalars: { A: { ...money, comparedAs: 'object' as never } } })).toThrow('is compared as')
})

test('a scalar has the comparison of its definition', () => {
  const type = echo().toSchema().getType('Money') as GraphQLScalarType
  expect(type.extensions).toMatchObject(comparedAs('text'))
})
