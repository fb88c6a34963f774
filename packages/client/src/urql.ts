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
import type { Result, SluiceClient, SluiceClientError } from './sluice-client.ts'

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
          const sink = {
            next: (result: Result) => give(result, true),
            eventError: (result: Result) => give(result, true),
            error(error: SluiceClientError) {
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
          }
          let isStopped = false
          let stop = () => {}
          // A source gives nothing before it has been taken, which is after this function.
          queueMicrotask(() => {
            if (!isStopped) stop = subscribeSink(sluice, requestOf(operation), sink, listeners)
          })
          return () => {
            isStopped = true
            running.delete(operation.key)
            stop()
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

function requestOf({ query, variables, extensions }: Operation) {
  // A document in urql has one operation.
  const operation = query.definitions.find((definition) => 'operation' in definition)
  return {
    query: stringifyDocument(query),
    variables: variables as Record<string, unknown> | undefined,
    operationName: operation?.name?.value,
    extensions: extensions as Record<string, unknown> | undefined,
  }
}
