import type { z } from 'zod'
import type { EventRecord, StreamEvent } from '../event.ts'
import { type Codec, json } from './codec.ts'
import { compute, type IndexFailed } from './computed.ts'
import { type Index, type IndexedTypes, type IndexReaders, indexing, isList } from './indexed.ts'
import type { Order, OrderedReaders, OrderedTypes } from './ordered.ts'
import { ordering } from './ordering.ts'
import { demandProperty } from './schema-property.ts'
import { type TableLimits, type TableOptions, tableLimits } from './table-limits.ts'
import { Validator } from './validator.ts'

/** How the values that a `where` may name are read from an event. */
export interface Lookups {
  /** Those that are compared by equality. */
  readonly indexed: IndexReaders
  /** Those that have an order: also by ranges. */
  readonly ordered: OrderedReaders
}

/** Definition of a topic and its events. It has no state: a `Feed` reads the topic. */
export interface Topic<V = unknown, I = unknown> extends Lookups {
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
  /** The names of the index are properties of the value; otherwise they are functions. */
  readonly isIndexedByProperty: boolean
  /** The key of the record of a valid value. Undefined: it is not known, and nothing can be published. */
  readonly keyOf: ((value: unknown) => string | null) | undefined
  /** Calls the functions of index and order, once for each event; undefined where there are none. */
  readonly indexedValues: ((event: StreamEvent, failed: IndexFailed) => readonly unknown[]) | undefined
  /** Topic for events that cannot be decoded. */
  readonly deadLetterTopic: string | undefined
  /** Properties by which credentials may be bound, and of which the topic is free: see `TopicOptions`. */
  readonly unbound: readonly string[]
  /** Whether an instance that cannot read it is not ready; otherwise only its own streams are refused. */
  readonly isRequired: boolean
  /** Only a type, and never set: what a `where` may name. */
  readonly indexedTypes?: I
}

/** A conditional type is resolved before the function is looked at: literals in what it returns keep their types. */
type Tombstones<S> = S extends z.ZodType ? 'skip' | ((record: EventRecord) => z.input<S>) : never

export interface TopicOptions<S extends z.ZodType, X, O> {
  /** Validates the decoded value. Unknown properties are dropped. */
  readonly schema: S
  /** Properties of the value, or functions by name: a `where` may name these. */
  readonly index?: X
  /**
   * Properties of the value that are numbers, times, or decimals as text; or their kinds and functions by name. A `where`
   * may name these with a range. It is an index lookup too, whether or not `index` has them.
   */
  readonly ordered?: O
  readonly codec?: Codec
  /**
   * What the keys of its records are: a property of the value, or a function of it. Records of one key are in one
   * partition, in order. Whoever publishes to the topic needs it; readers do not.
   */
  readonly key?: (string & keyof z.output<S>) | ((value: z.output<S>) => string | null)
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
  /**
   * Properties by which credentials may be bound, and which say nothing of these events: they are for everybody, such as
   * a topic of exchange rates. Without it, a topic that is not indexed by such a property is refused to who is bound by it.
   */
  readonly unbound?: readonly string[]
  /** `optional`: an instance is ready without it. Its streams are refused while it cannot be read. */
  readonly readiness?: 'required' | 'optional'
}

/** Kafka's rule for topic names. */
const TOPIC_NAME = /^[a-zA-Z0-9._-]{1,249}$/

/**
 * Defines a topic: its name, the schema of its events, and what they are indexed and ordered by.
 * @throws TypeError for an invalid topic name, for an index or order that the schema has no property for, for a table
 * whose tombstones are events, and for an index by a property that bounds do not hold for.
 */
export function defineTopic<
  S extends z.ZodType,
  const X extends Index<z.output<S>> = Index<z.output<S>>,
  const O extends Order<z.output<S>> = Order<z.output<S>>,
>(
  name: string,
  {
    schema,
    index,
    ordered,
    codec = json,
    key,
    tombstones,
    table = false,
    deadLetterTopic,
    unbound = [],
    readiness,
  }: TopicOptions<S, X, O>,
): Topic<z.output<S>, IndexedTypes<z.output<S>, X> & OrderedTypes<z.output<S>, O>> {
  if (!TOPIC_NAME.test(name))
    throw new TypeError(`"${name}" is not a topic name: it takes 1 to 249 of a-z A-Z 0-9 . _ -`)
  const given: Index<z.output<S>> = index ?? []
  if (isList(given)) for (const property of given) demandProperty(name, 'indexed', schema, property)
  const { indexed, functions: ofIndex } = indexing(name, given)
  const { ordered: orders, functions: ofOrder } = ordering(name, schema, ordered ?? [], ofIndex.length)
  const functions = [...ofIndex, ...ofOrder]
  const tombstone = functionIn(name, tombstones)
  if (table && tombstone) throw new TypeError(`The tombstones of the table "${name}" remove rows: they are no events`)
  for (const property of unbound) {
    if (!indexed.has(property)) continue
    throw new TypeError(`The topic "${name}" is indexed by "${property}", and cannot be free of bounds on it`)
  }
  return {
    name,
    schema: schema as z.ZodType<z.output<S>>,
    validator: new Validator(schema as z.ZodType<z.output<S>>),
    codec,
    tombstone,
    table: tableLimits(name, table),
    index: [...indexed.keys()],
    isIndexedByProperty: isList(given),
    keyOf: keyReader(name, schema, key),
    indexed,
    ordered: orders,
    indexedValues: functions.length === 0 ? undefined : (event, failed) => compute(functions, event, failed),
    deadLetterTopic,
    unbound,
    isRequired: readiness !== 'optional',
  }
}

/** @throws TypeError for a property that the schema does not have. */
function keyReader(topic: string, schema: z.ZodType, key: unknown): Topic['keyOf'] {
  if (key === undefined || typeof key === 'function') return key as Topic['keyOf']
  demandProperty(topic, 'keyed', schema, key as string)
  return (value) => {
    const own = (value as Readonly<Record<string, unknown>>)[key as string]
    return own === undefined || own === null ? null : String(own)
  }
}

function functionIn(topic: string, tombstones: unknown = 'skip'): Topic['tombstone'] {
  if (tombstones === 'skip') return undefined
  if (typeof tombstones === 'function') return tombstones as Topic['tombstone']
  throw new TypeError(`The tombstones of the topic "${topic}" are 'skip' or a function`)
}
