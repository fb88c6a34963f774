import type { Feed } from '../streams/feed/feed.ts'
import type { Topic } from '../streams/topic/topic.ts'

/**
 * The claims that resolvers may see, in canonical form. Clients of one audience share executions, so nothing in here
 * may tell one of them from another.
 */
export interface Audience {
  readonly claims: Readonly<Record<string, string | number | boolean | readonly string[]>>
}

/** Nobody in particular: the audience of every client that has not signed in. */
export const ANONYMOUS: Audience = { claims: {} }

/**
 * What resolvers get. It holds no principal, headers or request: a shared execution has none, and the type makes a
 * leak impossible to write.
 */
export interface Context {
  readonly audience: Audience
  readonly streams: {
    feed<V>(topic: Topic<V>): Feed<V>
    readonly feeds: Iterable<Feed<unknown>>
  }
}
