import type { z } from 'zod'
import { type Emit, type Emitter, quote } from './emitter.ts'
import { type Schema, Uncompilable } from './known.ts'
import { isInert } from './support.ts'

/** The first option that takes the value. zod reads to the end what it refuses: for inert values that is the same. */
export function emitUnion(emitter: Emitter, schema: Schema, from: string, emit: Emit): string {
  const { options, discriminator, inclusive } = schema._zod.def as z.core.$ZodDiscriminatedUnionDef
  if (discriminator !== undefined) return emitDiscriminated(emitter, schema, from, emit)
  if (inclusive === false || options.length === 0) throw new Uncompilable()
  const output = emitter.let('INVALID')
  const { reads } = emitter
  let isCompared = false
  for (const [index, option] of options.entries()) {
    if (index > 0) {
      emitter.write(`if (${output} === INVALID) {`)
      if (!isCompared && emitter.reads > reads) {
        isCompared = true
        emitter.failIf(`!${emitter.constant(isInert)}(${from})`)
      }
    }
    const label = emitter.name()
    emitter.block(`${label}:`, () => {
      emitter.try(`break ${label}`, () => emitter.write(`${output} = ${emit(emitter, option as Schema, from)};`))
    })
  }
  emitter.write('}'.repeat(options.length - 1))
  emitter.failIf(`${output} === INVALID`)
  return output
}

/** The option is chosen by one property, and its refusal is that of the union. */
function emitDiscriminated(emitter: Emitter, schema: Schema, from: string, emit: Emit): string {
  const { options, discriminator, unionFallback } = schema._zod.def as z.core.$ZodDiscriminatedUnionDef
  if (unionFallback) throw new Uncompilable()
  emitter.reads++
  emitter.failIf(`typeof ${from} !== "object" || ${from} === null || Array.isArray(${from})`)
  const tag = emitter.const(`${from}[${quote(discriminator)}]`)
  const output = emitter.let('undefined')
  const seen = new Set<unknown>()
  for (const [index, option] of (options as readonly Schema[]).entries()) {
    const tags = [...(option._zod.propValues?.[discriminator] ?? [])]
    if (tags.length === 0) throw new Uncompilable()
    for (const value of tags) {
      // Two options of one tag: an error of the schema, which is zod's to raise.
      if (seen.has(value)) throw new Uncompilable()
      seen.add(value)
    }
    const condition = tags.map((value) => `${tag} === ${tagLiteral(value)}`).join(' || ')
    emitter.block(`${index === 0 ? '' : 'else '}if (${condition})`, () => {
      emitter.write(`${output} = ${emit(emitter, option, from)};`)
    })
  }
  emitter.write(`else ${emitter.fail};`)
  return output
}

function tagLiteral(value: unknown): string {
  if (typeof value === 'string') return quote(value)
  if (typeof value === 'boolean' || value === null || value === undefined) return String(value)
  if (typeof value === 'number' && Number.isFinite(value)) return String(value)
  throw new Uncompilable()
}
