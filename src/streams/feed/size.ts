import { NO_HEADERS, type StreamEvent } from '../event.ts'

/**
 * Estimates of the heap size of decoded values in V8 (pointer-sized fields, 64-bit builds): the window's budget counts
 * the memory of events, not their size in Kafka. test/streams/feed/size.test.ts checks it against the heap.
 */
const OBJECT_BYTES = 24
const FIELD_BYTES = 8
const STRING_BYTES = 16
const NUMBER_BYTES = 16
const ARRAY_BYTES = 40
/** Shorter strings count one byte a character without inspection: the error is small. */
const LONG_STRING_CHARS = 32
/** Depth limit: JSON is shallower (decode.ts), and a schema's output may be cyclic. */
const MAX_LEVELS = 200
/** Base size: an event with its timestamp and its slot. Topic, kind and empty headers are shared. */
const EVENT_BYTES = 128
const BEYOND_LATIN_1 = /[^\0-\xff]/

/** Estimated size of an event, in the window and in pages. */
export function eventBytes({ key, headers, value }: StreamEvent): number {
  return EVENT_BYTES + heapBytesOf(key) + heapBytesOf(value) + (headers === NO_HEADERS ? 0 : heapBytesOf(headers))
}

function heapBytesOf(value: unknown, levels: number = MAX_LEVELS): number {
  switch (typeof value) {
    case 'string':
      return STRING_BYTES + ((value.length * bytesPerChar(value) + 7) & ~7)
    case 'number':
      return (value | 0) === value ? 0 : NUMBER_BYTES
    case 'object': {
      if (value === null || levels === 0) return 0
      if (Array.isArray(value)) {
        let bytes = ARRAY_BYTES
        for (const item of value) bytes += FIELD_BYTES + heapBytesOf(item, levels - 1)
        return bytes
      }
      let bytes = OBJECT_BYTES
      for (const key in value) bytes += FIELD_BYTES + heapBytesOf((value as Record<string, unknown>)[key], levels - 1)
      return bytes
    }
    default:
      return NUMBER_BYTES
  }
}

function bytesPerChar(text: string): number {
  return text.length >= LONG_STRING_CHARS && BEYOND_LATIN_1.test(text) ? 2 : 1
}
