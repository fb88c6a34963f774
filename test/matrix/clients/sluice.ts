import { createSluiceClient } from '../../../packages/client/src/sluice-client.ts'
import type { MatrixClient } from '../client.ts'
import { openSluice } from '../sluice-subscription.ts'

export const client: MatrixClient = {
  title: '`@sluice/client`',
  packages: [],
  runs: 'node',
  open: (url) => openSluice(createSluiceClient({ url })),
}
