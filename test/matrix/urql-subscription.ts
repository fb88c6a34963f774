import type { Client } from '@urql/core'
import { onEnd, pipe, subscribe } from 'wonka'
import type { OpenClient } from './client.ts'

/** Results have errors where there was a result; an `error` whose request failed is no result. */
export function openUrql(client: Client): OpenClient {
  return {
    subscribe({ query, variables }, sink) {
      let stopped = false
      const { unsubscribe } = pipe(
        client.subscription(query, variables),
        onEnd(() => {
          if (!stopped) sink.complete()
        }),
        subscribe((result) => {
          if (result.error?.networkError) sink.error(result.error)
          else sink.next({ data: result.data, errors: result.error?.graphQLErrors })
        }),
      )
      return () => {
        stopped = true
        unsubscribe()
      }
    },
  }
}
