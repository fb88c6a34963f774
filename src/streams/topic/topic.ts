import type { z } from 'zod'
import type { StreamEvent } from '../event.ts'
import { type Codec, json } from './codec.ts'

/** Definition of a topic and its events. It has no state: a `Feed` reads the topic. */
export interface Topic<V = unknown, K extends string = string> {
  readonly name: string
  readonly schema: z.ZodType<V>
  readonly codec: Codec
  /** Indexed properties, at the top level of the value: a `where` may name these. */
  readonly index: readonly K[]
  /** By indexed property, how its value is read from an event. */
  readonly indexed: ReadonlyMap<K, (event: StreamEvent<V>) => unknown>
  /** Topic for events that cannot be decoded. */
  readonly deadLetterTopic: string | undefined
}

export interface TopicOptions<V, K extends string> {
  /** Validates the decoded value. Unknown properties are dropped. */
  readonly schema: z.ZodType<V>
  readonly index?: readonly K[]
  readonly codec?: Codec
  readonly deadLetterTopic?: string
}

/** Kafka's rule for topic names. */
const TOPIC_NAME = /^[a-zA-Z0-9._-]{1,249}$/

/**
 * Defines a topic: its name, the schema of its events, and the indexed properties.
 * @throws TypeError for an invalid topic name.
 */
export function defineTopic<V, const K extends string & keyof V = never>(
  name: string,
  options: TopicOptions<V, K>,
): Topic<V, K> {
  if (!TOPIC_NAME.test(name))
    throw new TypeError(`"${name}" is not a topic name: it takes 1 to 249 of a-z A-Z 0-9 . _ -`)
  const index = options.index ?? []
  return {
    name,
    schema: options.schema,
    codec: options.codec ?? json,
    index,
    indexed: new Map(index.map((property) => [property, ({ value }) => propertyOf(value, property)])),
    deadLetterTopic: options.deadLetterTopic,
  }
}

/** An event's value may be null, if its schema permits that. */
function propertyOf<V>(value: V, property: keyof V): unknown {
  return value === null || value === undefined ? undefined : value[property]
}
