import { z } from 'zod'
import type { Bounds } from '../../schema/context.ts'

/** Length limit of names of principals and tokens: they are kept with every stream, logged, and sent to Kafka. */
const MAX_ID_CHARS = 256
/** Bounds of what a principal may be bound to: it is compared with events, and part of what groups are told apart by. */
const MAX_BOUNDS = 32
const MAX_BOUND_VALUES = 1_000
const MAX_VALUE_CHARS = 256
const MAX_SCOPES = 200
/** A hundred years: whoever may read further back has no limit. */
const MAX_HISTORY_S = 100 * 365 * 86_400

/** A path of properties of an event, as `merchantId` or `total.currency`. `__proto__` is none. */
const PROPERTY = /^(?!__)[A-Za-z_]\w{0,63}(?:\.(?!__)[A-Za-z_]\w{0,63}){0,7}$/
/** RFC 6749 section 3.3. */
const SCOPE = /^[!#-[\]-~]{1,128}$/
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
const CONTROL = /[\u0000-\u001f\u007f]/

/** The name of a principal, a key or a token. */
export const Id = z
  .string()
  .min(1)
  .max(MAX_ID_CHARS)
  .refine((text) => !CONTROL.test(text))

export const Scopes = z.array(z.string().regex(SCOPE)).max(MAX_SCOPES)

/** As OAuth has it, one text with spaces between; or a list. */
export const ScopeClaim = z.union([
  z
    .string()
    .transform((text) => text.split(' ').filter((scope) => scope !== ''))
    .pipe(Scopes),
  Scopes,
])

/**
 * Not by `z.record`, which skips a property named `__proto__`: a bound that is not understood must be refused, since
 * without it the principal reads everything.
 */
export const BoundsClaim = z.custom<Bounds>(isBounds)

export const History = z.number().min(0).max(MAX_HISTORY_S)

function isBounds(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  const entries = Object.entries(value)
  const values = entries.flatMap(([, allowed]) => allowed)
  if (entries.length > MAX_BOUNDS || values.length > MAX_BOUND_VALUES) return false
  if (!entries.every(([property, allowed]) => PROPERTY.test(property) && Array.isArray(allowed))) return false
  return values.every((each) => typeof each === 'string' && each.length <= MAX_VALUE_CHARS)
}
