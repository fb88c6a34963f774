import { z } from 'zod'

export type Schema = z.core.$ZodType

/** A part of a schema cannot be compiled here: zod runs it. */
export class Uncompilable extends Error {}

function isConstructor(value: unknown): value is { prototype: object } {
  return typeof value === 'function' && 'init' in value
}

/** zod's own constructors: a schema of any other may validate by code of its own. */
const CONSTRUCTORS: ReadonlySet<unknown> = new Set(
  [...Object.values(z), ...Object.values(z.core)].filter(isConstructor),
)

/** Properties of definitions that are known. `error`, `path` and `params` only change the words of a rejection. */
const DEFINITION: ReadonlySet<string> = new Set([
  ...['type', 'checks', 'check', 'error', 'abort', 'path', 'params', 'when', 'coerce', 'fn'],
  ...['format', 'pattern', 'offset', 'local', 'precision', 'version', 'length', 'delimiter'],
  ...['value', 'inclusive', 'minimum', 'maximum', 'includes', 'position', 'prefix', 'suffix', 'tx'],
  ...['shape', 'catchall', 'element', 'items', 'rest', 'keyType', 'valueType', 'mode', 'partial'],
  ...['options', 'discriminator', 'unionFallback', 'innerType', 'defaultValue', 'in', 'out', 'transform'],
  ...['reverseTransform', 'entries', 'values', 'parts'],
])

/**
 * The definition of a schema or check, if all that can change its behavior is known here.
 * @throws Uncompilable otherwise: of another copy of zod, subclassed, or with unknown options.
 */
export function definition(schema: Schema | z.core.$ZodCheck): z.core.$ZodTypeDef & Readonly<Record<string, unknown>> {
  const { constr, def } = schema._zod as Schema['_zod'] & { readonly constr?: { readonly prototype: object } }
  if (constr === undefined || !CONSTRUCTORS.has(constr) || Object.getPrototypeOf(schema) !== constr.prototype)
    throw new Uncompilable()
  for (const option of Object.keys(def)) if (!DEFINITION.has(option)) throw new Uncompilable()
  return def as z.core.$ZodTypeDef & Readonly<Record<string, unknown>>
}

/** A function given to `check` is a check without traits. */
export function hasTrait(schema: Schema | z.core.$ZodCheck, trait: string): boolean {
  return (schema._zod as Partial<Schema['_zod']>).traits?.has(trait) === true
}

/** Configuration of zod that changes nothing but words, or how zod itself runs with the same result. */
const CONFIGURATION: ReadonlySet<string> = new Set([
  'customError',
  'localeError',
  'memoizer',
  'postProcessor',
  'jitless',
])

/** False: zod is configured in a way that is not known here, or to generate no code. */
export function isKnownConfiguration(): boolean {
  const config = z.config()
  return config.jitless !== true && Object.keys(config).every((name) => CONFIGURATION.has(name))
}

/** A regular expression that nobody has overridden. */
export function isPlainRegExp(value: unknown): value is RegExp {
  if (!(value instanceof RegExp) || Object.getPrototypeOf(value) !== RegExp.prototype) return false
  return !Object.isFrozen(value) && Reflect.ownKeys(value).join() === 'lastIndex'
}
