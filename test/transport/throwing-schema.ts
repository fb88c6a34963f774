import { GraphQLScalarType, type GraphQLSchema } from 'graphql'
import { createBuilder } from '../../src/schema/builder.ts'
import { orders } from '../../src/streams/topics/orders.ts'

/** A schema that throws what it is told to, from every place where code of an application is called. */
export interface Throwing {
  readonly schema: GraphQLSchema
  thrown: () => unknown
}

export interface Place {
  readonly where: string
  readonly query: string
  readonly variables?: object
  /** It is asked for while the operation is refused or admitted: GraphQL's own errors are meant for clients there. */
  readonly isInput?: true
  /** An order has to come: the stream stays open. */
  readonly needsEvent?: true
}

export const PLACES: readonly Place[] = [
  { where: 'a resolver', query: '{ sync }' },
  { where: 'a resolver of a required field', query: '{ required }' },
  { where: 'a rejected promise', query: '{ async }' },
  { where: 'an item of a list', query: '{ items }' },
  { where: 'an iterator', query: '{ iterated }' },
  { where: 'an asynchronous iterator', query: '{ iteratedLater }' },
  { where: 'a getter', query: '{ getter { value } }' },
  { where: 'serialize', query: '{ serialized }' },
  { where: 'toJSON of what a scalar gives', query: '{ toJson }' },
  { where: 'resolveType', query: '{ union { ... on Thing { value } } }' },
  { where: 'isTypeOf', query: '{ checked { value } }' },
  { where: 'parseValue', query: 'query ($bad: Bad) { takes(bad: $bad) }', variables: { bad: 1 }, isInput: true },
  { where: 'parseLiteral', query: '{ takes(bad: 1) }', isInput: true },
  { where: 'a mutation', query: 'mutation { sync }' },
  { where: 'subscribe', query: 'subscription { subscribes }' },
  { where: 'subscribe, later', query: 'subscription { subscribesLater }' },
  { where: 'the making of an iterator', query: 'subscription { makes }' },
  { where: 'next', query: 'subscription { next }' },
  { where: 'next, at once', query: 'subscription { nextAtOnce }' },
  { where: 'next, in the middle', query: 'subscription { nextSecond }' },
  { where: "a subscription's resolver", query: 'subscription { resolves }' },
  { where: 'where', query: 'subscription { where }' },
  { where: 'filter', query: 'subscription { filter }', needsEvent: true },
  { where: "a stream's resolver", query: 'subscription { stream }', needsEvent: true },
  { where: "a stream's resolver, later", query: 'subscription { streamLater }', needsEvent: true },
]

export function throwingSchema(): Throwing {
  const state = { thrown: (): unknown => new Error() }
  const fail = (): never => {
    throw state.thrown()
  }
  const failLater = (): Promise<never> => Promise.reject(state.thrown())
  const builder = createBuilder()
  builder.addScalarType('Bad' as never, new GraphQLScalarType({ name: 'Bad', serialize: fail, parseValue: fail }))
  builder.addScalarType('Json' as never, new GraphQLScalarType({ name: 'Json' }))
  const bad = 'Bad' as 'String'
  const json = 'Json' as 'String'
  const Thing = builder.objectRef<{ value?: number }>('Thing').implement({
    fields: (t) => ({ value: t.int({ nullable: true, resolve: (thing) => thing.value ?? 0 }) }),
  })
  const Checked = builder
    .objectRef<object>('Checked')
    .implement({ isTypeOf: fail, fields: (t) => ({ value: t.int({ resolve: () => 1 }) }) })
  const Getter = builder
    .objectRef<{ value: number }>('Getter')
    .implement({ fields: (t) => ({ value: t.exposeInt('value', { nullable: true }) }) })
  const Union = builder.unionType('Union', { types: [Thing], resolveType: fail })
  const getter = {
    get value(): number {
      return fail()
    },
  }
  builder.queryType({
    fields: (t) => ({
      sync: t.int({ nullable: true, resolve: fail }),
      required: t.int({ resolve: fail }),
      async: t.int({ nullable: true, resolve: failLater }),
      items: t.intList({ nullable: { list: true, items: true }, resolve: () => [failLater() as never] }),
      iterated: t.intList({ nullable: true, resolve: () => ({ [Symbol.iterator]: () => ({ next: fail }) }) as never }),
      iteratedLater: t.intList({
        nullable: true,
        resolve: () => ({ [Symbol.asyncIterator]: () => ({ next: failLater }) }) as never,
      }),
      getter: t.field({ type: Getter, nullable: true, resolve: () => getter }),
      serialized: t.field({ type: bad, nullable: true, resolve: () => '1' }),
      toJson: t.field({ type: json, nullable: true, resolve: () => ({ toJSON: fail }) as never }),
      union: t.field({ type: Union, nullable: true, resolve: () => ({}) }),
      checked: t.field({ type: Checked, nullable: true, resolve: () => ({}) }),
      takes: t.int({ nullable: true, args: { bad: t.arg({ type: bad }) }, resolve: () => 1 }),
    }),
  })
  builder.mutationType({ fields: (t) => ({ sync: t.int({ nullable: true, resolve: fail }) }) })
  const iterating = (next: () => unknown) => () => ({ [Symbol.asyncIterator]: () => ({ next }) }) as never
  let pulled = 0
  const one = { value: 1, done: false }
  builder.subscriptionType({
    fields: (t) => {
      const hand = (subscribe: () => unknown, resolve: () => number = () => 1) =>
        t.int({ nullable: true, subscribe: subscribe as never, resolve })
      const stream = (options: object) => t.stream({ topic: orders, type: 'Int', nullable: true, ...options } as never)
      return {
        subscribes: hand(fail),
        subscribesLater: hand(failLater),
        makes: hand(() => ({ [Symbol.asyncIterator]: fail })),
        next: hand(iterating(failLater)),
        nextAtOnce: hand(iterating(fail)),
        nextSecond: hand(iterating(() => (pulled++ % 2 === 0 ? Promise.resolve(one) : failLater()))),
        resolves: hand(
          iterating(async () => (pulled++ % 2 === 0 ? one : { done: true })),
          fail,
        ),
        where: stream({ where: fail, resolve: () => 1 }),
        filter: stream({ filter: fail, resolve: () => 1 }),
        stream: stream({ resolve: fail }),
        streamLater: stream({ resolve: failLater }),
      } as never
    },
  })
  return Object.assign(state, { schema: builder.toSchema() })
}
