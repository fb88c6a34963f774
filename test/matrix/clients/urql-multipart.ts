import { Client, fetchExchange } from '@urql/core'
import type { MatrixClient } from '../client.ts'
import { openUrql } from '../urql-subscription.ts'

export const client: MatrixClient = {
  title: 'urql, `fetchExchange` by multipart',
  packages: ['@urql/core'],
  runs: 'node',
  open(url) {
    const fetchOptions = { headers: { accept: 'multipart/mixed' } }
    const exchanges = [fetchExchange]
    return openUrql(new Client({ url, exchanges, fetchOptions, fetchSubscriptions: true, preferGetMethod: false }))
  },
}
