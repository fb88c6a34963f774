import type { DocumentInput, Result, ResultError } from '../sluice-client.ts'
import { type HookOptions, useView, type VariablesArgument } from './use-view.ts'
import type { FeedStatus, View, ViewKind } from './view.ts'

/** `onResult` is called with each result; `data` has the latest before a frame. */
export type SubscriptionOptions = HookOptions

export interface SubscriptionResult<Data> extends FeedStatus {
  /** Of the latest event that has data. */
  readonly data: Data | undefined
  /** Of the latest event, or of the refusal. */
  readonly errors: readonly ResultError[] | undefined
}

class LatestResult<Data> implements View<SubscriptionResult<Data>> {
  #data: Data | undefined
  #errors: readonly ResultError[] | undefined

  take({ data, errors }: Result): void {
    this.#data = (data as Data | null | undefined) ?? this.#data
    this.#errors = errors
  }

  snapshot(status: FeedStatus): SubscriptionResult<Data> {
    return { data: this.#data, errors: status.error?.errors ?? this.#errors, ...status }
  }
}

const LATEST: ViewKind<SubscriptionResult<unknown>> = { key: 'latest', make: () => new LatestResult() }

/**
 * Subscribes while its component is mounted, and shows the latest result. Components with the same document and equal
 * variables share one subscription. Variables are compared by value.
 */
export function useSubscription<Data, Variables>(
  document: DocumentInput<Data, Variables>,
  variables: VariablesArgument<Variables>,
  options: SubscriptionOptions = {},
): SubscriptionResult<Data> {
  return useView(document, variables, options, LATEST as ViewKind<SubscriptionResult<Data>>)
}
