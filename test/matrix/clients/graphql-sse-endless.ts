import type { MatrixClient } from '../client.ts'
import { endlessClient, openGraphqlSse } from '../graphql-sse-subscription.ts'

export const client: MatrixClient = {
  title: 'graphql-sse, [as configured here](clients/graphql-sse.md)',
  packages: ['graphql-sse'],
  runs: 'node',
  open: (url) => openGraphqlSse(endlessClient(url)),
}
