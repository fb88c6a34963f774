import { type Client, createClient } from 'graphql-sse'
import type { OpenClient } from './client.ts'

/** The settings of docs/clients/graphql-sse.md. */
const ENDLESS = {
  retryAttempts: Number.POSITIVE_INFINITY,
  retry: (tries: number) =>
    new Promise<void>((resolve) => setTimeout(resolve, Math.random() * Math.min(30_000, 1000 * 2 ** tries))),
}

export function endlessClient(url: string): Client {
  return createClient({ url, ...ENDLESS })
}

export function openGraphqlSse<SingleConnection extends boolean>(client: Client<SingleConnection>): OpenClient {
  return {
    subscribe: (request, sink) => client.subscribe(request, sink),
    dispose: () => client.dispose(),
  }
}
