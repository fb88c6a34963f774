import type { GraphQLSchema } from 'graphql'
import { onTestFinished } from 'vitest'
import { createSluiceClient, type SluiceClient, type SluiceClientOptions } from '../../../packages/client/src/index.ts'
import { createBuilder } from '../../../src/schema/builder.ts'
import { orders } from '../../../src/streams/topics/orders.ts'
import { anOrder, startTestGateway, type TestGateway } from '../../kit/gateway.ts'
import { Line } from './line.ts'

export const IDS = 'subscription Ids { ids }'
export const COUNT = 'subscription Count { count }'
export const WRONG = 'subscription Wrong { nope }'
export const HELLO = 'query Hello { hello }'

/** `ids` fails for orders whose id begins with "bad"; `count` counts to 3 and is complete. */
function idsSchema(): GraphQLSchema {
  const builder = createBuilder()
  builder.queryType({
    fields: (t) => ({
      hello: t.string({ resolve: () => 'world' }),
      fails: t.string({
        resolve: () => {
          throw new Error('secret')
        },
      }),
    }),
  })
  builder.subscriptionType({
    fields: (t) => ({
      ids: t.stream({
        topic: orders,
        type: 'String',
        resolve: ({ id }) => {
          if (id.startsWith('bad')) throw new Error('secret')
          return id
        },
      }),
      count: t.int({
        subscribe: async function* () {
          yield* [1, 2, 3]
        },
        resolve: (value: unknown) => value as number,
      }),
    }),
  })
  return builder.toSchema()
}

export interface World {
  readonly gateway: TestGateway
  readonly line: Line
  readonly client: SluiceClient
  /** Orders of these ids, all in partition 0: in order. */
  produce(...ids: string[]): Promise<void>
  /** Deletes the orders before this one, of all that were produced. */
  forget(before: number): void
}

/** The smallest window there is: some eighty orders. What is older is read from the log. */
const SMALL_WINDOW = { WINDOW_BYTES: String(64 * 1024) }

export async function startWorld(path = '', options: Partial<SluiceClientOptions> = {}): Promise<World> {
  const gateway = await startTestGateway({ schema: idsSchema(), topics: [orders], env: SMALL_WINDOW })
  const line = new Line()
  const client = createSluiceClient({
    url: gateway.graphql + path,
    fetch: line.fetch,
    baseWaitMs: 10,
    maxWaitMs: 50,
    ...options,
  })
  onTestFinished(() => client.dispose())
  return {
    gateway,
    line,
    client,
    async produce(...ids) {
      const records = ids.map((id) => ({ key: null, value: JSON.stringify(anOrder({ id })), partition: 0 }))
      await gateway.embedded.sink.send('orders', records)
    },
    forget: (before) => gateway.embedded.deleteRecords('orders', 0, before),
  }
}

export const named = (prefix: string, from: number, to: number) =>
  Array.from({ length: to - from }, (_, i) => `${prefix}${from + i}`)
