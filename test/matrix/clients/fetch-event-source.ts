import { fetchEventSource } from '@microsoft/fetch-event-source'
import type { MatrixClient } from '../client.ts'

/** With nothing but what a subscription needs. */
export const client: MatrixClient = {
  title: 'fetch-event-source, by default',
  packages: ['@microsoft/fetch-event-source'],
  runs: 'browser',
  open: (url) => ({
    subscribe(request, sink) {
      const stop = new AbortController()
      fetchEventSource(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(request),
        signal: stop.signal,
        onmessage({ event, data }) {
          if (event === 'complete') return stop.abort()
          sink.next(data === '' ? undefined : JSON.parse(data))
        },
      }).then(sink.complete, sink.error)
      return () => stop.abort()
    },
  }),
}
