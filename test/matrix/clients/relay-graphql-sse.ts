import type { ConcreteRequest } from 'relay-runtime'
import relay from 'relay-runtime'
import type { MatrixClient } from '../client.ts'
import { endlessClient } from '../graphql-sse-subscription.ts'
import { openRelay } from '../relay-subscription.ts'

export const client: MatrixClient = {
  title: 'Relay, a network with graphql-sse',
  packages: ['relay-runtime', 'graphql-sse'],
  runs: 'node',
  open(url) {
    const sse = endlessClient(url)
    const network = relay.Network.create(
      () => Promise.reject(new Error('Only subscriptions')),
      ({ text }: ConcreteRequest['params'], variables) =>
        relay.Observable.create((sink) => sse.subscribe({ query: text ?? '', variables }, sink as never)),
    )
    return { ...openRelay(network), dispose: () => sse.dispose() }
  },
}
