import type { GraphQLSchema } from 'graphql'
import { SluiceError } from '../../src/errors/codes.ts'
import { createBuilder } from '../../src/schema/builder.ts'
import { orders } from '../../src/streams/topics/orders.ts'

/** What a test can see of, and do to, the hand-written fields of the schema. */
export interface Probe {
  readonly schema: GraphQLSchema
  /** Times that the mutation was executed. */
  shouts: number
  /** Items that `endless` was asked for. */
  pulled: number
  /** Sources that were started and have not ended. */
  open: number
  /** Sources that were told to end, and threw. */
  endedBadly: number
  /** Lets `later` go on; it can be called before. */
  release(): void
}

/** A schema with all that the gateway's own has not: a mutation, and subscriptions with a `subscribe` of their own. */
export function probeSchema(): Probe {
  const builder = createBuilder()
  const gate = Promise.withResolvers<void>()
  const probe = { shouts: 0, pulled: 0, open: 0, endedBadly: 0, release: () => gate.resolve() }

  async function* source<T>(items: AsyncIterable<T> | Iterable<T>): AsyncGenerator<T> {
    probe.open++
    try {
      yield* items
    } finally {
      probe.open--
    }
  }

  builder.queryType({
    fields: (t) => ({
      hello: t.string({ resolve: () => 'world' }),
      fails: t.string({
        resolve: () => {
          throw new Error('secret: the password is hunter2')
        },
      }),
      later: t.string({
        resolve: async () => {
          await gate.promise
          return 'now'
        },
      }),
    }),
  })
  builder.mutationType({
    fields: (t) => ({
      shout: t.string({
        args: { text: t.arg.string({ required: true }) },
        resolve: (_root, { text }) => {
          probe.shouts++
          return text.toUpperCase()
        },
      }),
    }),
  })
  builder.subscriptionType({
    fields: (t) => ({
      orderIds: t.stream({ topic: orders, type: 'String', resolve: ({ id }) => id }),
      asksForTooMuch: t.stream({
        topic: orders,
        type: 'String',
        where: () => ({ merchantId: { in: Array.from({ length: 100_000 }, (_each, index) => `m_${index}`) } }),
        resolve: ({ id }) => id,
      }),
      count: t.int({
        args: { to: t.arg.int({ required: true }) },
        subscribe: (_root, { to }) => source(Array.from({ length: to }, (_each, index) => index + 1)),
        resolve: (value: unknown) => value as number,
      }),
      refuses: t.int({
        subscribe: () => {
          throw new Error('secret: the password is hunter2')
        },
        resolve: () => 0,
      }),
      refusesInItsWords: t.int({
        subscribe: () => {
          throw new SluiceError('SUBSCRIBE_FAILED', 'The shop is closed')
        },
        resolve: () => 0,
      }),
      whereThrows: t.stream({
        topic: orders,
        type: 'String',
        where: () => {
          throw new Error('secret: the password is hunter2')
        },
        resolve: ({ id }) => id,
      }),
      breaks: t.int({
        subscribe: () =>
          source(
            (async function* () {
              yield 1
              throw new Error('secret: the password is hunter2')
            })(),
          ),
        resolve: (value: unknown) => value as number,
      }),
      failsOnTwo: t.int({
        subscribe: () => source([1, 2, 3]),
        resolve: (value: unknown) => {
          if (value === 2) throw new Error('secret: the password is hunter2')
          return value as number
        },
      }),
      silent: t.int({
        subscribe: () => never(probe),
        resolve: () => 0,
      }),
      endless: t.string({
        subscribe: () => source(endless(probe)),
        resolve: (value: unknown) => value as string,
      }),
      slowToStart: t.int({
        subscribe: async () => {
          await gate.promise
          return never(probe)
        },
        resolve: () => 0,
      }),
      endsBadly: t.int({
        subscribe: () =>
          endingBy(() => {
            probe.endedBadly++
            throw new Error('cannot end')
          }),
        resolve: () => 0,
      }),
      endsBadlyLater: t.int({
        subscribe: () =>
          endingBy(async () => {
            probe.endedBadly++
            throw new Error('cannot end')
          }),
        resolve: () => 0,
      }),
      slowToStartAndEndsBadly: t.int({
        subscribe: async () => {
          await gate.promise
          return endingBy(async () => {
            probe.endedBadly++
            throw new Error('cannot end')
          })
        },
        resolve: () => 0,
      }),
    }),
  })
  return Object.assign(probe, { schema: builder.toSchema() })
}

/** Yields nothing, and can be ended while it is waited for, which an async generator cannot. */
function never(probe: { open: number }): AsyncIterable<number> {
  const ended = Promise.withResolvers<IteratorResult<number>>()
  probe.open++
  const iterator: AsyncIterator<number> = {
    next: () => ended.promise,
    async return() {
      probe.open--
      ended.resolve({ done: true, value: undefined })
      return { done: true, value: undefined }
    },
  }
  return { [Symbol.asyncIterator]: () => iterator }
}

function endingBy(end: () => Promise<IteratorResult<number>>): AsyncIterable<number> {
  const iterator: AsyncIterator<number> = { next: () => new Promise(() => {}), return: end }
  return { [Symbol.asyncIterator]: () => iterator }
}

/** Of each item of `endless`. */
export const ITEM_BYTES = 16 * 1024
const LARGE = 'x'.repeat(ITEM_BYTES)

async function* endless(probe: { pulled: number }): AsyncGenerator<string> {
  for (;;) {
    probe.pulled++
    yield LARGE
  }
}
