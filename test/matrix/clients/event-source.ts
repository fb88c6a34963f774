import type { MatrixClient } from '../client.ts'
import { subscribeBy } from '../event-source-subscription.ts'

/** Chromium's own, closed on `complete` as docs/clients/eventsource.md says. */
export const client: MatrixClient = {
  title: 'EventSource (Chromium)',
  packages: [],
  runs: 'browser',
  open: (url) => ({ subscribe: subscribeBy((globalThis as never as { EventSource: never }).EventSource, url) }),
}
