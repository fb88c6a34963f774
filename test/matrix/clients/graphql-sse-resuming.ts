import { createResumingClient } from '../../../packages/client/src/graphql-sse.ts'
import type { MatrixClient } from '../client.ts'
import { openGraphqlSse } from '../graphql-sse-subscription.ts'

export const client: MatrixClient = {
  title: 'graphql-sse, by `@sluice/client/graphql-sse`',
  packages: ['graphql-sse'],
  runs: 'node',
  open: (url) => openGraphqlSse(createResumingClient({ url })),
}
