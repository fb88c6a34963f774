import { HttpLink } from '@apollo/client'
import { openApollo } from '../apollo-subscription.ts'
import type { MatrixClient } from '../client.ts'

export const client: MatrixClient = {
  title: 'Apollo Client, `HttpLink` (multipart)',
  packages: ['@apollo/client'],
  runs: 'node',
  open: (uri) => openApollo(new HttpLink({ uri })),
}
