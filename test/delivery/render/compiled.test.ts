import fc from 'fast-check'
import { type ExecutionResult, executeSubscriptionEvent, parse, validate, validateSubscriptionArgs } from 'graphql'
import { expect, test } from 'vitest'
import { compileText } from '../../../src/delivery/render/compile-text.ts'
import { resultJson } from '../../../src/delivery/render/result-json.ts'
import { silentErrors } from '../../kit/errors.ts'
import { Statistics } from '../../kit/statistics.ts'
import { calls, type Event, LEAVES, type Leaf, schema, seen } from './animals.ts'

const scalarField = fc.constantFrom(
  'id',
  'name',
  'age',
  'weight',
  'color',
  'seen',
  'tags',
  'strict',
  '__typename',
  'n: name',
  'then: name',
  '__proto__: name',
  'toJSON: age',
  'constructor: text',
  'p: plus',
  'plus(by: 3)',
  'v: plus(by: $by)',
  'text',
  'number',
  'whole',
)
const directive = fc.constantFrom(
  '',
  '',
  '',
  '',
  '',
  '',
  '',
  ' @include(if: $yes)',
  ' @skip(if: $yes)',
  ' @include(if: false)',
  ' @skip(if: false)',
)

/** Selections of an object type, nested to a depth. */
function selections(depth: number): fc.Arbitrary<string> {
  const leafSelection = fc.tuple(scalarField, directive).map(([field, on]) => field + on)
  const choices: fc.Arbitrary<string>[] = [leafSelection, leafSelection]
  if (depth > 0) {
    const inner = fc.oneof(abstractSelections(depth - 1))
    choices.push(
      fc
        .tuple(fc.constantFrom('friend', 'any', 'friends', 'f: friends'), directive, inner)
        .map(([field, on, set]) => `${field}${on} { ${set} }`),
      selections(depth - 1).map((set) => `needed { ${set} }`),
      selections(depth - 1).map((set) => `... { ${set} }`),
    )
  }
  return fc.array(fc.oneof(...choices), { minLength: 1, maxLength: 4 }).map((fields) => fields.join(' '))
}

function abstractSelections(depth: number): fc.Arbitrary<string> {
  return fc
    .tuple(selections(depth), selections(depth))
    .map(([cat, dog]) => `__typename ... on Cat { ${cat} } ... on Dog { ${dog} }`)
}

const event = fc.record<Event>({
  leaves: fc.array(fc.oneof({ weight: 6, arbitrary: fc.constant<Leaf>('value') }, fc.constantFrom(...LEAVES)), {
    minLength: 1,
    maxLength: 7,
  }),
  kind: fc.constantFrom('Cat', 'Dog'),
  length: fc.nat(3),
  text: fc.string({ unit: 'binary' }).map((text) => (text.length > 5 ? `${text}\ud800` : text)),
  number: fc.oneof(fc.double(), fc.integer(), fc.constant(-0)),
})

const json = (result: ExecutionResult) => resultJson(result, silentErrors)

/** What an execution gives, and which resolvers it asked. */
async function observe(execute: () => string | ExecutionResult | Promise<ExecutionResult>) {
  calls.length = 0
  const result = execute()
  const settled = await result
  return {
    json: typeof settled === 'string' ? settled : json(settled),
    calls: [...calls],
    isText: typeof result === 'string',
    isAwaited: result instanceof Promise,
  }
}

/** Selections of an object type in which every type is known beforehand. */
function plainSelections(depth: number): fc.Arbitrary<string> {
  const leafSelection = fc.tuple(scalarField, directive).map(([field, on]) => field + on)
  const choices: fc.Arbitrary<string>[] = [
    leafSelection,
    leafSelection,
    fc.constantFrom('...Named', '...Named', '...Named', 'path'),
  ]
  if (depth > 0) {
    choices.push(
      fc
        .tuple(
          fc.constantFrom(
            'needed',
            'perhaps',
            'kittens',
            'k: kittens',
            '...',
            '... on Animal',
            '... on Cat',
            '... on Anything',
          ),
          directive,
          plainSelections(depth - 1),
        )
        .map(([field, on, set]) =>
          field.startsWith('... on An') ? `${field}${on} { ... on Cat { ${set} } }` : `${field}${on} { ${set} }`,
        ),
    )
  }
  return fc.array(fc.oneof(...choices), { minLength: 1, maxLength: 5 }).map((fields) => fields.join(' '))
}

