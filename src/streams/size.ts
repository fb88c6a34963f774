import { NO_HEADERS, type StreamEvent } from './event.ts'

/**
 * Estimates of what decoded values take on V8's heap (pointer-sized fields, 64-bit builds), so that the window's
 * budget counts what events really cost and not their size in Kafka. test/streams/size.test.ts holds it against the
 * heap.
 */
const OBJECT_BYTES = 24
const FIELD_BYTES = 8
const STRING_BYTES = 16
const NUMBER_BYTES = 16
const ARRAY_BYTES = 40
/** Shorter strings count one byte a character without a look: what they might take more is little. */
const LONG_STRING_CHARS = 32
/** Deeper levels are not counted: JSON is less deep (decode.ts), and what a schema makes of it may contain itself. */
const MAX_LEVELS = 200
/** An event with its timestamp, and its place where it is kept. Topic, kind and empty headers are shared by all. */
const EVENT_BYTES = 128
const BEYOND_LATIN_1 = /[^\0-\xff]/

/** What an event counts for, wherever it is kept. */
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
