import type { z } from 'zod'
import type { EventRecord } from '../event.ts'
import { type Codec, json } from './codec.ts'
import { type Index, type IndexedTypes, type Indexing, indexing, isList } from './indexed.ts'
import { presenceIn } from './schema-property.ts'
import { type TableLimits, type TableOptions, tableLimits } from './table-limits.ts'
import { Validator } from './validator.ts'

/** Definition of a topic and its events. It has no state: a `Feed` reads the topic. */
export interface Topic<V = unknown, I = unknown> extends Indexing {
  readonly name: string
  readonly schema: z.ZodType<V>
  readonly validator: Validator<V>
  readonly codec: Codec
  /** The value of an event, from a record that has none. Undefined: such records are skipped. */
  readonly tombstone: ((record: EventRecord) => unknown) | undefined
  /** Limits of its table. Undefined: it is no table. */
  readonly table: TableLimits | undefined
  /** Names of the indexed values: a `where` may name these. */
  readonly index: readonly string[]
  /** Topic for events that cannot be decoded. */
  readonly deadLetterTopic: string | undefined
  /** Whether an instance that cannot read it is not ready; otherwise only its own streams are refused. */
  readonly isRequired: boolean
  /** Only a type, and never set: what a `where` may name. */
  readonly indexedTypes?: I
}

/** A conditional type is resolved before the function is looked at: literals in what it returns keep their types. */
type Tombstones<S> = S extends z.ZodType ? 'skip' | ((record: EventRecord) => z.input<S>) : never

export interface TopicOptions<S extends z.ZodType, X> {
  /** Validates the decoded value. Unknown properties are dropped. */
  readonly schema: S
  /** Properties of the value, or functions by name: a `where` may name these. */
  readonly index?: X
  readonly codec?: Codec
  /**
   * What becomes of a record without a value, by which a compacted topic deletes a key: it is skipped and counted, or
   * the function returns the value of an event, which the schema validates.
   */
  readonly tombstones?: Tombstones<S>
  /**
   * A compacted topic, of which this process holds the latest value of each key, for `t.table`. Streams of its events
   * are to be had as well.
   */
  readonly table?: boolean | TableOptions
  readonly deadLetterTopic?: string
  /** `optional`: an instance is ready without it. Its streams are refused while it cannot be read. */
  readonly readiness?: 'required' | 'optional'
}

/** Kafka's rule for topic names. */
const TOPIC_NAME = /^[a-zA-Z0-9._-]{1,249}$/

/**
 * Defines a topic: its name, the schema of its events, and what they are indexed by.
 * @throws TypeError for an invalid topic name, for an index that the schema has no property for, and for a table whose
 * tombstones are events.
 */
export function defineTopic<S extends z.ZodType, const X extends Index<z.output<S>> = Index<z.output<S>>>(
  name: string,
  { schema, index, codec = json, tombstones, table = false, deadLetterTopic, readiness }: TopicOptions<S, X>,
): Topic<z.output<S>, IndexedTypes<z.output<S>, X>> {
  if (!TOPIC_NAME.test(name))
    throw new TypeError(`"${name}" is not a topic name: it takes 1 to 249 of a-z A-Z 0-9 . _ -`)
  const given: Index<z.output<S>> = index ?? []
  if (isList(given)) for (const property of given) demandProperty(name, schema, property)
  const { indexed, indexedValues } = indexing(name, given)
  const tombstone = functionIn(name, tombstones)
  if (table && tombstone) throw new TypeError(`The tombstones of the table "${name}" remove rows: they are no events`)
  return {
    name,
    schema: schema as z.ZodType<z.output<S>>,
    validator: new Validator(schema as z.ZodType<z.output<S>>),
    codec,
    tombstone,
    table: tableLimits(name, table),
    index: [...indexed.keys()],
    indexed,
    indexedValues,
    deadLetterTopic,
    isRequired: readiness !== 'optional',
  }
}

function functionIn(topic: string, tombstones: unknown = 'skip'): Topic['tombstone'] {
  if (tombstones === 'skip') return undefined
  if (typeof tombstones === 'function') return tombstones as Topic['tombstone']
  throw new TypeError(`The tombstones of the topic "${topic}" are 'skip' or a function`)
}

function demandProperty(topic: string, schema: z.core.$ZodType, property: string): void {
  const presence = presenceIn(schema, property)
  if (presence === 'all' || presence === 'unknown') return
  const reason = presence === 'none' ? 'its schema has no such' : 'not every option of its schema has this'
  throw new TypeError(`The topic "${topic}" cannot be indexed by "${property}": ${reason} property`)
}
