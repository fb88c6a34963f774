import { fetchEventSource } from '@microsoft/fetch-event-source'
import type { MatrixClient } from '../client.ts'

/** The program of docs/clients/fetch-event-source.md. */
export const client: MatrixClient = {
  title: 'fetch-event-source, [as configured here](clients/fetch-event-source.md)',
  packages: ['@microsoft/fetch-event-source'],
  runs: 'browser',
  open: (url) => ({
    subscribe(request, sink) {
      const stop = new AbortController()
      class Refused extends Error {
        readonly status: number
        constructor(status: number) {
          super(`Refused with status ${status}`)
          this.status = status
        }
      }
      fetchEventSource(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(request),
        signal: stop.signal,
        openWhenHidden: true,
        async onopen({ ok, status }) {
          if (ok) return
          if (status >= 400 && status < 500 && status !== 429) throw new Refused(status)
          throw new Error(`Status ${status}`)
        },
        onmessage({ event, data }) {
          if (event === 'next') sink.next(JSON.parse(data))
          if (event === 'complete') stop.abort()
        },
        onclose() {
          throw new Error('The stream has ended')
        },
        onerror(error) {
          if (error instanceof Refused) throw error
        },
      }).then(sink.complete, sink.error)
      return () => stop.abort()
    },
  }),
}
