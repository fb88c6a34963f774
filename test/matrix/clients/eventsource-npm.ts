import { EventSource } from 'eventsource'
import type { MatrixClient } from '../client.ts'
import { subscribeBy } from '../event-source-subscription.ts'

export const client: MatrixClient = {
  title: '`eventsource`',
  packages: ['eventsource'],
  runs: 'node',
  open: (url) => ({ subscribe: subscribeBy(EventSource, url) }),
}
