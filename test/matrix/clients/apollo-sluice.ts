import { SluiceLink } from '../../../packages/client/src/apollo.ts'
import { openApollo } from '../apollo-subscription.ts'
import type { MatrixClient } from '../client.ts'
import { openAdapter } from '../sluice-adapter.ts'

export const client: MatrixClient = {
  title: 'Apollo Client, `@sluice/client/apollo`',
  packages: ['@apollo/client'],
  runs: 'node',
  open: (url) => openAdapter(url, (options) => openApollo(new SluiceLink(options))),
}
