import type { z } from 'zod'
import { heapBytes } from './heap-bytes.ts'
import { emitCompiled } from './validator/emit.ts'
import { Emitter } from './validator/emitter.ts'
import { isKnownConfiguration, type Schema, Uncompilable } from './validator/known.ts'
import { emitSize } from './validator/size.ts'
import { INVALID } from './validator/support.ts'

export { INVALID }

type Validate<V> = (plain: unknown) => V | typeof INVALID

interface Compiled<V> {
  /** Undefined: zod validates. */
  readonly validate: Validate<V> | undefined
  sizeOf(value: V): number
  /** However deep a value is, validation looks only to the depth of the schema, and keeps nothing deeper. */
  readonly isBounded: boolean
}

/**
 * Compiles a schema to one function. Its result is what zod's `safeParse` gives on success. INVALID: zod refuses the
 * value, or has to be asked. It throws where zod throws. Parts of the schema that cannot be compiled are run by zod.
 * Undefined: the schema as a whole cannot be compiled, or generating code is not allowed.
 *
 * zod remains the definition. A value that is refused is validated twice, so functions within the schema must give the
 * same answer again. JSON is a tree: of an object that a value refers to in several places, or that contains itself,
 * there may be more copies than zod makes where a schema refers to itself.
 */
export function compileValidator<V>(schema: z.ZodType<V>): Validate<V> | undefined {
  return compile(schema).validate
}

/** Validation of a topic's values. The schema is compiled at its first use: it may refer to what is defined later. */
export class Validator<V> {
  readonly #schema: z.ZodType<V>
  #compiled: Compiled<V> | undefined

  constructor(schema: z.ZodType<V>) {
    this.#schema = schema
  }

  /** Compiles the schema, which takes some milliseconds: else the first record does, and clients wait for it. */
  prepare(): void {
    this.#use()
  }

  get isBounded(): boolean {
    return this.#use().isBounded
  }

  /** The valid value, or zod's words of the rejection. */
  validate(plain: unknown): z.ZodSafeParseResult<V> {
    const { validate } = this.#use()
    const value = validate ? validate(plain) : INVALID
    return value === INVALID ? this.#schema.safeParse(plain) : { success: true, data: value }
  }

  /** Heap size of a valid value. */
  sizeOf(value: V): number {
    return this.#use().sizeOf(value)
  }

  #use(): Compiled<V> {
    this.#compiled ??= compile(this.#schema)
    return this.#compiled
  }
}

const UNCOMPILED = { validate: undefined, sizeOf: heapBytes, isBounded: false } as const

function compile<V>(schema: z.ZodType<V>): Compiled<V> {
  try {
    if (!isKnownConfiguration()) return UNCOMPILED
    const validator = new Emitter()
    const output = validator.part(schema, () => emitCompiled(validator, schema as Schema, 'plain'), refuse)
    validator.write(`return ${output};`)
    const { isBounded } = validator
    const size = new Emitter()
    const bytes = emitSize(size, schema, 'value', 'total')
    size.write(`return total + ${bytes};`)
    try {
      return {
        validate: generate('plain', '', validator) as Validate<V>,
        sizeOf: generate('value', 'let total = 0;', size) as (value: V) => number,
        isBounded,
      }
    } catch {
      // Node was started with --disallow-code-generation-from-strings.
      return { ...UNCOMPILED, isBounded }
    }
  } catch {
    // No part of it is known here, or its own getters throw, which zod reports for each value.
    return UNCOMPILED
  }
}

function refuse(): never {
  throw new Uncompilable()
}

function generate(parameter: string, before: string, { code, constants }: Emitter): unknown {
  const text = `"use strict";\nreturn (${parameter}) => {\n${before}\n${code}\n}`
  const create = new Function('INVALID', ...constants.map(([name]) => name), text)
  return create(INVALID, ...constants.map(([, value]) => value))
}
