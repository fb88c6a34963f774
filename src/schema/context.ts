import type { Feed } from '../streams/feed/feed.ts'
import type { Table } from '../streams/table/table.ts'
import type { Topic } from '../streams/topic/topic.ts'

/**
 * The claims that resolvers may read, in canonical form. Clients of one audience share executions: it must contain
 * nothing that distinguishes one of them from another.
 */
export interface Audience {
  readonly claims: Claims
}

export interface Claims {
  /** Those of its scopes that the schema asks for, sorted. */
  readonly scopes?: readonly string[]
  readonly bounds?: Bounds
  /** How far back it may read, in ms. */
  readonly historyMs?: number
  readonly [claim: string]: string | number | boolean | readonly string[] | Bounds | undefined
}

/** By property of events, the only values that may be read. */
export type Bounds = Readonly<Record<string, readonly string[]>>

/** The audience of all anonymous clients. */
export const ANONYMOUS: Audience = { claims: {} }

/**
 * The context of resolvers. It has no principal, headers or request: a shared execution has none, and the type prevents
 * such a leak.
 */
export interface Context {
  readonly audience: Audience
  readonly streams: {
    feed<V, I>(topic: Topic<V, I>): Feed<V, I>
    /** @throws TypeError for a topic that is no table. */
    table<V, I>(topic: Topic<V, I>): Table<V>
    readonly feeds: Iterable<Feed<unknown>>
  }
}
