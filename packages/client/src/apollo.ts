import { CombinedGraphQLErrors } from '@apollo/client/errors'
import { ApolloLink } from '@apollo/client/link'
import { print } from '@apollo/client/utilities'
import { Observable } from 'rxjs'
import { errorsOf, type Listeners, subscribeSink } from './listeners.ts'
import { type Operation, type Result, type SluiceClient, SluiceClientError } from './sluice-client.ts'

export type { Listeners, OperationInfo } from './listeners.ts'

export interface SluiceLinkOptions extends Listeners {
  readonly client: SluiceClient
}

/**
 * A terminating link for Apollo Client's subscriptions. Queries and mutations may go to it as well, or by `split` to an
 * `HttpLink`. Credentials are those of its client: headers in an operation's context are not read.
 *
 * A refusal is a `CombinedGraphQLErrors`, whose `errors[0].extensions.code` is the gateway's code, and the end. An event
 * that failed is a result with such an error, unless `onEventError` is given, and the subscription goes on.
 */
export class SluiceLink extends ApolloLink {
  readonly #client: SluiceClient
  readonly #listeners: Listeners

  constructor({ client, ...listeners }: SluiceLinkOptions) {
    super()
    this.#client = client
    this.#listeners = listeners
  }

  override request(operation: ApolloLink.Operation): Observable<ApolloLink.Result> {
    const { query, variables, operationName, extensions } = operation
    const request: Operation = { query: print(query), variables, operationName, extensions }
    return operation.operationType === 'subscription' ? this.#subscribe(request) : this.#execute(request)
  }

  #subscribe(request: Operation): Observable<ApolloLink.Result> {
    return new Observable((observer) => {
      const next = (result: Result) => observer.next(result as ApolloLink.Result)
      return subscribeSink(
        this.#client,
        request,
        {
          next,
          eventError: next,
          error: (error) => observer.error(combined(error)),
          complete: () => observer.complete(),
        },
        this.#listeners,
      )
    })
  }

  #execute(request: Operation): Observable<ApolloLink.Result> {
    return new Observable((observer) => {
      const abort = new AbortController()
      this.#client.execute(request, abort.signal).then(
        (result) => {
          observer.next(result as ApolloLink.Result)
          observer.complete()
        },
        (error: unknown) => observer.error(error instanceof SluiceClientError ? combined(error) : error),
      )
      return () => abort.abort()
    })
  }
}

function combined(error: SluiceClientError): CombinedGraphQLErrors {
  return new CombinedGraphQLErrors({ errors: [...errorsOf(error)] } as ConstructorParameters<
    typeof CombinedGraphQLErrors
  >[0])
}
