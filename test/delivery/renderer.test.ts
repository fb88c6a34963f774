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
import { Compiler } from '../../src/delivery/compiler.ts'
import { Renderer } from '../../src/delivery/renderer.ts'
import { ResolverErrors } from '../../src/delivery/resolver-errors.ts'
import { Faults } from '../../src/faults.ts'
import type { StreamEvent } from '../../src/streams/event.ts'
import { silentLog } from '../kit/log-lines.ts'

/** More than an operation is executed before it is compiled, and more than compiled code may refuse. */
const MANY = 250

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const nth = (_self: unknown, _args: unknown, _context: unknown, info: GraphQLResolveInfo) => String(info.path.key)
const Step = new GraphQLObjectType({
  name: 'Step',
  fields: {
    n: { type: GraphQLInt, resolve: ({ value }: { value: { n: number } }) => value.n },
    later: { type: GraphQLInt, resolve: async ({ value }: { value: { n: number } }) => value.n },
    named: { type: GraphQLString, resolve: nth },
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
  const renderer = new Renderer({ args, weight: { document: 1, own: 1 }, key: fields, compiler, stats, errors })
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

test('a busy operation is compiled to text', async () => {
  const { renderer, render, stats } = rendererOf('n')
  await render(MANY)
  expect(renderer.compiled?.textOf).toBeDefined()
  await render(MANY)
  expect(stats).toEqual({ executions: 2 * MANY, bodies: 2 * MANY, compiled: 1 })
})

test('a busy operation with an asynchronous resolver is compiled to what gives results', async () => {
  const { renderer, render } = rendererOf('later')
  await render(MANY)
  expect(renderer.compiled?.execute).toBeDefined()
  await render(MANY)
  expect(renderer.compiled?.execute).toBeDefined()
})

test('an operation whose text is refused again and again is compiled anew, to what gives results', async () => {
  const { renderer, render, stats } = rendererOf('n named')
  await render(MANY)
  expect(renderer.compiled?.textOf).toBeDefined()
  await render(MANY)
  expect(renderer.compiled).toBeUndefined()
  await render(MANY)
  expect(renderer.compiled?.execute).toBeDefined()
  await render(MANY)
  expect(renderer.compiled?.execute).toBeDefined()
  expect(stats.compiled).toBe(2)
})
