import type { Fingerprint } from '../cursor/cursor.ts'
import type { Vector } from '../cursor/vector.ts'
import type { Gap } from '../event.ts'
import type { PartitionRange } from '../source/port.ts'
import type { Topic } from '../topic/topic.ts'
import type { Where } from '../topic/where.ts'
import type { Interest } from './interests.ts'
import type { Page } from './pages.ts'
import type { Window } from './window.ts'

/** What a position needs of a feed. */
export interface FeedView<V> {
  readonly topic: Topic<V>
  /** Identity of an embedded log, as its cursors have it. */
  readonly epoch: number | undefined
  readonly window: Window<V>
  /** Next wanted offset of each partition: what this instance has passed. */
  readonly head: Vector
  cursorAt(positions: Vector, fingerprint?: Fingerprint): string
}

/** And what a reader of the past needs. */
export interface ReadableFeed<V> extends FeedView<V> {
  page(partition: number, offset: number, isWanted: () => boolean): Page<V> | Gap | Promise<Page<V> | Gap | undefined>
  ranges(): Promise<readonly PartitionRange[]>
}

/** And who follows it. */
export interface FollowedFeed<V> extends ReadableFeed<V> {
  add(where: Where<V>, interest: Interest<V>): () => void
  /** A subscription ended by an exception that is not its consumer's. */
  reportFailed(error: unknown): void
}
