import type { SluiceClientError } from './client-error.ts'
import type { ConnectionState } from './connection-state.ts'
import type { Result } from './operation.ts'

/** Events that are gone for good (`CURSOR_EXPIRED`): the stream goes on behind them. */
export interface Gap {
  readonly topic: string
  readonly gaps: readonly {
    readonly partition: number
    readonly from: number
    readonly to: number
    readonly reason: string
  }[]
  readonly message: string
}

/**
 * What a subscription tells. Where `onGap` or `onEventError` is given, such results go there and not to `next`: GraphQL
 * clients behind may not survive them. Positions and markers are no results: they never go to `next`.
 *
 * What a callback throws is reported (`reportError`, or the console), and ends nothing: the event counts as delivered.
 */
export interface Observer<Data> {
  next(result: Result<Data>): void
  /** The end by a refusal. Nothing comes after it. */
  error?(error: SluiceClientError): void
  /** The end by the gateway's `complete`. Nothing comes after it. */
  complete?(): void
  onState?(state: ConnectionState): void
  onGap?(gap: Gap): void
  /** All that was missed has been delivered. */
  onCaughtUp?(): void
  /** The resolvers of one event failed, and its result has no data that can be used. */
  onEventError?(result: Result<Data>): void
}
