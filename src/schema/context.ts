import type { StreamEvent, StreamItem } from '../streams/event.ts'
import type { SubscribeOptions } from '../streams/feed/event-iterator.ts'
import type { Feed } from '../streams/feed/feed.ts'
import type { Position } from '../streams/feed/position.ts'
import type { PublishRequest } from '../streams/publish/publisher.ts'
import type { TableItem } from '../streams/table/item.ts'
import type { TableReadOptions } from '../streams/table/table-iterator.ts'
import type { Topic } from '../streams/topic/topic.ts'
import type { Selection } from '../streams/topic/where.ts'

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
  /** What of the topics the audience may read. */
  readonly streams: {
    /** @throws SluiceError `FORBIDDEN` for a topic that the audience may not read. */
    feed<V, I>(topic: Topic<V, I>): TopicEvents<V, I>
    /** @throws TypeError for a topic that is no table, SluiceError `FORBIDDEN` as above. */
    table<V, I>(topic: Topic<V, I>): TableRows<V>
    /** Figures of all topics. @throws SluiceError `FORBIDDEN` where the audience may not read all of their events. */
    readonly feeds: Iterable<Feed<unknown>>
  }
  /**
   * Publishes an event for the client of this operation, within its bounds. In mutations only: every other execution may
   * be shared. See `Publisher`.
   */
  readonly publish?: <V>(request: Omit<PublishRequest<V>, 'principal' | 'demand'>) => Promise<StreamEvent<V>>
}

/** A topic's events, as resolvers read them. */
export interface TopicEvents<V, I> {
  /** From now on, or from a position. */
  subscribe(options?: SubscribeOptions<V, I>): AsyncIterableIterator<StreamItem<V>, undefined>
  /** See `Feed`. */
  newest(
    count: number,
    matches: (event: StreamEvent<V>) => boolean,
    where?: Selection<V>,
  ): Promise<readonly StreamEvent<V>[]>
  /** Positions for `subscribe`: see `Feed`. */
  findLast(count: number, matches: (event: StreamEvent<V>) => boolean, where?: Selection<V>): Promise<Position<V>>
  startAfter(cursor: string): Position<V>
  startSince(timestamp: number): Promise<Position<V>>
}

/** A table, as resolvers read it. */
export interface TableRows<V> {
  /** @throws SluiceError `NOT_READY`, `TABLE_TOO_LARGE` where its rows are not to be had. */
  demandReady(): void
  /** See `selectRows`. */
  rows(options?: TableReadOptions<V>): Promise<readonly StreamEvent<V>[]>
  /** See `readTable`. */
  read(options?: TableReadOptions<V>): AsyncIterableIterator<TableItem<V>, void, undefined>
}
