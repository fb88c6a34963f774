import type { z } from 'zod'
import { type Emit, type Emitter, quote } from './emitter.ts'
import { definition, hasTrait, type Schema, Uncompilable } from './known.ts'
import { runPart } from './support.ts'

/** Objects of more properties are dictionaries in V8, however they are written. */
const MAX_PROPERTIES = 100
/** Optional properties up to which every combination is a literal of its own: 2 to this power. */
const MAX_BRANCHES = 3

interface Property {
  readonly key: string
  readonly value: string
  /** Expression: the output has the property. Undefined: always. */
  readonly when?: string
}

/**
 * Emits an object. Its output is one literal with the properties in zod's order: all events have one hidden class, and
 * no memory beside the object. An absent optional property is absent in the output.
 */
export function emitObject(emitter: Emitter, schema: Schema, from: string, emit: Emit): string {
  const { shape, catchall } = schema._zod.def as z.core.$ZodObjectDef
  const keys = Object.keys(shape)
  if (keys.length > MAX_PROPERTIES || Object.getOwnPropertySymbols(shape).length > 0) throw new Uncompilable()
  emitter.reads++
  emitter.failIf(`typeof ${from} !== "object" || ${from} === null || Array.isArray(${from})`)
  const properties: Property[] = []
  for (const key of keys) {
    // zod ignores it, also where a shape has it.
    if (key === '__proto__') continue
    properties.push(emitProperty(emitter, shape[key] as Schema, from, key, emit))
  }
  const unknown = catchall === undefined ? undefined : unknownKeys(catchall)
  if (unknown === 'refused') {
    emitter.isLenient()
    const key = emitter.name()
    const known = emitter.constant(new Set(keys))
    emitter.write(`for (const ${key} in ${from}) if (!${known}.has(${key})) ${emitter.fail};`)
  }
  const output = emitOutput(emitter, properties)
  if (unknown === 'kept') {
    emitter.isBounded = false
    const key = emitter.name()
    const known = emitter.constant(new Set(keys))
    emitter.block(`for (const ${key} in ${from})`, () => {
      emitter.write(`if (${known}.has(${key}) || ${key} === "__proto__") continue;`)
      const value = emitter.const(`${from}[${key}]`)
      emitter.failIf(`!(${key} in ${from})`)
      emitter.write(`${output}[${key}] = ${value};`)
    })
  }
  return output
}

function unknownKeys(catchall: Schema): 'refused' | 'kept' {
  const { type, checks = [] } = definition(catchall)
  if (checks.length > 0) throw new Uncompilable()
  if (type === 'never') return 'refused'
  if (type === 'unknown' || type === 'any') return 'kept'
  throw new Uncompilable()
}

function emitProperty(emitter: Emitter, schema: Schema, from: string, key: string, emit: Emit): Property {
  const { optin, optout } = schema._zod
  const read = emitter.const(`${from}[${quote(key)}]`)
  const isPresent = `${quote(key)} in ${from}`
  if (optin !== undefined && optout === 'optional') return emitOptional(emitter, schema, read, isPresent, key, emit)
  const value = emit(emitter, schema, read)
  if (optin === undefined) {
    emitter.failIf(`!(${isPresent})`)
    return { key, value }
  }
  if (optin === 'defaulted') return { key, value }
  return { key, value, when: emitter.const(`${value} !== undefined || ${isPresent}`) }
}

/** Issues of an absent property are ignored. Its value is kept only if its schema has a default. */
function emitOptional(
  emitter: Emitter,
  schema: Schema,
  read: string,
  isPresent: string,
  key: string,
  emit: Emit,
): Property {
  const { foreign } = emitter
  const value = emitter.let('undefined')
  const when = emitter.let(isPresent)
  emitter.block(`if (${when})`, () => {
    emitter.write(`${value} = ${emit(emitter, schema, read)};`)
  })
  const hasDefault = schema._zod.optin === 'defaulted'
  if (hasDefault) emitter.isForeign()
  if (hasDefault || emitter.foreign > foreign) {
    // zod runs it on what is absent: foreign code is called, and may throw.
    emitter.block(isAbsentUnseen(schema) ? `else if (${read} !== undefined)` : 'else', () => {
      const made = emitter.const(`${emitter.constant(runPart)}(${emitter.constant(schema)}, ${read})`)
      if (!hasDefault) return
      emitter.block(`if (${made} !== INVALID && ${made} !== undefined)`, () => {
        emitter.write(`${value} = ${made};`, `${when} = true;`)
      })
    })
  }
  return { key, value, when }
}

/** A plain `optional` runs nothing on undefined. */
function isAbsentUnseen(schema: Schema): boolean {
  const { type, checks = [], innerType } = schema._zod.def as z.core.$ZodOptionalDef
  const isPlain = type === 'optional' && checks.length === 0 && !hasTrait(schema, '$ZodExactOptional')
  return isPlain && innerType._zod.optin !== 'defaulted'
}

function emitOutput(emitter: Emitter, properties: readonly Property[]): string {
  const conditional = properties.filter(({ when }) => when !== undefined)
  if (conditional.length === 0) return emitter.const(literal(properties))
  const output = emitter.let('undefined')
  if (conditional.length <= MAX_BRANCHES) {
    emitBranches(emitter, output, [], properties)
    return output
  }
  emitter.write(`if (${conditional.map(({ when }) => when).join(' && ')}) ${output} = ${literal(properties)};`)
  emitter.block('else', () => {
    const first = properties.findIndex(({ when }) => when !== undefined)
    emitter.write(`${output} = ${literal(properties.slice(0, first))};`)
    for (const { key, value, when } of properties.slice(first)) {
      emitter.write(`${when === undefined ? '' : `if (${when}) `}${output}[${quote(key)}] = ${value};`)
    }
  })
  return output
}

/** One literal for each combination of the properties that may be absent. */
function emitBranches(emitter: Emitter, output: string, kept: readonly Property[], left: readonly Property[]): void {
  const next = left.findIndex(({ when }) => when !== undefined)
  if (next < 0) {
    emitter.write(`${output} = ${literal([...kept, ...left])};`)
    return
  }
  const before = [...kept, ...left.slice(0, next)]
  const property = left[next] as Property
  const rest = left.slice(next + 1)
  emitter.block(`if (${property.when})`, () => emitBranches(emitter, output, [...before, property], rest))
  emitter.block('else', () => emitBranches(emitter, output, before, rest))
}

function literal(properties: readonly Property[]): string {
  return `{ ${properties.map(({ key, value }) => `${quote(key)}: ${value}`).join(', ')} }`
}
