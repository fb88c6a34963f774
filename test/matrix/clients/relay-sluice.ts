import relay from 'relay-runtime'
import { createSluiceNetwork } from '../../../packages/client/src/relay.ts'
import type { MatrixClient } from '../client.ts'
import { openRelay } from '../relay-subscription.ts'
import { openAdapter } from '../sluice-adapter.ts'

export const client: MatrixClient = {
  title: 'Relay, `@sluice/client/relay`',
  packages: ['relay-runtime'],
  runs: 'node',
  open: (url) =>
    openAdapter(url, (options) => {
      const { fetch, subscribe } = createSluiceNetwork(options)
      return openRelay(relay.Network.create(fetch, subscribe))
    }),
}
