import type { EventRecord, StreamEvent } from '../event.ts'

/** Reports a function that failed. */
export type IndexFailed = (error: unknown, name: string, record: EventRecord) => void

/** A function of a topic's definition, whose result is stored in each event. */
export interface Computed {
  /** For the words of an error, such as `index function "ownerId"`. */
  readonly what: string
  readonly name: string
  readonly read: (value: unknown, record: EventRecord) => unknown
  readonly isAllowed: (value: unknown) => boolean
}

/** Value of a function that failed. No `where` can name it, so that it matches none. */
const NO_VALUE = Symbol('no value')

/**
 * The results of all functions for an event, in their order. They are stored in the event, so that index, catch-up and
 * replay see the same ones, however often they ask: a function that is costly, or not pure, is called once.
 */
export function compute(functions: readonly Computed[], event: StreamEvent, failed: IndexFailed): unknown[] {
  return functions.map((each) => resultOf(each, event, failed))
}

/** Reads the result of the function at this place. */
export function computedAt(place: number): (event: StreamEvent) => unknown {
  return ({ indexed }) => indexed?.[place]
}

function resultOf({ what, name, read, isAllowed }: Computed, event: StreamEvent, failed: IndexFailed): unknown {
  try {
    const value = read(event.value, event)
    if (isAllowed(value)) return value
    // A promise, say. Its rejection would be unhandled.
    if (typeof value === 'object') Promise.resolve(value).catch(() => {})
    throw new TypeError(`The ${what} "${name}" returned a value of type ${typeof value}`)
  } catch (error) {
    failed(error, name, event)
    return NO_VALUE
  }
}
