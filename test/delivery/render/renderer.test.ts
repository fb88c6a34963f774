import {
  GraphQLInt,
  GraphQLObjectType,
  type GraphQLResolveInfo,
  GraphQLSchema,
  GraphQLString,
  parse,
  validateSubscriptionArgs,
} from 'graphql'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { OperationWork } from '../../../src/delivery/counts/operation-counts.ts'
import type { TextOperation } from '../../../src/delivery/render/compile-text.ts'
import { Compiler } from '../../../src/delivery/render/compiler.ts'
import { Renderer } from '../../../src/delivery/render/renderer.ts'
import { Faults } from '../../../src/errors/faults.ts'
import { ResolverErrors } from '../../../src/errors/resolver-errors.ts'
import type { StreamEvent } from '../../../src/streams/event.ts'
import { silentLog } from '../../kit/log-lines.ts'

/** More than an operation is executed before it is compiled, and more in a row than compiled code may leave. */
const MANY = 250

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const nth = (_self: unknown, _args: unknown, _context: unknown, info: GraphQLResolveInfo) => String(info.path.key)
/** Calls of the two resolvers that fail. */
let calls = 0
function failing(n: number, fails: boolean): number {
  calls++
  if (fails) throw new Error('failed')
  return n
}
const Step = new GraphQLObjectType({
  name: 'Step',
  fields: {
    n: { type: GraphQLInt, resolve: ({ value }: { value: { n: number } }) => value.n },
    later: { type: GraphQLInt, resolve: async ({ value }: { value: { n: number } }) => value.n },
    named: { type: GraphQLString, resolve: nth },
    /** Awaited for the first events. */
    early: {
      type: GraphQLInt,
      resolve: ({ value: { n } }: { value: { n: number } }) => (++calls < 300 ? Promise.resolve(n) : n),
    },
    /** One event of a hundred fails. */
    seldom: {
      type: GraphQLInt,
      resolve: ({ value }: { value: { n: number } }) => failing(value.n, value.n % 100 === 0),
    },
    fails: { type: GraphQLInt, resolve: ({ value }: { value: { n: number } }) => failing(value.n, true) },
  },
})
const schema = new GraphQLSchema({
  query: new GraphQLObjectType({ name: 'Query', fields: { n: { type: GraphQLInt } } }),
  subscription: new GraphQLObjectType({
    name: 'Subscription',
    fields: { step: { type: Step, resolve: (event: unknown) => event } },
  }),
})

function rendererOf(fields: string) {
  const args = validateSubscriptionArgs({ schema, document: parse(`subscription { step { ${fields} } }`) })
  if (!('operation' in args)) throw new Error('not valid')
  const stats = { executions: 0, bodies: 0, compiled: 0 }
  const compiler = new Compiler(stats, new Faults(silentLog))
  const errors = new ResolverErrors(silentLog)
  const work = new OperationWork('steps')
  const renderer = new Renderer({ args, weight: { document: 1, own: 1 }, key: fields, compiler, stats, errors, work })
  return {
    renderer,
    stats,
    /** Renders as many events, and lets what became due be done. */
    async render(count: number): Promise<void> {
      for (let n = 0; n < count; n++) {
        const event = { kind: 'event', value: { n } } as StreamEvent
        const { data } = JSON.parse(await renderer.jsonOf(event))
        expect(data.step.n ?? data.step.later).toBe(n)
      }
      vi.runAllTimers()
    },
  }
}

test('a busy operation is compiled', async () => {
  const { renderer, render, stats } = rendererOf('n')
  await render(MANY)
  expect(renderer.compiled).toBeDefined()
  await render(MANY)
  expect(stats).toEqual({ executions: 2 * MANY, bodies: 2 * MANY, compiled: 1 })
})

test('a busy operation whose resolvers are awaited is not compiled, until they are awaited no more', async () => {
  const { renderer, render } = rendererOf('n early')
  calls = 0
  await render(MANY)
  await render(MANY)
  expect(renderer.compiled).toBeUndefined()
  await render(MANY)
  expect(renderer.compiled).toBeDefined()
})

test('resolvers that look at their place are compiled too', async () => {
  const { renderer, render, stats } = rendererOf('n named')
  await render(MANY)
  const { compiled } = renderer
  expect(compiled).toBeDefined()
  vi.spyOn(compiled as TextOperation, 'execute')
  await render(MANY)
  expect(compiled?.execute).toHaveBeenCalledTimes(MANY)
  expect(stats.compiled).toBe(1)
})

test('an operation of which one event in a hundred fails keeps its compiled code for good', async () => {
  const { renderer, render } = rendererOf('n seldom')
  await render(MANY)
  const { compiled } = renderer
  vi.spyOn(compiled as TextOperation, 'execute')
  for (let time = 0; time < 60; time++) await render(MANY)
  expect(renderer.compiled).toBe(compiled)
  expect(compiled?.execute).toHaveBeenCalledTimes(60 * MANY)
})

test('compiled code rests while every event fails, and is back when they do no more; resolvers are called once', async () => {
  const { renderer, render } = rendererOf('n fails')
  await render(MANY)
  const { compiled } = renderer
  vi.spyOn(compiled as TextOperation, 'execute')
  calls = 0
  for (let time = 0; time < 8; time++) await render(MANY)
  expect(calls).toBe(8 * MANY)
  // A hundred, a thousand without, a hundred, and what is left of the next thousand.
  expect(compiled?.execute).toHaveBeenCalledTimes(200)
})
