import { ApolloClient, type ApolloLink, gql, InMemoryCache } from '@apollo/client'
import type { OpenClient } from './client.ts'

export function openApollo(link: ApolloLink): OpenClient {
  const client = new ApolloClient({ link, cache: new InMemoryCache() })
  return {
    subscribe({ query, variables }, sink) {
      const subscription = client.subscribe({ query: gql(query), variables, fetchPolicy: 'no-cache' }).subscribe(sink)
      return () => subscription.unsubscribe()
    },
    dispose: () => client.stop(),
  }
}
