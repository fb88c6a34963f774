import {
  type Exchange,
  type ExecutionResult,
  makeOperation,
  makeResult,
  type Operation,
  type OperationResult,
  stringifyDocument,
} from '@urql/core'
import { filter, make, merge, mergeMap, pipe, type Source, takeUntil } from 'wonka'
import { errorsOf, type Listeners, subscribeSink } from './listeners.ts'
import type { Result, SluiceClient } from './sluice-client.ts'

export type { Listeners, OperationInfo } from './listeners.ts'

export interface SluiceExchangeOptions extends Listeners {
  readonly client: SluiceClient
}

/**
 * An exchange for urql's subscriptions: before `fetchExchange`, which goes on answering queries and mutations.
 *
 * It is not made of urql's `subscriptionExchange`, which merges each result into the one before: errors of one event
 * would stay for all that follow, and the last event would be delivered again at `complete`.
 *
 * A refusal is a result with an `error`, whose `graphQLErrors[0].extensions.code` is the gateway's code, and the end.
 * An event that failed is one too, unless `onEventError` is given, and the subscription goes on.
 */
export function sluiceExchange({ client: sluice, ...listeners }: SluiceExchangeOptions): Exchange {
  return ({ client, forward }) =>
    (operations$) => {
      /** Those that run: a second subscriber's request for the same one, `network-only`, comes here as well. */
      const running = new Set<number>()

      const resultsOf = (operation: Operation): Source<OperationResult> =>
        make<OperationResult>(({ next, complete }) => {
          running.add(operation.key)
          const give = (result: Result, hasNext: boolean) =>
            next({ ...makeResult(operation, result as unknown as ExecutionResult), hasNext })
          const { query, variables } = operation
          const subscription = subscribeSink(
            sluice,
            {
              query: stringifyDocument(query),
              variables: variables as Record<string, unknown> | undefined,
              operationName: nameOf(operation),
              extensions: operation.extensions as Record<string, unknown> | undefined,
            },
            {
              next: (result) => give(result, true),
              eventError: (result) => give(result, true),
              error(error) {
                running.delete(operation.key)
                give({ errors: errorsOf(error) }, false)
                complete()
              },
              complete() {
                running.delete(operation.key)
                // Its results end by a teardown: a last result would be an event that did not happen.
                client.reexecuteOperation(makeOperation('teardown', operation, operation.context))
                complete()
              },
            },
            listeners,
          )
          return () => {
            running.delete(operation.key)
            subscription.unsubscribe()
          }
        })

      const isOurs = ({ kind, key }: Operation) => kind === 'subscription' && !running.has(key)
      const results$ = pipe(
        operations$,
        filter(isOurs),
        mergeMap((operation) => {
          const isItsEnd = ({ kind, key }: Operation) => kind === 'teardown' && key === operation.key
          return pipe(resultsOf(operation), takeUntil(pipe(operations$, filter(isItsEnd))))
        }),
      )
      const others$ = pipe(
        operations$,
        filter(({ kind }) => kind !== 'subscription'),
        forward,
      )
      return merge([results$, others$])
    }
}

/** A document in urql has one operation. */
function nameOf({ query }: Operation): string | undefined {
  for (const definition of query.definitions) {
    if ('operation' in definition) return definition.name?.value
  }
  return undefined
}
