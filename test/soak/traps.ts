/**
 * Fields that fail, beside those of the gateway's own schema: resolvers that throw whatever can be thrown, that look at
 * their `info` and arguments, that are slow; filters that throw; iterators that do not keep to what iterators should.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { GraphQLError, type GraphQLResolveInfo } from 'graphql'
import { builder } from '../../src/schema/types/builder.ts'
import { Region } from '../../src/schema/types/order.ts'
import { type OrderEvent, orders } from '../../src/streams/topics/orders.ts'
import { ITERATORS } from './iterators.ts'
import { SECRET } from './secret.ts'

const SLOW_MS = 20

const secret = () => new Error(`The password is ${SECRET}`)
const fail = (error: unknown): never => {
  throw error
}
const cyclic: Record<string, unknown> = {}
cyclic.self = cyclic

const Trap = builder.objectRef<OrderEvent>('Trap')
Trap.implement({
  fields: (t) => {
    const text = (resolve: (order: OrderEvent, args: object, context: unknown, info: GraphQLResolveInfo) => unknown) =>
      t.string({ nullable: true, resolve: resolve as never })
    const strict = (resolve: () => unknown) => t.string({ resolve: resolve as never })
    return {
      id: t.exposeID('id'),
      throwsError: text(() => fail(secret())),
      throwsLater: text(() => Promise.reject(secret())),
      throwsText: text(() => fail(`The password is ${SECRET}`)),
      throwsNothing: text(() => fail(undefined)),
      throwsCyclic: text(() => fail(Object.assign(secret(), { cyclic }))),
      throwsGraphQLError: text(() => fail(new GraphQLError('', { originalError: secret() }))),
      throwsCoded: text(() => fail(new GraphQLError('For clients', { extensions: { code: 'TEAPOT' } }))),
      throwsUnwritable: text(() =>
        fail(new GraphQLError('For clients', { extensions: { code: 'TEAPOT', cyclic, n: 1n } })),
      ),
      throwsStrict: strict(() => fail(secret())),
      nullStrict: strict(() => null),
      // Every fifth event only, so that a count of failures over a life and one in a row differ.
      throwsSometimes: text((order) => (placeNumber(order) % 5 === 0 ? fail(secret()) : 'fine')),
      notAnInt: t.int({ nullable: true, resolve: (() => SECRET) as never }),
      notText: text(() => ({ toString: () => fail(secret()), valueOf: () => fail(secret()) })),
      badThen: text(() => Object.defineProperty({}, 'then', { get: () => fail(secret()) })),
      slow: text(() => delay(SLOW_MS, 'slow')),
      reads: t.string({ args: { a: t.arg.int() }, resolve: (_order, args, _context, info) => look(args, info) }),
    }
  },
})

/** What a resolver can see of how it is called; it must be the same for every event of a subscription. */
function look(args: object, info: GraphQLResolveInfo): string {
  const spread = { ...info }
  const keys = Object.keys(info).sort().join()
  const has = ['fieldName', 'path', 'schema', 'variableValues', 'nothing'].map((key) => key in info).join()
  const own = Object.hasOwn(info, 'fieldName')
  const caught = tryTo(() => info.variableValues.coerced)
  const plain = Object.getPrototypeOf(args) === null
  return [
    keys,
    has,
    own,
    spread.fieldName,
    String(spread.parentType),
    caught,
    plain,
    Object.keys(args),
    'a' in args,
  ].join(';')
}

function tryTo(read: () => unknown): string {
  try {
    return typeof read()
  } catch {
    return 'threw'
  }
}

const placeNumber = ({ id }: OrderEvent): number => Number(id.split('.')[1])

const Filter = builder.enumType('TrapFilter', { values: ['PASSES', 'THROWS', 'THROWS_LATER', 'THROWS_SOMETIMES'] })
const Where = builder.enumType('TrapWhere', { values: ['PASSES', 'THROWS', 'ODD', 'NOTHING'] })

builder.subscriptionField('traps', (t) =>
  t.stream({
    topic: orders,
    type: Trap,
    nullable: true,
    args: { region: t.arg({ type: Region }), filter: t.arg({ type: Filter }), where: t.arg({ type: Where }) },
    where: ({ region, where }) => {
      if (where === 'THROWS') throw secret()
      if (where === 'ODD') return { region: { in: { [Symbol.iterator]: () => fail(secret()) } } } as never
      if (where === 'NOTHING') return undefined as never
      return region ? { region } : {}
    },
    filter: (order, { filter }) => {
      if (filter === 'THROWS') throw secret()
      if (filter === 'THROWS_LATER') return Promise.reject(secret()) as never
      if (filter === 'THROWS_SOMETIMES' && placeNumber(order) % 5 === 0) throw secret()
      return true
    },
  }),
)

const Iterator = builder.enumType('TrapIterator', { values: ITERATORS })

builder.subscriptionField('iterates', (t) =>
  t.field({
    type: 'Int',
    nullable: true,
    args: { kind: t.arg({ type: Iterator, required: true }), count: t.arg.int({ defaultValue: 2 }) },
    subscribe: (async (_root: unknown, { kind, count }: { kind: typeof Iterator.$inferType; count: number }) => {
      if (kind === 'REFUSES') throw secret()
      if (kind === 'REFUSES_GRAPHQL_ERROR')
        throw new GraphQLError(`The password is ${SECRET}`, { originalError: secret() })
      if (kind === 'IS_NONE') return { password: SECRET }
      return iterator(kind, Math.min(count, 100_000))
    }) as never,
    resolve: ((n: number) => n) as never,
  }),
)

function iterator(kind: typeof Iterator.$inferType, count: number): AsyncIterableIterator<number> {
  let n = 0
  const end = Promise.withResolvers<IteratorResult<number>>()
  return {
    async next() {
      if (kind === 'NEVER_YIELDS') return end.promise
      if (n < count || kind === 'RETURN_THROWS' || kind === 'RETURN_HANGS') {
        if (kind !== 'FLOODS') await delay(1)
        return { value: n++, done: false }
      }
      if (kind === 'THROWS_ERROR') throw secret()
      if (kind === 'THROWS_GRAPHQL_ERROR') throw new GraphQLError('', { originalError: secret() })
      if (kind === 'THROWS_NOTHING') fail(undefined)
      return { value: undefined, done: true }
    },
    async return() {
      end.resolve({ value: undefined, done: true })
      if (kind === 'RETURN_THROWS') throw secret()
      if (kind === 'RETURN_HANGS') return new Promise(() => {})
      return { value: undefined, done: true }
    },
    [Symbol.asyncIterator]() {
      return this
    },
  }
}

builder.queryField('trap', (t) =>
  t.string({
    nullable: true,
    args: { chars: t.arg.int({ defaultValue: 0 }), fails: t.arg.boolean({ defaultValue: true }) },
    resolve: (_root, { chars, fails }) => (fails ? fail(secret()) : 'x'.repeat(Math.min(chars ?? 0, 1_000_000))),
  }),
)
