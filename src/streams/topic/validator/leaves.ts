import { z } from 'zod'
import { type Emit, type Emitter, quote } from './emitter.ts'
import { isPlainRegExp, Uncompilable } from './known.ts'

/** More texts than this are looked up: comparing them one by one takes longer. */
const MAX_COMPARED = 8

/** Types without parts. Strings and numbers are emitted with their checks. */
export const LEAVES: Readonly<Record<string, Emit>> = {
  string: (emitter, _schema, from) => {
    emitter.failIf(`typeof ${from} !== "string"`)
    return from
  },
  number: (emitter, _schema, from) => {
    emitter.failIf(`typeof ${from} !== "number" || !Number.isFinite(${from})`)
    return from
  },
  boolean: (emitter, _schema, from) => {
    emitter.failIf(`typeof ${from} !== "boolean"`)
    return from
  },
  bigint: (emitter, _schema, from) => {
    emitter.failIf(`typeof ${from} !== "bigint"`)
    return from
  },
  null: (emitter, _schema, from) => {
    emitter.failIf(`${from} !== null`)
    return from
  },
  undefined: emitUndefined,
  void: emitUndefined,
  nan: (emitter, _schema, from) => {
    emitter.failIf(`typeof ${from} !== "number" || !Number.isNaN(${from})`)
    return from
  },
  never: (emitter, _schema, from) => {
    emitter.failIf('true')
    return from
  },
  any: emitAnything,
  unknown: emitAnything,
  date: (emitter, _schema, from) => {
    // The time is read by a method of the input, and the date itself is kept.
    emitter.isForeign()
    emitter.isBounded = false
    emitter.failIf(`!(${from} instanceof Date) || Number.isNaN(${from}.getTime())`)
    return from
  },
  enum: (emitter, schema, from) => {
    const { entries } = schema._zod.def as z.core.$ZodEnumDef
    return emitOneOf(emitter, new Set<unknown>(z.core.util.getEnumValues(entries)), from)
  },
  literal: (emitter, schema, from) => {
    const { values } = schema._zod.def as z.core.$ZodLiteralDef<z.core.util.Literal>
    return emitOneOf(emitter, new Set<unknown>(values), from)
  },
  template_literal: (emitter, schema, from) => {
    const { pattern } = schema._zod
    if (!isPlainRegExp(pattern)) throw new Uncompilable()
    emitter.failIf(`typeof ${from} !== "string"`)
    emitMatch(emitter, pattern, from)
    return from
  },
}

function emitUndefined(emitter: Emitter, _schema: unknown, from: string): string {
  emitter.failIf(`${from} !== undefined`)
  return from
}

function emitAnything(emitter: Emitter, _schema: unknown, from: string): string {
  emitter.isBounded = false
  return from
}

/** zod resets the position of a regular expression before each use: with flag g or y it has a state. */
export function emitMatch(emitter: Emitter, pattern: RegExp, from: string): void {
  const name = emitter.constant(pattern)
  emitter.write(`${name}.lastIndex = 0;`)
  emitter.failIf(`!${name}.test(${from})`)
}

/**
 * Of a text, the result is the schema's own: equal, and one for all events. The parser's is a copy for each event if
 * it is longer than ten characters. Of other values it is the input, since 0 equals -0.
 */
function emitOneOf(emitter: Emitter, values: ReadonlySet<unknown>, from: string): string {
  const texts = [...values].filter((value) => typeof value === 'string')
  if (texts.length < values.size) {
    emitter.failIf(`!${emitter.constant(values)}.has(${from})`)
    if (texts.length === 0) return from
    const own = emitter.constant(new Map(texts.map((text) => [text, text])))
    return emitter.const(`typeof ${from} === "string" ? ${own}.get(${from}) : ${from}`)
  }
  if (texts.length > MAX_COMPARED) {
    const own = emitter.const(`${emitter.constant(new Map(texts.map((text) => [text, text])))}.get(${from})`)
    emitter.failIf(`${own} === undefined`)
    return own
  }
  const own = emitter.let('undefined')
  for (const [index, text] of texts.entries()) {
    emitter.write(`${index === 0 ? '' : 'else '}if (${from} === ${quote(text)}) ${own} = ${quote(text)};`)
  }
  emitter.write(texts.length === 0 ? `${emitter.fail};` : `else ${emitter.fail};`)
  return own
}
