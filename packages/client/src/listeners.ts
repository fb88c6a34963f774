import { report } from './report.ts'
import {
  type ConnectionState,
  type Gap,
  type Observer,
  type Operation,
  type Result,
  type SluiceClient,
  SluiceClientError,
} from './sluice-client.ts'

/** The operation that something is told of. */
export interface OperationInfo {
  readonly name: string | undefined
  readonly variables: Readonly<Record<string, unknown>> | undefined
}

/**
 * What is told beside the results. It does not reach the GraphQL client behind, which may end at it, or take it for
 * another event.
 */
export interface Listeners {
  /** Events are gone for good; the subscription goes on. Default: a warning on the console, since it must be seen. */
  readonly onGap?: ((gap: Gap, operation: OperationInfo) => void) | undefined
  /** All that was missed has been delivered. */
  readonly onCaughtUp?: ((operation: OperationInfo) => void) | undefined
  /** The resolvers of one event failed, and it has no data; the subscription goes on. Default: see the adapter. */
  readonly onEventError?: ((result: Result, operation: OperationInfo) => void) | undefined
  readonly onState?: ((state: ConnectionState, operation: OperationInfo) => void) | undefined
}

/** Where the GraphQL client behind takes its results. */
export interface Sink {
  /** A result that has data, errors, or both. */
  next(result: Result): void
  error(error: SluiceClientError): void
  complete(): void
  /** A result without data; absent: the client behind does not survive it. */
  eventError?(result: Result): void
}

/**
 * Subscribes a GraphQL client: results to its sink, everything else to the listeners. What cannot be sent is refused, as
 * the gateway would refuse it.
 * @returns what ends it
 */
export function subscribeSink(
  client: SluiceClient,
  operation: Operation,
  sink: Sink,
  listeners: Listeners,
): () => void {
  const info: OperationInfo = { name: operation.operationName, variables: operation.variables }
  const title = info.name ?? 'A subscription'
  const observer: Observer<unknown> = {
    next(result) {
      // A position alone is no event.
      if (result.data || result.errors) contain(() => sink.next(result))
    },
    error: (error) => contain(() => sink.error(error)),
    complete: () => contain(() => sink.complete()),
    onState: (state) => contain(() => listeners.onState?.(state, info)),
    onCaughtUp: () => contain(() => listeners.onCaughtUp?.(info)),
    onGap(gap) {
      if (listeners.onGap) contain(() => listeners.onGap?.(gap, info))
      else console.warn(`${title}: events of ${gap.topic} are gone, and it goes on behind them`, gap.gaps)
    },
    onEventError(result) {
      if (listeners.onEventError) contain(() => listeners.onEventError?.(result, info))
      else if (sink.eventError) contain(() => sink.eventError?.(result))
      else console.warn(`${title}: an event failed, and it goes on behind it`, result.errors)
    },
  }
  try {
    const subscription = client.subscribe<unknown, Record<string, unknown>>(operation, observer)
    return () => subscription.unsubscribe()
  } catch (error) {
    const { message } = error as Error
    contain(() => sink.error(new SluiceClientError('BAD_REQUEST', message)))
    return () => {}
  }
}

/** Calls what an application gave. What it throws is reported, and ends no subscription. */
export function contain(call: () => void): void {
  try {
    call()
  } catch (error) {
    report(error)
  }
}

/** The errors of a refusal, each with a code: an answer that is no GraphQL has none of its own. */
export function errorsOf({ errors, message, code }: SluiceClientError) {
  return errors.length > 0 ? errors : [{ message, extensions: { code } }]
}
