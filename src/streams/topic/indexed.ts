import type { EventRecord, StreamEvent } from '../event.ts'

/** What an index function may return: what a `where` compares by equality. */
export type IndexedValue = string | number | boolean | null | undefined

/** Index functions by name. They must be pure: an event that is decoded again has to have the same values. */
export interface IndexFunctions<V> {
  readonly [name: string]: (value: V, record: EventRecord) => IndexedValue
}

/** What a topic is indexed by: properties at the top level of the value, or functions by name. */
export type Index<V> = readonly (string & keyof V)[] | IndexFunctions<V>

/** The indexed values by name, of the index `X`; of none, if `X` is any index. */
export type IndexedTypes<V, X> =
  Index<V> extends X
    ? Pick<V, never>
    : X extends readonly (infer K extends keyof V)[]
      ? Pick<V, K>
      : { readonly [P in keyof X]: X[P] extends (...args: never) => infer R ? R : never }

/** By name, how the indexed value of an event of the topic is read. */
export type IndexReaders = ReadonlyMap<string, (event: StreamEvent) => unknown>

/** Reports an index function that failed. */
export type IndexFailed = (error: unknown, name: string, record: EventRecord) => void

/** Value of a function that failed. No `where` can name it, so that it matches none. */
const NO_VALUE = Symbol('no value')

/** How a topic's indexed values are read from its events. */
export interface Indexing {
  readonly indexed: IndexReaders
  /** Calls the index functions, once for each event; undefined where there are none. */
  readonly indexedValues: ((event: StreamEvent, failed: IndexFailed) => readonly unknown[]) | undefined
}

/** @throws TypeError for a function that is none. */
export function indexing<V>(topic: string, index: Index<V>): Indexing {
  return isList(index) ? byProperties(index) : byFunctions(topic, Object.entries(index as IndexFunctions<unknown>))
}

export function isList<V>(index: Index<V>): index is readonly (string & keyof V)[] {
  return Array.isArray(index)
}

function byProperties(properties: readonly string[]): Indexing {
  const indexed = new Map(
    properties.map((property) => [property, ({ value }: StreamEvent) => propertyOf(value, property)]),
  )
  return { indexed, indexedValues: undefined }
}

/** An event's value may be null, if its schema permits that. */
function propertyOf(value: unknown, property: string): unknown {
  return value === null || value === undefined ? undefined : (value as Record<string, unknown>)[property]
}

type IndexFunction = IndexFunctions<unknown>[string]

/**
 * The results are stored in the event, so that index, catch-up and replay see the same ones, however often they ask: a
 * function that is costly, or not pure, is called once.
 */
function byFunctions(topic: string, functions: readonly [string, IndexFunction][]): Indexing {
  for (const [name, read] of functions) {
    if (typeof read !== 'function') throw new TypeError(`The index "${name}" of the topic "${topic}" is no function`)
  }
  return {
    indexed: new Map(functions.map(([name], place) => [name, ({ indexed }: StreamEvent) => indexed?.[place]])),
    indexedValues: (event, failed) => functions.map(([name, read]) => resultOf(name, read, event, failed)),
  }
}

function resultOf(
  name: string,
  read: IndexFunction,
  event: StreamEvent,
  failed: IndexFailed,
): IndexedValue | typeof NO_VALUE {
  try {
    const value: unknown = read(event.value, event)
    if (isIndexedValue(value)) return value
    // A promise, say. Its rejection would be unhandled.
    if (typeof value === 'object') Promise.resolve(value).catch(() => {})
    throw new TypeError(`The index function "${name}" returned a value of type ${typeof value}`)
  } catch (error) {
    failed(error, name, event)
    return NO_VALUE
  }
}

function isIndexedValue(value: unknown): value is IndexedValue {
  switch (typeof value) {
    case 'string':
    case 'number':
    case 'boolean':
    case 'undefined':
      return true
    default:
      return value === null
  }
}
