import fc from 'fast-check'
import {
  type ExecutionResult,
  parse,
  type ValidatedSubscriptionArgs,
  validate,
  validateSubscriptionArgs,
} from 'graphql'
import { expect, test } from 'vitest'
import { compileText } from '../../../src/delivery/render/compile-text.ts'
import { executeEvent } from '../../../src/delivery/render/execute-event.ts'
import { resultJson } from '../../../src/delivery/render/result-json.ts'
import { silentErrors } from '../../kit/errors.ts'
import { Statistics } from '../../kit/statistics.ts'
import { LOOKS, newMemory, schema } from './observing-schema.ts'

const ARGUMENTS = [
  '',
  '(n: 4)',
  '(n: $n)',
  '(input: { n: 1, inner: { list: [1] } }, list: [1, 2])',
  '(input: $input, list: $list)',
  '(input: { inner: $input }, at: 5)',
  '(at: $at, any: $any)',
  '(any: 8, s: "s")',
  '(list: 1)',
]
const VARIABLES = {
  n: 5,
  input: { n: 2, inner: { list: [3] } },
  list: [4, 5],
  at: 6,
  any: { a: [{ b: 1 }] },
  yes: true,
}
const HEAD = 'subscription ($n: Int, $input: Input, $list: [Int], $at: Moment, $any: Anything, $yes: Boolean!)'

const looked = fc
  .tuple(
    fc.constantFrom(...Object.keys(LOOKS), 'counted', 'getterFails', 'method', 'required', '__typename'),
    fc.constantFrom(...ARGUMENTS),
    fc.nat(3),
  )
  .map(([name, given, alias]) =>
    /counted|getterFails|required|__typename/.test(name) ? name : `${name}${alias}: ${name}${given}`,
  )

function selections(depth: number): fc.Arbitrary<string> {
  const choices: fc.Arbitrary<string>[] = [looked, looked, looked]
  if (depth > 0) {
    const inner = selections(depth - 1)
    choices.push(
      fc
        .tuple(fc.constantFrom('child', 'children', 'c: children', '...', '... on Node'), inner)
        .map(([on, set]) => `${on} { ${set} }`),
      inner.map((set) => `looking { __typename ... on Node { ${set} } }`),
      inner.map((set) => `child @include(if: $yes) { ${set} }`),
    )
  }
  return fc.array(fc.oneof(...choices), { minLength: 1, maxLength: 4 }).map((all) => all.join(' '))
}

const events = fc.array(fc.record({ fails: fc.boolean(), size: fc.nat(3) }), { minLength: 2, maxLength: 6 })

type Execute = (args: ValidatedSubscriptionArgs, event: unknown) => string | ExecutionResult | Promise<ExecutionResult>

/** What clients are told of a run of events, by resolvers that have a memory of their own. */
async function tell(execute: Execute, args: ValidatedSubscriptionArgs, run: readonly object[]): Promise<string[]> {
  const memory = newMemory()
  const told: string[] = []
  for (const each of run) {
    const result = await execute(args, { kind: 'event', value: { ...each, memory } })
    told.push(typeof result === 'string' ? result : resultJson(result, silentErrors))
  }
  return told
}

test('no resolver can tell compiled code from graphql-js, whatever it looks at, keeps or changes', async () => {
  const statistics = new Statistics('looks', [
    ...Object.keys(LOOKS),
    'counted',
    'getterFails',
    'method',
    'required',
    'left to graphql-js',
    'told as text',
    'fails',
    'in a list',
  ])
  await fc.assert(
    fc.asyncProperty(selections(2), events, async (set, run) => {
      const document = parse(
        `${HEAD} { node { ${set} unused: argsJson(n: $n, input: $input, list: $list, at: $at, any: $any) @skip(if: $yes) } }`,
      )
      fc.pre(validate(schema, document).length === 0)
      const args = validateSubscriptionArgs({
        schema,
        document,
        variableValues: VARIABLES,
        contextValue: { me: 'context' },
      })
      if (!('operation' in args)) throw args[0]
      const compiled = compileText(args)
      if (!compiled) throw new Error(`Not compiled: ${set}`)
      const execute: Execute = (given, event) => {
        const result = compiled.execute(given, event)
        statistics.count(typeof result === 'string' ? 'told as text' : 'left to graphql-js')
        return result
      }
      const expected = await tell(executeEvent, args, run)
      const actual = await tell(execute, args, run)
      expect(actual, set).toEqual(expected)
      for (const look of Object.keys(LOOKS)) if (set.includes(look)) statistics.count(look)
      for (const look of ['counted', 'getterFails', 'method', 'required'])
        if (set.includes(look)) statistics.count(look)
      if (expected.some((each) => each.startsWith('{"errors"'))) statistics.count('fails')
      if (set.includes('children')) statistics.count('in a list')
    }),
    { numRuns: 1_000 },
  )
  statistics.report()
})

test.each(ARGUMENTS)('what a resolver changes in its arguments %s no other event sees', async (given) => {
  const document = parse(`${HEAD} { node { argsChanged${given} child { argsChanged${given} } } }`)
  const args = validateSubscriptionArgs({ schema, document, variableValues: VARIABLES, contextValue: {} })
  if (!('operation' in args)) throw args[0]
  const compiled = compileText(args)
  const run = [{ size: 1 }, { size: 1 }, { size: 1 }]
  for (const execute of [executeEvent, compiled?.execute as Execute]) {
    const [first, ...others] = await tell(execute, args, run)
    for (const each of others) expect(each).toBe(first)
  }
})
