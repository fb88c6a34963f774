import { emitChecks } from './checks.ts'
import { emitArray, emitRecord, emitTuple } from './collections.ts'
import type { Emit, Emitter } from './emitter.ts'
import { definition, type Schema, Uncompilable } from './known.ts'
import { LEAVES } from './leaves.ts'
import { emitObject } from './object.ts'
import { runPart } from './support.ts'
import { emitUnion } from './union.ts'
import { WRAPPERS } from './wrappers.ts'

type EmitKind = (emitter: Emitter, schema: Schema, from: string, emit: Emit) => string

const KINDS: Readonly<Record<string, EmitKind>> = {
  ...LEAVES,
  ...WRAPPERS,
  object: emitObject,
  array: emitArray,
  tuple: emitTuple,
  record: emitRecord,
  union: emitUnion,
  custom: (emitter, _schema, from) => {
    emitter.isBounded = false
    return from
  },
}

/** Types whose values have no parts: zod does not look deep into what it refuses. */
const FLAT = new Set(['string', 'number', 'boolean', 'bigint', 'symbol', 'enum', 'literal', 'template_literal'])

/** Emits a schema with its checks, or a call of zod if it cannot be compiled. */
const emit: Emit = (emitter, schema, from) =>
  emitter.part(
    schema,
    () => emitCompiled(emitter, schema, from),
    () => emitPart(emitter, schema, from),
  )

/** @throws Uncompilable */
export function emitCompiled(emitter: Emitter, schema: Schema, from: string): string {
  const { type, coerce } = definition(schema)
  const emitKind = Object.hasOwn(KINDS, type) ? KINDS[type] : undefined
  if (!emitKind || coerce) throw new Uncompilable()
  return emitChecks(emitter, schema, emitKind(emitter, schema, from, emit))
}

function emitPart(emitter: Emitter, schema: Schema, from: string): string {
  emitter.isForeign()
  emitter.isLenient()
  const { type, coerce } = schema._zod.def as { type: string; coerce?: boolean }
  if (!FLAT.has(type) || coerce) emitter.isBounded = false
  const output = emitter.const(`${emitter.constant(runPart)}(${emitter.constant(schema)}, ${from})`)
  emitter.failIf(`${output} === INVALID`)
  return output
}
