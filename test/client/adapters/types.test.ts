import type { Client as GraphqlSseClient } from 'graphql-sse'
import { Network } from 'relay-runtime'
import { expect, expectTypeOf, test, vi } from 'vitest'
import { OrdersDocument as text } from '../../../examples/react/src/gql/graphql.ts'
import { type OrdersSubscription, OrdersDocument as tree } from '../../../examples/urql/src/gql/graphql.ts'
import { SluiceLink } from '../../../packages/client/src/apollo.ts'
import { createResumingClient } from '../../../packages/client/src/graphql-sse.ts'
import type { SluiceClient } from '../../../packages/client/src/index.ts'
import { useLiveList, useSubscription, useTable } from '../../../packages/client/src/react.ts'
import { createSluiceNetwork } from '../../../packages/client/src/relay.ts'
import { sluiceExchange } from '../../../packages/client/src/urql.ts'

type Order = OrdersSubscription['orders']

/** Type-checked, and never called: a hook outside of a component throws. */
function Hooks() {
  const { data, errors, gaps } = useSubscription(text, { last: 3 })
  expectTypeOf(data).toEqualTypeOf<OrdersSubscription | undefined>()
  expectTypeOf(errors?.[0]?.message).toEqualTypeOf<string | undefined>()
  expectTypeOf(gaps[0]?.gaps[0]?.from).toEqualTypeOf<number | undefined>()
  expectTypeOf(useSubscription(tree, {}).data?.orders).toEqualTypeOf<Order | undefined>()

  const { items, error } = useLiveList(tree, undefined, { by: 'id', max: 5 })
  expectTypeOf(items).toEqualTypeOf<readonly Order[]>()
  expectTypeOf(error?.code).toEqualTypeOf<string | undefined>()
  // @ts-expect-error an order has no such field in this document
  useLiveList(text, {}, { by: 'merchantId' })
  // @ts-expect-error the variable is a number
  useLiveList(text, { last: '3' }, { by: 'id' })
  // @ts-expect-error there is no such filter
  useSubscription(text, { where: { total: { gte: '1' } } })
  // @ts-expect-error it says nothing of what tells items apart
  useLiveList(text, {})

  const typed = text as unknown as string & {
    __apiType?: (variables: { id: string }) => { sales: { op: string; key?: string; row?: { orders: number } | null } }
  }
  expectTypeOf(useTable(typed, { id: 'a' }).rows).toEqualTypeOf<ReadonlyMap<string, { orders: number }>>()
  // @ts-expect-error the variable has to be given
  useTable(typed, {})
  // @ts-expect-error the variables have to be given
  useTable(typed, undefined)

  expectTypeOf(useSubscription('subscription { anything }', {}).data).toEqualTypeOf<unknown>()
}

test('documents carry their types through the hooks', () => {
  vi.spyOn(console, 'error').mockImplementation(() => {})
  expect(Hooks).toThrow()
})

test('what adapters make fits into what takes it', () => {
  const client = {} as SluiceClient
  const { fetch, subscribe } = createSluiceNetwork({ client, onGap: ({ topic }, { name }) => console.log(topic, name) })
  expect(Network.create(fetch, subscribe)).toBeDefined()
  // @ts-expect-error a client is needed
  expect(() => new SluiceLink()).toThrow()
  // @ts-expect-error there is no such listener
  sluiceExchange({ client, onGaps: () => {} })
  expectTypeOf(createResumingClient<false>).returns.toEqualTypeOf<GraphqlSseClient<false>>()
})
