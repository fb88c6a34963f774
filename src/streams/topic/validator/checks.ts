import { z } from 'zod'
import { type Emitter, operand, quote } from './emitter.ts'
import { definition, hasTrait, isPlainRegExp, type Schema, Uncompilable } from './known.ts'
import { emitMatch } from './leaves.ts'
import { codePoints } from './support.ts'

type Check = z.core.$ZodCheck
type EmitCheck = (emitter: Emitter, check: Check, value: string, type: string) => string | undefined

/** String formats that are their pattern and nothing else, as check or as schema. */
const PATTERNS = [
  ...['$ZodCheckRegex', '$ZodCheckLowerCase', '$ZodCheckUpperCase', '$ZodGUID', '$ZodUUID', '$ZodEmail', '$ZodEmoji'],
  ...['$ZodNanoID', '$ZodCUID', '$ZodCUID2', '$ZodULID', '$ZodXID', '$ZodKSUID', '$ZodISODateTime', '$ZodISODate'],
  ...['$ZodISOTime', '$ZodISODuration', '$ZodIPv4', '$ZodMAC', '$ZodCIDRv4', '$ZodE164'],
]

/** Condition under which zod checks a length, if the schema's author has given none: it has a length. */
const HAS_LENGTH = z.string().min(1)._zod.def.checks?.[0]?._zod.def.when

/** Types whose values have an order of their own. */
const ORDERED = new Set(['number', 'bigint', 'date'])

const CHECKS: Readonly<Record<string, EmitCheck>> = {
  greater_than: (emitter, check, value, type) => emitCompare(emitter, check, value, type, '>'),
  less_than: (emitter, check, value, type) => emitCompare(emitter, check, value, type, '<'),
  multiple_of: (emitter, check, value, type) => {
    const { value: step } = check._zod.def as z.core.$ZodCheckMultipleOfDef
    if (type !== 'number' || typeof step !== 'number') throw new Uncompilable()
    const remainder = emitter.constant(z.core.util.floatSafeRemainder)
    emitter.failIf(`${remainder}(${value}, ${operand(emitter, step)}) !== 0`)
    return undefined
  },
  number_format: (emitter, check, value, type) => {
    const { format } = check._zod.def as z.core.$ZodCheckNumberFormatDef
    const range = z.core.util.NUMBER_FORMAT_RANGES[format]
    if (type !== 'number' || !range) throw new Uncompilable()
    if (format.includes('int')) emitter.failIf(`!Number.isSafeInteger(${value})`)
    if (format !== 'safeint') emitter.failIf(`${value} < ${range[0]} || ${value} > ${range[1]}`)
    return undefined
  },
  min_length: (emitter, check, value, type) => {
    const minimum = lengthOf(check, type, (check._zod.def as z.core.$ZodCheckMinLengthDef).minimum)
    emitter.failIf(`${value}.length < ${minimum}`)
    // Fewer units than twice the minimum may be too few code points; one unit is one.
    if (type === 'string' && minimum > 1) {
      emitter.failIf(`${value}.length < ${2 * minimum} && ${emitter.constant(codePoints)}(${value}) < ${minimum}`)
    }
    return undefined
  },
  max_length: (emitter, check, value, type) => {
    const maximum = lengthOf(check, type, (check._zod.def as z.core.$ZodCheckMaxLengthDef).maximum)
    const isLonger = type === 'string' ? ` && ${emitter.constant(codePoints)}(${value}) > ${maximum}` : ''
    emitter.failIf(`${value}.length > ${maximum}${isLonger}`)
    return undefined
  },
  length_equals: (emitter, check, value, type) => {
    const length = lengthOf(check, type, (check._zod.def as z.core.$ZodCheckLengthEqualsDef).length)
    if (type === 'array') emitter.failIf(`${value}.length !== ${length}`)
    else {
      const count = emitter.constant(codePoints)
      emitter.failIf(
        `${value}.length < ${length} || ${value}.length > ${2 * length} || ${count}(${value}) !== ${length}`,
      )
    }
    return undefined
  },
  string_format: (emitter, check, value, type) => {
    if (type !== 'string') throw new Uncompilable()
    if (hasTrait(check, '$ZodCheckIncludes')) {
      const { includes, position } = check._zod.def as z.core.$ZodCheckIncludesDef
      emitter.failIf(`!${value}.includes(${quote(includes)}, ${operand(emitter, position)})`)
    } else if (hasTrait(check, '$ZodCheckStartsWith')) {
      emitter.failIf(`!${value}.startsWith(${quote((check._zod.def as z.core.$ZodCheckStartsWithDef).prefix)})`)
    } else if (hasTrait(check, '$ZodCheckEndsWith')) {
      emitter.failIf(`!${value}.endsWith(${quote((check._zod.def as z.core.$ZodCheckEndsWithDef).suffix)})`)
    } else {
      const { pattern } = check._zod.def as z.core.$ZodCheckStringFormatDef
      if (!PATTERNS.some((trait) => hasTrait(check, trait)) || !isPlainRegExp(pattern)) throw new Uncompilable()
      emitMatch(emitter, pattern, value)
    }
    return undefined
  },
  overwrite: (emitter, check, value, type) => {
    emitter.isForeign()
    const overwritten = emitter.const(`${emitter.constant(check._zod.def)}.tx(${value})`)
    // It may return another type. What zod makes of that is zod's to say.
    if (type === 'string' || type === 'number') emitter.failIf(`typeof ${overwritten} !== "${type}"`)
    else throw new Uncompilable()
    return overwritten
  },
  custom: (emitter, check, value) => {
    // Only predicates: other functions get the list of issues, and may change it.
    if (!hasTrait(check, '$ZodCustom')) throw new Uncompilable()
    emitter.isForeign()
    const said = emitter.const(`${emitter.constant(check._zod.def)}.fn(${value})`)
    emitter.write(`if (${said} instanceof Promise) throw new ${emitter.constant(z.core.$ZodAsyncError)}();`)
    emitter.failIf(`!${said}`)
    return undefined
  },
}

/** Emits the checks of a schema on its valid value, in their order, and returns the expression of the result. */
export function emitChecks(emitter: Emitter, schema: Schema, value: string): string {
  const { type, checks = [] } = schema._zod.def
  // Formats are schema and check in one.
  const all = hasTrait(schema, '$ZodCheck') ? [schema as unknown as Check, ...checks] : checks
  let checked = value
  for (const check of all) {
    const { check: kind, when } = definition(check) as { check?: string; when?: unknown }
    const emit = kind === undefined ? undefined : CHECKS[kind]
    if (!emit || (when !== undefined && when !== HAS_LENGTH)) throw new Uncompilable()
    checked = emit(emitter, check, checked, type) ?? checked
  }
  return checked
}

function emitCompare(emitter: Emitter, check: Check, value: string, type: string, sign: '<' | '>'): undefined {
  if (!ORDERED.has(type)) throw new Uncompilable()
  const { value: bound, inclusive } = check._zod.def as z.core.$ZodCheckLessThanDef
  // Negated, as zod compares: nothing is above or below NaN.
  emitter.failIf(`!(${value} ${sign}${inclusive ? '=' : ''} ${operand(emitter, bound)})`)
}

function lengthOf(check: Check, type: string, length: number): number {
  const isLength = Number.isSafeInteger(length) && length >= 0
  if (!isLength || (type !== 'string' && type !== 'array') || check._zod.def.when !== HAS_LENGTH)
    throw new Uncompilable()
  return length
}
