import { Client } from '@urql/core'
import { sluiceExchange } from '../../../packages/client/src/urql.ts'
import type { MatrixClient } from '../client.ts'
import { openAdapter } from '../sluice-adapter.ts'
import { openUrql } from '../urql-subscription.ts'

export const client: MatrixClient = {
  title: 'urql, `@sluice/client/urql`',
  packages: ['@urql/core'],
  runs: 'node',
  open: (url) =>
    openAdapter(url, (options) =>
      openUrql(new Client({ url, exchanges: [sluiceExchange(options)], preferGetMethod: false })),
    ),
}
