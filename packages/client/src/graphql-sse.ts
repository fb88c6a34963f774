import { type Client, type ClientOptions, createClient } from 'graphql-sse'
import { createResumingFetch, type ResumeOptions } from './resuming-fetch.ts'

export type ResumingClientOptions<SingleConnection extends boolean = false> = Omit<
  ClientOptions<SingleConnection>,
  'fetchFn' | 'retry'
> & { readonly resume?: ResumeOptions }

/** graphql-sse's client, whose subscriptions come back indefinitely, each to where it was. Its options, and `resume`. */
export function createResumingClient<SingleConnection extends boolean = false>({
  resume,
  ...options
}: ResumingClientOptions<SingleConnection>): Client<SingleConnection> {
  const fetchFn = createResumingFetch(resume)
  // Indefinitely: the client counts on over planned closes of a quiet stream, and would give up after its fifth.
  const endless = { retryAttempts: Number.POSITIVE_INFINITY, ...options, fetchFn, retry: fetchFn.retryWait }
  return createClient(endless as unknown as ClientOptions<SingleConnection>)
}
