import { Client, subscriptionExchange } from '@urql/core'
import type { MatrixClient } from '../client.ts'
import { endlessClient } from '../graphql-sse-subscription.ts'
import { openUrql } from '../urql-subscription.ts'

export const client: MatrixClient = {
  title: 'urql, `subscriptionExchange` with graphql-sse',
  packages: ['@urql/core', 'graphql-sse'],
  runs: 'node',
  open(url) {
    const sse = endlessClient(url)
    const exchange = subscriptionExchange({
      forwardSubscription: ({ query, variables }) => ({
        subscribe: (sink) => ({
          unsubscribe: sse.subscribe(
            { query: query ?? '', variables: variables ?? {} },
            sink as Parameters<typeof sse.subscribe>[1],
          ),
        }),
      }),
    })
    return {
      ...openUrql(new Client({ url, exchanges: [exchange], preferGetMethod: false })),
      dispose: () => sse.dispose(),
    }
  },
}
