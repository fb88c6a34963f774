import { ApolloLink, Observable } from '@apollo/client'
import { print } from 'graphql'
import { openApollo } from '../apollo-subscription.ts'
import type { MatrixClient } from '../client.ts'
import { endlessClient } from '../graphql-sse-subscription.ts'

export const client: MatrixClient = {
  title: 'Apollo Client, a link with graphql-sse',
  packages: ['@apollo/client', 'graphql-sse'],
  runs: 'node',
  open(url) {
    const sse = endlessClient(url)
    const link = new ApolloLink(
      ({ query, variables, operationName }) =>
        new Observable((sink) =>
          sse.subscribe(
            { query: print(query), variables, ...(operationName !== undefined && { operationName }) },
            sink as Parameters<typeof sse.subscribe>[1],
          ),
        ),
    )
    return { ...openApollo(link), dispose: () => sse.dispose() }
  },
}
