import type { EventRecord, StreamEvent } from '../event.ts'
import { type Computed, computedAt } from './computed.ts'

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

/** How a topic's indexed values are read from its events. */
export interface Indexing {
  readonly indexed: IndexReaders
  /** The index functions, in the order of their results; none for a list of properties. */
  readonly functions: readonly Computed[]
}

/** @throws TypeError for a function that is none. */
export function indexing<V>(topic: string, index: Index<V>): Indexing {
  return isList(index) ? byProperties(index) : byFunctions(topic, Object.entries(index as IndexFunctions<unknown>))
}

export function isList(names: object): names is readonly string[] {
  return Array.isArray(names)
}

function byProperties(properties: readonly string[]): Indexing {
  return { indexed: new Map(properties.map((property) => [property, propertyReader(property)])), functions: [] }
}

/** An event's value may be null, if its schema permits that. */
export function propertyReader(property: string): (event: StreamEvent) => unknown {
  return ({ value }) =>
    value === null || value === undefined ? undefined : (value as Record<string, unknown>)[property]
}

type IndexFunction = IndexFunctions<unknown>[string]

function byFunctions(topic: string, functions: readonly [string, IndexFunction][]): Indexing {
  for (const [name, read] of functions) {
    if (typeof read !== 'function') throw new TypeError(`The index "${name}" of the topic "${topic}" is no function`)
  }
  return {
    indexed: new Map(functions.map(([name], place) => [name, computedAt(place)])),
    functions: functions.map(([name, read]) => ({ what: 'index function', name, read, isAllowed: isIndexedValue })),
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
