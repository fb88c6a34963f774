import { z } from 'zod'
import { type Emit, type Emitter, operand } from './emitter.ts'
import { definition, hasTrait, type Schema, Uncompilable } from './known.ts'
import { isEnumerable } from './support.ts'

export function emitArray(emitter: Emitter, schema: Schema, from: string, emit: Emit): string {
  const { element, checks } = schema._zod.def as z.core.$ZodArrayDef
  emitter.reads++
  emitter.failIf(`!Array.isArray(${from})`)
  // Too many items are refused before any is looked at.
  for (const [maximum] of z.core.util.sizeCaps(checks)) emitter.failIf(`${from}.length > ${operand(emitter, maximum)}`)
  const output = emitter.const(`new Array(${from}.length)`)
  const index = emitter.name()
  emitter.block(`for (let ${index} = 0; ${index} < ${from}.length; ${index}++)`, () => {
    const item = emitter.const(`${from}[${index}]`)
    emitter.write(`${output}[${index}] = ${emit(emitter, element, item)};`)
  })
  return output
}

/** A tuple of a fixed number of items. Which of optional items are absent, and the rest, are zod's to say. */
export function emitTuple(emitter: Emitter, schema: Schema, from: string, emit: Emit): string {
  const { items, rest } = schema._zod.def as z.core.$ZodTupleDef
  const isFixed = items.every(({ _zod }) => _zod.optin === undefined && _zod.optout === undefined)
  if (rest || !isFixed) throw new Uncompilable()
  emitter.reads++
  emitter.failIf(`!Array.isArray(${from}) || ${from}.length !== ${items.length}`)
  const output = items.map((item, index) => emit(emitter, item, emitter.const(`${from}[${index}]`)))
  return emitter.const(`[${output.join(', ')}]`)
}

/** A record whose keys are any text. Every own enumerable property counts, as in zod. */
export function emitRecord(emitter: Emitter, schema: Schema, from: string, emit: Emit): string {
  const { keyType, valueType, mode } = schema._zod.def as z.core.$ZodRecordDef
  const { type, checks = [], coerce } = definition(keyType)
  const isAnyText = type === 'string' && checks.length === 0 && !coerce && !hasTrait(keyType, '$ZodCheck')
  if (!isAnyText || mode !== undefined) throw new Uncompilable()
  emitter.reads++
  emitter.failIf(`!${emitter.constant(z.core.util.isPlainObject)}(${from})`)
  const output = emitter.const('{}')
  const key = emitter.name()
  emitter.block(`for (const ${key} of Reflect.ownKeys(${from}))`, () => {
    emitter.write(`if (${key} === "__proto__" || !${emitter.constant(isEnumerable)}.call(${from}, ${key})) continue;`)
    emitter.failIf(`typeof ${key} !== "string"`)
    const value = emitter.const(`${from}[${key}]`)
    emitter.write(`${output}[${key}] = ${emit(emitter, valueType, value)};`)
  })
  return output
}
