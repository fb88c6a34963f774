import type { SluiceClientError } from './client-error.ts'

/** The state of one subscription. */
export type ConnectionState =
  | { readonly status: 'connecting' }
  | { readonly status: 'live' }
  /** What was missed is being delivered. */
  | { readonly status: 'replaying' }
  | {
      readonly status: 'reconnecting'
      /** When its stream broke, or the first attempt failed: ms since the epoch. */
      readonly since: number
      /** Attempts in a row that failed; the one whose stream broke counts. */
      readonly attempt: number
      /** What the last attempt failed with; absent after a planned end. */
      readonly cause?: unknown
    }
  | {
      readonly status: 'ended'
      /** `complete`: by the gateway. `stopped`: by the caller. `refused`: see `error`, which has the gateway's code. */
      readonly why: 'complete' | 'stopped' | 'refused'
      readonly error?: SluiceClientError
    }
