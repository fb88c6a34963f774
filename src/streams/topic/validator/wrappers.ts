import type { z } from 'zod'
import type { Emit, Emitter } from './emitter.ts'
import { hasTrait, type Schema, Uncompilable } from './known.ts'

type EmitWrapper = (emitter: Emitter, schema: Schema, from: string, emit: Emit) => string

export const WRAPPERS: Readonly<Record<string, EmitWrapper>> = {
  optional: (emitter, schema, from, emit) => {
    const inner = innerOf(schema)
    if (hasTrait(schema, '$ZodExactOptional')) return emit(emitter, inner, from)
    // Undefined gets the default of what is within, if that takes it.
    if (inner._zod.optin === 'defaulted') throw new Uncompilable()
    return emitUnless(emitter, 'undefined', inner, from, emit)
  },
  nullable: (emitter, schema, from, emit) => emitUnless(emitter, 'null', innerOf(schema), from, emit),
  default: (emitter, schema, from, emit) => {
    emitter.isForeign()
    const output = emitter.let(from)
    emitter.block(`if (${output} !== undefined)`, () => {
      emitter.write(`${output} = ${emit(emitter, innerOf(schema), from)};`)
    })
    // Read each time: it may be a function, or is copied.
    emitter.write(`if (${output} === undefined) ${output} = ${emitter.constant(schema._zod.def)}.defaultValue;`)
    return output
  },
  prefault: (emitter, schema, from, emit) => {
    emitter.isForeign()
    const given = emitter.const(`${from} === undefined ? ${emitter.constant(schema._zod.def)}.defaultValue : ${from}`)
    return emit(emitter, innerOf(schema), given)
  },
  nonoptional: (emitter, schema, from, emit) => {
    const output = emit(emitter, innerOf(schema), from)
    emitter.failIf(`${output} === undefined`)
    return output
  },
  readonly: (emitter, schema, from, emit) => {
    // What is within may be the input, which zod freezes also where it refuses what is around it.
    emitter.isForeign()
    return emitter.const(`Object.freeze(${emit(emitter, innerOf(schema), from)})`)
  },
  pipe: (emitter, schema, from, emit) => {
    const { in: first, out: second, transform } = schema._zod.def as z.core.$ZodPipeDef
    if (transform) throw new Uncompilable()
    const piped = emitter.pipe(() => emit(emitter, first as Schema, from))
    // The second part sees what the first has kept: if that is bounded, so is the whole.
    const { isBounded } = emitter
    const output = emit(emitter, second as Schema, piped)
    emitter.isBounded = isBounded
    return output
  },
}

function innerOf(schema: Schema): Schema {
  return (schema._zod.def as z.core.$ZodOptionalDef).innerType as Schema
}

function emitUnless(emitter: Emitter, literal: string, inner: Schema, from: string, emit: Emit): string {
  const output = emitter.let(literal)
  emitter.block(`if (${from} !== ${literal})`, () => {
    emitter.write(`${output} = ${emit(emitter, inner, from)};`)
  })
  return output
}
