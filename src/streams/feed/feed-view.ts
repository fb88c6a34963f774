import type { Fingerprint } from '../cursor/cursor.ts'
import type { Vector } from '../cursor/vector.ts'
import type { Gap } from '../event.ts'
import type { PartitionRange } from '../source/port.ts'
import type { Topic } from '../topic/topic.ts'
import type { Selection } from '../topic/where.ts'
import type { Conditions } from './conditions.ts'
import type { Interest } from './interests.ts'
import type { Page } from './pages.ts'
import type { Window } from './window.ts'

/** The feed as `Position` uses it. */
export interface FeedView<V> {
  readonly topic: Topic<V>
  /** Identity of an embedded log, in stored form. */
  readonly epoch: number | undefined
  readonly window: Window<V>
  /** Next wanted offset of each partition: the position of this instance. */
  readonly head: Vector
  cursorAt(positions: Vector, fingerprint?: Fingerprint): string
}

/** The feed as a reader of the past uses it. */
export interface ReadableFeed<V> extends FeedView<V> {
  page(partition: number, offset: number, isWanted: () => boolean): Page<V> | Gap | Promise<Page<V> | Gap | undefined>
  /** See `Pages`. */
  lookUpIn(page: Page<V>): void
  ranges(): Promise<readonly PartitionRange[]>
}

/** The feed as an event iterator uses it. */
export interface FollowedFeed<V> extends ReadableFeed<V> {
  add(selection: Selection<V> | Conditions<V>, interest: Interest<V>): () => void
  /** A subscription was ended by an exception that its consumer did not cause. */
  reportFailed(error: unknown): void
}
