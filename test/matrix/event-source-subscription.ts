import type { EventSource } from 'eventsource'
import type { OpenClient } from './client.ts'

/** The subscription of docs/clients/eventsource.md, by a browser's EventSource or one like it. */
export function subscribeBy(Source: typeof EventSource, url: string): OpenClient['subscribe'] {
  return ({ query, variables }, sink) => {
    const search = new URLSearchParams({ query, variables: JSON.stringify(variables) })
    const stream = new Source(`${url}?${search}`)
    stream.addEventListener('next', ({ data }) => sink.next(JSON.parse(data)))
    stream.addEventListener('complete', () => {
      stream.close()
      sink.complete()
    })
    stream.addEventListener('error', (event) => {
      if (stream.readyState === stream.CLOSED) sink.error(event)
    })
    return () => stream.close()
  }
}
