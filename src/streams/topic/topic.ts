import type { z } from 'zod'
import type { Gap, Progress, StreamEvent } from '../event.ts'

/** Turns the bytes of a record into a plain value. Throws what it likes: the event is then counted and skipped. */
export type Codec = (bytes: Buffer) => unknown

/** UTF-8 that is not valid is refused, not replaced: a silently damaged string would pass for a good event. */
const utf8 = new TextDecoder('utf-8', { fatal: true })
const json: Codec = (bytes) => JSON.parse(utf8.decode(bytes))

/**
 * Equality on indexed properties, all of which must hold: one value, or any of several. It is looked up, never
 * scanned; everything else belongs in a `filter`.
 */
export type Where<V, K extends string = string> = {
  readonly [P in K & keyof V]?: V[P] | { readonly in: readonly V[P][] }
}

/** A topic and what is known of its events. It is only a definition: a `Feed` brings it to life. */
export interface Topic<V = unknown, K extends string = string> {
  readonly name: string
  readonly schema: z.ZodType<V>
  readonly codec: Codec
  /** Top-level properties that subscriptions are looked up by. */
  readonly index: readonly K[]
  /** Where events go that cannot be read. */
  readonly deadLetterTopic: string | undefined
}

export interface TopicOptions<V, K extends string> {
  /** What a valid event is. Unknown properties are dropped. */
  readonly schema: z.ZodType<V>
  readonly index?: readonly K[]
  readonly codec?: Codec
  readonly deadLetterTopic?: string
}

/** Kafka's own rule for topic names. */
const TOPIC_NAME = /^[a-zA-Z0-9._-]{1,249}$/

/**
 * Defines a topic, once: its name, what its events look like, and the properties that subscriptions ask for.
 * @throws TypeError for a name that Kafka would not take.
 */
export function defineTopic<V, const K extends string & keyof V = never>(
  name: string,
  options: TopicOptions<V, K>,
): Topic<V, K> {
  if (!TOPIC_NAME.test(name))
    throw new TypeError(`"${name}" is not a topic name: it takes 1 to 249 of a-z A-Z 0-9 . _ -`)
  return {
    name,
    schema: options.schema,
    codec: options.codec ?? json,
    index: options.index ?? [],
    deadLetterTopic: options.deadLetterTopic,
  }
}

export type StreamItem<V> = StreamEvent<V> | Gap | Progress
