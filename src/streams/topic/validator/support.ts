import { types } from 'node:util'
import { z } from 'zod'

/** What a compiled validator returns instead of a value: zod refuses it, or has to be asked. */
export const INVALID: unique symbol = Symbol('invalid')

/** Runs zod on a part of a schema, as the schema around it does. INVALID: zod refuses it. */
export function runPart(schema: z.core.$ZodType, value: unknown): unknown {
  const result = schema._zod.run({ value, issues: [] }, { async: false })
  if (result instanceof Promise) throw new z.core.$ZodAsyncError()
  return result.issues.length === 0 ? result.value : INVALID
}

/** Shorter texts are scanned here: a regular expression costs more to call. */
const SHORT_TEXT = 16

/** Length in code points, in which zod measures strings. */
export function codePoints(text: string): number {
  if (text.length > SHORT_TEXT) return z.core.util.codePointLength(text)
  let count = text.length
  for (let at = 0; at < text.length - 1; at++) {
    if ((text.charCodeAt(at) & 0xfc00) === 0xd800 && (text.charCodeAt(at + 1) & 0xfc00) === 0xdc00) {
      count--
      at++
    }
  }
  return count
}

/** Own enumerable, which decides whether a record has a key. */
export const isEnumerable = Object.prototype.propertyIsEnumerable

/** Depth to which `isInert` looks: as deep as events may be (decode.ts). */
const MAX_INERT_DEPTH = 100

/**
 * Reading it runs no code and gives the same every time: it is made of plain objects and arrays without accessors, as
 * JSON is. False when in doubt.
 */
export function isInert(value: unknown, levels: number = MAX_INERT_DEPTH): boolean {
  if (typeof value === 'function') return false
  if (typeof value !== 'object' || value === null) return true
  if (levels === 0 || types.isProxy(value)) return false
  const prototype = Object.getPrototypeOf(value)
  if (prototype !== (Array.isArray(value) ? Array.prototype : Object.prototype)) return false
  for (const key of Reflect.ownKeys(value)) {
    const property = Object.getOwnPropertyDescriptor(value, key) as PropertyDescriptor
    if (property.get || property.set || !isInert(property.value, levels - 1)) return false
  }
  return true
}
