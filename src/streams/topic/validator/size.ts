import type { z } from 'zod'
import {
  arrayBytes,
  FIELD_BYTES,
  heapBytes,
  NUMBER_BYTES,
  nameBytes,
  numberBytes,
  OBJECT_BYTES,
  recordBytes,
  textBytes,
} from '../heap-bytes.ts'
import { type Emitter, quote } from './emitter.ts'
import { definition, hasTrait, type Schema, Uncompilable } from './known.ts'

/**
 * Emits statements that add the heap size of a valid value to `total`, and returns the bytes that are the same for all
 * values. They are exact for what a compiled validator returns. A value of another type is walked.
 */
type EmitSize = (emitter: Emitter, schema: Schema, from: string, total: string) => number

const SIZES: Readonly<Record<string, EmitSize>> = {
  string: (emitter, _schema, from, total) => {
    emitter.write(
      `${total} += typeof ${from} === "string" ? ${emitter.constant(textBytes)}(${from}) : ${any(emitter, from)};`,
    )
    return 0
  },
  // Once a field had a fraction, V8 boxes every number in it.
  number: (emitter, schema, from, total) => {
    if (!isInteger(schema)) return NUMBER_BYTES
    emitter.write(`${total} += ${emitter.constant(numberBytes)}(${from});`)
    return 0
  },
  boolean: () => 0,
  null: () => 0,
  undefined: () => 0,
  // The texts are the schema's own.
  enum: (emitter, _schema, from, total) => {
    emitter.write(`if (typeof ${from} !== "string") ${total} += ${any(emitter, from)};`)
    return 0
  },
  literal: (emitter, schema, from, total) => SIZES.enum?.(emitter, schema, from, total) ?? 0,
  object: (emitter, schema, from, total) => {
    const { shape, catchall } = schema._zod.def as z.core.$ZodObjectDef
    if (catchall && catchall._zod.def.type !== 'never') throw new Uncompilable()
    return guarded(emitter, from, total, `typeof ${from} === "object" && ${from} !== null`, () => {
      let bytes = OBJECT_BYTES
      for (const [key, part] of Object.entries(shape) as [string, Schema][]) {
        if (key === '__proto__') continue
        const value = emitter.const(`${from}[${quote(key)}]`)
        if (part._zod.optin === undefined) bytes += FIELD_BYTES + emitSize(emitter, part, value, total)
        else {
          emitter.block(`if (${value} !== undefined)`, () => {
            emitter.write(`${total} += ${FIELD_BYTES + emitSize(emitter, part, value, total)};`)
          })
        }
      }
      return bytes
    })
  },
  array: (emitter, schema, from, total) => {
    const { element } = schema._zod.def as z.core.$ZodArrayDef
    return guarded(emitter, from, total, `Array.isArray(${from})`, () => {
      emitter.write(`${total} += ${emitter.constant(arrayBytes)}(${from}.length);`)
      if (element._zod.def.type === 'number') return 0
      const item = emitter.name()
      emitter.block(`for (const ${item} of ${from})`, () => {
        emitter.write(`${total} += ${emitSize(emitter, element, item, total)};`)
      })
      return 0
    })
  },
  record: (emitter, schema, from, total) => {
    const { valueType } = schema._zod.def as z.core.$ZodRecordDef
    return guarded(emitter, from, total, `typeof ${from} === "object" && ${from} !== null`, () => {
      const [count, fresh, key] = [emitter.let('0'), emitter.let('0'), emitter.name()]
      emitter.block(`for (const ${key} in ${from})`, () => {
        const name = emitter.const(`${emitter.constant(nameBytes)}(${key})`)
        emitter.write(`${count}++;`, `if (${name} > 0) ${fresh}++;`)
        const value = emitter.const(`${from}[${key}]`)
        emitter.write(`${total} += ${name} + ${emitSize(emitter, valueType, value, total)};`)
      })
      emitter.write(`${total} += ${emitter.constant(recordBytes)}(${count}, ${fresh});`)
      return 0
    })
  },
  optional: emitInner,
  nullable: emitInner,
  default: emitInner,
  prefault: emitInner,
  nonoptional: emitInner,
  readonly: emitInner,
  pipe: (emitter, schema, from, total) =>
    emitSize(emitter, (schema._zod.def as z.core.$ZodPipeDef).out as Schema, from, total),
}

export const emitSize: EmitSize = (emitter, schema, from, total) => {
  let bytes = 0
  emitter.part(
    schema,
    () => {
      const { type } = definition(schema)
      const emit = Object.hasOwn(SIZES, type) ? SIZES[type] : undefined
      if (!emit || !keepsType(schema)) throw new Uncompilable()
      bytes = emit(emitter, schema, from, total)
      return ''
    },
    () => {
      bytes = 0
      emitter.write(`${total} += ${any(emitter, from)};`)
      return ''
    },
  )
  return bytes
}

function any(emitter: Emitter, from: string): string {
  return `${emitter.constant(heapBytes)}(${from})`
}

/** Null and undefined take nothing, and a number that is null at times is boxed only if it is no small integer. */
function emitInner(emitter: Emitter, schema: Schema, from: string, total: string): number {
  const inner = (schema._zod.def as z.core.$ZodOptionalDef).innerType as Schema
  emitter.block(`if (${from} !== undefined && ${from} !== null)`, () => {
    if (inner._zod.def.type === 'number') emitter.write(`${total} += ${any(emitter, from)};`)
    else emitter.write(`${total} += ${emitSize(emitter, inner, from, total)};`)
  })
  return 0
}

function guarded(emitter: Emitter, from: string, total: string, condition: string, emit: () => number): number {
  emitter.block(`if (${condition})`, () => emitter.write(`${total} += ${emit()};`))
  emitter.write(`else ${total} += ${any(emitter, from)};`)
  return 0
}

/** False: a check may return something else, of any type. */
function keepsType(schema: Schema): boolean {
  return (schema._zod.def.checks ?? []).every((check) => {
    const { check: kind } = check._zod.def
    if (kind !== 'custom') return kind !== 'overwrite'
    return hasTrait(check, '$ZodCustom')
  })
}

function isInteger(schema: Schema): boolean {
  const formats = [schema, ...(schema._zod.def.checks ?? [])].map(
    ({ _zod }) => (_zod.def as { format?: unknown }).format,
  )
  return formats.some((format) => typeof format === 'string' && format.includes('int'))
}