const some = fc.oneof(
  plainSelections(3).map((set) => `cat { ${set} }`),
  plainSelections(2).map((set) => `cat { ${set} }`),
  selections(3).map((set) => `cat { ${set} ...Named }`),
  abstractSelections(2).map((set) => `animal { ${set} ...Named }`),
)

test('a compiled operation gives the JSON that graphql-js gives, byte for byte, and asks the same resolvers, each once', async () => {
  const statistics = new Statistics('results', [
    'told as text',
    'left to graphql-js',
    'with errors',
    'awaited',
    'null',
    'escaped',
    'a list',
    'of an abstract type',
  ])
  let invalid = 0
  await fc.assert(
    fc.asyncProperty(some, fc.array(event, { minLength: 1, maxLength: 6 }), fc.boolean(), async (set, events, yes) => {
      const text = `subscription($yes: Boolean!, $by: Int) { ${set} }
          fragment Named on Animal { name id  ... on Cat { plus(by: $by) u: needed @include(if: $yes) { id } } }`
      const document = parse(text)
      if (validate(schema, document).length > 0) {
        invalid++
        return
      }
      const args = validateSubscriptionArgs({ schema, document, variableValues: { yes, by: 2 } })
      if (!('operation' in args)) throw new Error('not valid')
      const compiled = compileText(args)
      if (!compiled) throw new Error(`Not compiled: ${text}`)
      for (const rootValue of events) {
        const expected = await observe(() => executeSubscriptionEvent({ ...args, rootValue }))
        const actual = await observe(() => compiled.execute(args, rootValue))
        expect(actual.json, text).toBe(expected.json)
        expect(actual.calls, text).toEqual(expected.calls)
        expect(actual.isAwaited, text).toBe(expected.isAwaited)
        const hasErrors = expected.json.startsWith('{"errors"')
        if (!hasErrors && !expected.isAwaited) expect(actual.isText, `${text} ${expected.json}`).toBe(true)
        statistics.count(actual.isText ? 'told as text' : 'left to graphql-js')
        if (hasErrors) statistics.count('with errors')
        if (expected.isAwaited) statistics.count('awaited')
        if (expected.json.includes('null')) statistics.count('null')
        if (actual.isText && expected.json.includes('\\')) statistics.count('escaped')
        if (actual.isText && expected.json.includes('[')) statistics.count('a list')
        if (actual.isText && /animal|friend|any/.test(text)) statistics.count('of an abstract type')
      }
    }),
    { numRuns: 800 },
  )
  console.log(`${invalid} operations did not validate`)
  console.log(`leaves: ${[...seen].map(([what, times]) => `${what} ${times}`).join(', ')}`)
  statistics.report()
  for (const each of LEAVES) expect(seen.get(each), each).toBeGreaterThan(0)
})

test('fields that only some other directive leaves out are not compiled', () => {
  const args = validateSubscriptionArgs({ schema, document: parse('subscription { cat { id @later } }') })
  expect('operation' in args && compileText(args)).toBeUndefined()
})

test('fragments that multiply are not compiled', () => {
  const levels = Array.from(
    { length: 14 },
    (_, i) => `fragment L${i} on Cat { a: needed { ...L${i + 1} } b: needed { ...L${i + 1} } }`,
  )
  const document = parse(`subscription { cat { ...L0 } } ${levels.join(' ')} fragment L14 on Cat { id }`)
  const args = validateSubscriptionArgs({ schema, document })
  if (!('operation' in args)) throw new Error('not valid')
  expect(() => compileText(args)).toThrow('more than 10000 statements')
})
