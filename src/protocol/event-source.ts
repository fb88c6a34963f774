import { EVENT_STREAM } from './accept.ts'

/** What is looked at of a request. */
export interface RequestHead {
  readonly method?: string | undefined
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
}

const NO_CACHE = /\bno-cache\b/i

/**
 * Whether a request is of a browser's own EventSource: a GET that accepts an event stream and nothing else, and no cached
 * one, as the standard has it (WHATWG HTML section 9.2.2), with the headers that browsers set themselves. What scripts
 * read with `fetch` lacks the cache control, and what other programs send lacks the browser's headers.
 */
export function isEventSource({ method, headers }: RequestHead): boolean {
  return (
    method === 'GET' &&
    headers.accept === EVENT_STREAM &&
    headers['sec-fetch-mode'] !== undefined &&
    NO_CACHE.test(String(headers['cache-control'] ?? ''))
  )
}
