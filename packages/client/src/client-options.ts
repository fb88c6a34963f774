import type { Waits } from './retry.ts'
import type { Limits } from './whole-blocks.ts'

/** Bearer token (text), or headers; or a function that gives one of them, which is asked anew for every request. */
export type Auth = AuthValue | (() => AuthValue | Promise<AuthValue>)
type AuthValue = string | Readonly<Record<string, string>> | undefined

export interface SluiceClientOptions extends Partial<Waits>, Partial<Limits> {
  /** The gateway's `/graphql`. */
  readonly url: string
  readonly auth?: Auth | undefined
  /** True: one stream carries all subscriptions (single connection mode). Default: a stream each. */
  readonly singleConnection?: boolean | undefined
  /** Where positions are kept that are to outlive a page: such as `sessionStorage`. */
  readonly storage?: PositionStorage | undefined
  /** What does the fetching. Default: the global `fetch`, looked up at each request. */
  readonly fetch?: typeof globalThis.fetch | undefined
}

/** The part of the Web's `Storage` that is used. What it throws is ignored. */
export interface PositionStorage {
  getItem(key: string): string | null
  setItem(key: string, value: string): void
  removeItem(key: string): void
}

export interface SubscribeOptions {
  /** A position to begin behind: a subscription's `position` of before. */
  readonly from?: string | undefined
  /**
   * Keeps the position in the client's `storage` under this name, and begins with the one that is there, which goes
   * before `from`. Give each subscription a name of its own. The position of another document or other variables is
   * not used.
   */
  readonly keep?: string | undefined
}
