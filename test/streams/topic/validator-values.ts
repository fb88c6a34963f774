import fc from 'fast-check'
import { own } from './validator-schemas.ts'

type Path = readonly number[]

/** The same value with one place, which the path chooses, replaced. */
export function replaced(value: unknown, path: Path, by: unknown): unknown {
  if (typeof value !== 'object' || value === null || path.length === 0) return by
  const keys = Object.keys(value)
  if (keys.length === 0) return by
  const key = keys[(path[0] as number) % keys.length] as string
  const part = replaced((value as Record<string, unknown>)[key], path.slice(1), by)
  if (Array.isArray(value)) return value.with(Number(key), part)
  return own(Object.entries(value).map(([name, old]) => [name, name === key ? part : old] as const))
}

class Instance {
  inherited = 'own'
  get accessor() {
    return 'a'
  }
}

/** Objects that no JSON makes, of the same properties. */
const HOSTILE: Readonly<Record<string, (value: object) => unknown>> = {
  inherited: (value) => Object.create(value),
  'no prototype': (value) => Object.assign(Object.create(null), value),
  instance: (value) => Object.assign(new Instance(), value),
  'own constructor': (value) => ({ ...value, constructor: 'none' }),
  getters: (value) => {
    const object = {}
    for (const [key, part] of Object.entries(value))
      Object.defineProperty(object, key, { enumerable: true, get: () => part })
    return object
  },
  'a getter that throws': (value) => {
    const last = Object.keys(value).at(-1) ?? 'a'
    return Object.defineProperty({ ...value }, last, {
      enumerable: true,
      get: () => {
        throw new Error('No')
      },
    })
  },
  'hidden property': (value) => Object.defineProperty({ ...value }, 'a', { value: 'a', enumerable: false }),
  symbol: (value) => ({ ...value, [Symbol.for('s')]: 1 }),
  frozen: (value) => Object.freeze({ ...value }),
  proxy: (value) => new Proxy(value, {}),
  // What zod has frozen cannot be hidden any more: it must not be frozen.
  'proxy that hides': (value) => new Proxy(value, { has: () => false, preventExtensions: () => false }),
  'proxy that throws': (value) => {
    const has = () => {
      throw new Error('No')
    }
    return new Proxy(value, { has, preventExtensions: () => false })
  },
  'array with holes': (value) => Object.assign(new Array(3), Object.values(value).slice(1)),
  array: (value) => Object.values(value),
  'array of another class': (value) => class extends Array {}.from(Object.values(value)),
}

function hostile(value: unknown, path: Path, kind: string): unknown {
  const [step, ...rest] = path
  if (typeof value !== 'object' || value === null) return value
  const keys = Object.keys(value)
  const key = keys[(step ?? 0) % Math.max(keys.length, 1)]
  const part = key === undefined ? undefined : (value as Record<string, unknown>)[key]
  if (step === undefined || key === undefined || typeof part !== 'object' || part === null || Array.isArray(value))
    return HOSTILE[kind]?.(value)
  return own(Object.entries(value).map(([name, old]) => [name, name === key ? hostile(old, rest, kind) : old] as const))
}

/** A value, and how it was made. */
export interface Sample {
  readonly how: string
  readonly value: unknown
}

export const path = fc.array(fc.nat(9), { maxLength: 3 })
const junk = fc.oneof(
  fc.constantFrom<unknown>(undefined, null, 0, -0, '', 'a', 'x', 1, true, [], {}, 5n, Number.NaN, { t: 'x' }, ['a']),
  fc.jsonValue({ maxDepth: 2 }),
)

/** Values for a schema: those that it mostly takes, near misses, hostile ones, and any. */
export function samples(values: fc.Arbitrary<unknown>): fc.Arbitrary<Sample> {
  const hows = fc.constantFrom(...Object.keys(HOSTILE))
  return fc.oneof(
    { weight: 6, arbitrary: values.map((value) => ({ how: 'valid', value })) },
    {
      weight: 4,
      arbitrary: fc.tuple(values, path, junk).map(([v, at, by]) => ({ how: 'near', value: replaced(v, at, by) })),
    },
    { weight: 3, arbitrary: fc.tuple(values, path, hows).map(([v, at, how]) => ({ how, value: hostile(v, at, how) })) },
    { weight: 1, arbitrary: junk.map((value) => ({ how: 'any', value })) },
  )
}

/** Equal in all that can be seen: types, prototypes, order of properties, holes, -0, and what is frozen. */
export function same(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Object.getPrototypeOf(a) !== Object.getPrototypeOf(b) || Object.isFrozen(a) !== Object.isFrozen(b)) return false
  if (a instanceof Date || a instanceof Map || a instanceof Set) return sameInside(a, b)
  const [keys, others] = [Reflect.ownKeys(a), Reflect.ownKeys(b)]
  if (keys.length !== others.length) return false
  return keys.every((key, index) => {
    const [left, right] = [Object.getOwnPropertyDescriptor(a, key), Object.getOwnPropertyDescriptor(b, key)]
    return key === others[index] && left?.enumerable === right?.enumerable && same(left?.value, right?.value)
  })
}

function sameInside(a: object, b: object): boolean {
  if (a instanceof Date) return same(a.getTime(), (b as Date).getTime())
  return same([...(a as Set<unknown>)], [...(b as Set<unknown>)])
}
