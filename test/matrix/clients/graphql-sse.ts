import { createClient } from 'graphql-sse'
import type { MatrixClient } from '../client.ts'
import { openGraphqlSse } from '../graphql-sse-subscription.ts'

export const client: MatrixClient = {
  title: 'graphql-sse, by default',
  packages: ['graphql-sse'],
  runs: 'node',
  open: (url) => openGraphqlSse(createClient({ url })),
}
