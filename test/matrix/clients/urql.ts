import { Client, fetchExchange } from '@urql/core'
import type { MatrixClient } from '../client.ts'
import { openUrql } from '../urql-subscription.ts'

export const client: MatrixClient = {
  title: 'urql, `fetchExchange`',
  packages: ['@urql/core'],
  runs: 'node',
  open: (url) =>
    openUrql(new Client({ url, exchanges: [fetchExchange], fetchSubscriptions: true, preferGetMethod: false })),
}
