import { type GraphQLResponse, Observable, type RequestParameters, type Variables } from 'relay-runtime'
import { type Listeners, subscribeSink } from './listeners.ts'
import { type Operation, type Result, type SluiceClient, SluiceClientError } from './sluice-client.ts'

export type { Listeners, OperationInfo } from './listeners.ts'

export interface SluiceNetworkOptions extends Listeners {
  readonly client: SluiceClient
}

/** What `Network.create` takes. */
export interface SluiceNetwork {
  readonly fetch: (request: RequestParameters, variables: Variables) => Observable<GraphQLResponse>
  readonly subscribe: (request: RequestParameters, variables: Variables) => Observable<GraphQLResponse>
}

/**
 * The functions of a Relay network: `Network.create(fetch, subscribe)`.
 *
 * Relay ends a subscription at a result without data, so those of events that failed do not reach it: they go to
 * `onEventError`, by default as a warning to the console. A refusal is the `SluiceClientError`, to `onError`, with the
 * gateway's `code`.
 */
export function createSluiceNetwork({ client, ...listeners }: SluiceNetworkOptions): SluiceNetwork {
  return {
    fetch: (request, variables) =>
      Observable.create((sink) => {
        const abort = new AbortController()
        client.execute(operationOf(request, variables), abort.signal).then((result) => {
          sink.next(responseOf(result))
          sink.complete()
        }, sink.error)
        return () => abort.abort()
      }),
    subscribe: (request, variables) =>
      Observable.create((sink) => {
        const { error, complete } = sink
        const next = (result: Result) => sink.next(responseOf(result))
        const operation = operationOf(request, variables)
        return subscribeSink(client, operation, { next, error, complete }, listeners)
      }),
  }
}

function operationOf({ text, name }: RequestParameters, variables: Variables): Operation {
  if (text) return { query: text, variables, operationName: name }
  throw new SluiceClientError('BAD_REQUEST', `${name} has no text: compile it without "persistConfig"`)
}

function responseOf(result: Result): GraphQLResponse {
  return result as GraphQLResponse
}
