/**
 * Heap sizes of values in V8, on 64-bit builds without pointer compression (Node's): a field is 8 bytes, small integers
 * are in the field. test/streams/feed/size.test.ts compares them with the heap.
 */
export const FIELD_BYTES = 8
/** Hidden class, properties, elements; the fields of a literal follow in the object. */
export const OBJECT_BYTES = 24
/** A number that is no small integer, or is in a field that had one before. */
export const NUMBER_BYTES = 16
/** With the length; the items are a second allocation with a header, if there are any. */
const ARRAY_BYTES = 32
const ITEMS_BYTES = 16
/** Hidden class, hash and length. */
const STRING_BYTES = 16
/** `{}` has room for so many properties; more are a second allocation, which grows by three. */
const SPARE_FIELDS = 4
const GROWTH_FIELDS = 3
/** An object to which more properties with new names were added is a hash table: a power of two of entries. */
const MAX_FIELDS = 16
const TABLE_BYTES = 88
const ENTRY_BYTES = 24
/** A property's name that is new makes a new hidden class. */
const HIDDEN_CLASS_BYTES = 88
/** Bounds of the names that are remembered, in number and in characters each: an event may have any names. */
const MAX_NAMES = 4096
const MAX_NAME_CHARS = 64
/** In shorter texts only the ends are inspected: few scripts have Latin-1 letters at both, and the error is small. */
const LONG_STRING_CHARS = 32
/** Depth limit: JSON is shallower (decode.ts), and a schema's output may be cyclic. */
const MAX_LEVELS = 200
const BEYOND_LATIN_1 = /[^\0-\xff]/

/** Names that records had lately. V8 has one copy of each, and of the hidden classes that they make. */
const names = new Set<string>()

/** Size of any value. Only names of properties are taken to be shared with other values. */
export function heapBytes(value: unknown, levels: number = MAX_LEVELS): number {
  switch (typeof value) {
    case 'string':
      return textBytes(value)
    case 'number':
      return numberBytes(value)
    case 'object': {
      if (value === null || levels === 0) return 0
      if (Array.isArray(value)) {
        let bytes = arrayBytes(value.length)
        let boxes = 0
        let isNumbers = true
        for (const item of value) {
          const itemBytes = heapBytes(item, levels - 1)
          if (typeof item === 'number') boxes += itemBytes
          else isNumbers = false
          bytes += itemBytes
        }
        return isNumbers ? bytes - boxes : bytes
      }
      let bytes = OBJECT_BYTES
      for (const key in value) bytes += FIELD_BYTES + heapBytes((value as Record<string, unknown>)[key], levels - 1)
      return bytes
    }
    case 'bigint':
      return NUMBER_BYTES + FIELD_BYTES
    default:
      return 0
  }
}

/** Texts of up to one Latin-1 character are shared by all of V8. */
export function textBytes(text: string): number {
  const { length } = text
  if (length === 0) return 0
  let isWide: boolean
  if (length >= LONG_STRING_CHARS) isWide = BEYOND_LATIN_1.test(text)
  else isWide = text.charCodeAt(0) > 0xff || text.charCodeAt(length - 1) > 0xff
  if (length === 1 && !isWide) return 0
  return STRING_BYTES + (((isWide ? 2 * length : length) + 7) & ~7)
}

/** A number that is alone in its field. */
export function numberBytes(value: number): number {
  return (value | 0) === value ? 0 : NUMBER_BYTES
}

/** An array without what its items refer to. Numbers are unboxed in an array of only numbers. */
export function arrayBytes(length: number): number {
  return length === 0 ? ARRAY_BYTES : ARRAY_BYTES + ITEMS_BYTES + FIELD_BYTES * length
}

/** The name of a property: nothing, if it was seen lately. */
export function nameBytes(name: string): number {
  if (names.has(name)) return 0
  if (name.length <= MAX_NAME_CHARS) {
    if (names.size >= MAX_NAMES) names.clear()
    names.add(name)
  }
  return textBytes(name)
}

/** An object whose properties were added one by one, some with new names, without what they refer to. */
export function recordBytes(properties: number, newNames: number): number {
  if (newNames > 0 && properties > MAX_FIELDS)
    return TABLE_BYTES + ENTRY_BYTES * 2 ** Math.ceil(Math.log2(properties * 1.5))
  const spare = OBJECT_BYTES + FIELD_BYTES * SPARE_FIELDS + HIDDEN_CLASS_BYTES * newNames
  if (properties <= SPARE_FIELDS) return spare
  const fields = Math.ceil((properties - SPARE_FIELDS) / GROWTH_FIELDS) * GROWTH_FIELDS
  return spare + ITEMS_BYTES + FIELD_BYTES * fields
}
