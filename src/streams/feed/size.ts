import { NO_HEADERS, type StreamEvent } from '../event.ts'
import { heapBytes } from '../topic/heap-bytes.ts'

/**
 * Base size: an event of eight fields, its timestamp, which is no small integer, and its places in the window. Topic,
 * kind and empty headers are shared.
 */
/** The field for the values of index functions, which few topics have: as measured (size.test.ts). */
const ADDED_FIELD_BYTES = 16
const EVENT_BYTES = 128

/** Knows the values of a topic. */
export interface Sizes<V> {
  /** Heap size of a value. */
  sizeOf(value: V): number
}

/**
 * Heap size of an event, in the window and in pages: the window's budget counts the memory of events, not their size in
 * Kafka. Without `sizes`, the value is walked.
 */
export function eventBytes<V>({ key, headers, value, indexed }: StreamEvent<V>, sizes?: Sizes<V>): number {
  let bytes = EVENT_BYTES + heapBytes(key) + (sizes ? sizes.sizeOf(value) : heapBytes(value))
  if (headers !== NO_HEADERS) bytes += heapBytes(headers)
  if (indexed !== undefined) bytes += ADDED_FIELD_BYTES + heapBytes(indexed.filter((each) => !isOf(value, each)))
  return bytes
}

/** Whether a text is one of a value's own: it takes no memory then. */
function isOf(value: unknown, text: unknown): boolean {
  if (typeof text !== 'string' || typeof value !== 'object') return false
  for (const property in value) if ((value as Record<string, unknown>)[property] === text) return true
  return false
}
