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
const BEYOND_LATIN_1 = /[^\0-\xff]/

export function heapBytesOf(value: unknown): number {
  switch (typeof value) {
    case 'string':
      return STRING_BYTES + ((value.length * bytesPerChar(value) + 7) & ~7)
    case 'number':
      return (value | 0) === value ? 0 : NUMBER_BYTES
    case 'object': {
      if (value === null) return 0
      if (Array.isArray(value)) {
        let bytes = ARRAY_BYTES
        for (const item of value) bytes += FIELD_BYTES + heapBytesOf(item)
        return bytes
      }
      let bytes = OBJECT_BYTES
      for (const key in value) bytes += FIELD_BYTES + heapBytesOf((value as Record<string, unknown>)[key])
      return bytes
    }
    default:
      return NUMBER_BYTES
  }
}

function bytesPerChar(text: string): number {
  return text.length >= LONG_STRING_CHARS && BEYOND_LATIN_1.test(text) ? 2 : 1
}
