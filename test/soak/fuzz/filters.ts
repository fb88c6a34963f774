/** Filters of orders, most of them valid, some large, deep or odd. */
import type { Random } from '../random.ts'
import { REGIONS } from './schema.ts'

/** An enum value, which a literal has without quotes. */
class Name {
  readonly name: string

  constructor(name: string) {
    this.name = name
  }

  toJSON(): string {
    return this.name
  }
}

type Make = (random: Random) => unknown

const TEXT: Make = (random) => (random.chance(0.01) ? 'x'.repeat(random.int(3_000)) : random.word(random.between(1, 4)))
const NUMBER: Make = (random) => random.pick([0, 1, 3, 10, -5])
const DEGREES: Make = (random) => random.pick([0.5, 52.37, -0, 1e300, 7])
const DECIMAL: Make = (random) =>
  random.chance(0.03) ? '9'.repeat(random.int(3_000) + 1) : `${random.int(500)}.${random.int(100)}`
const INSTANT: Make = (random) => new Date(Date.now() - random.int(1e7)).toISOString()
const REGION: Make = (random) => new Name(random.pick([...REGIONS, ...REGIONS, 'MARS']))
const STATUS: Make = (random) => new Name(random.pick(['PLACED', 'PAID', 'SHIPPED', 'CANCELLED']))

const EQUALITY = ['eq', 'ne', 'in', 'notIn'] as const
const ORDER = [...EQUALITY, 'gt', 'gte', 'lt', 'lte'] as const
const TEXTS = [...EQUALITY, 'startsWith', 'contains'] as const

const FIELDS: readonly (readonly [path: string, make: Make, operators: readonly string[]])[] = [
  ['id', TEXT, EQUALITY],
  ['merchantId', (random) => `m_${random.int(50)}`, EQUALITY],
  ['region', REGION, EQUALITY],
  ['status', STATUS, EQUALITY],
  ['city', TEXT, TEXTS],
  ['itemCount', NUMBER, ORDER],
  ['placedAt', INSTANT, ORDER],
  ['location.lat', DEGREES, ORDER],
  ['total.amount', DECIMAL, ORDER],
  ['total.currency', TEXT, TEXTS],
]
const MAX_DEPTH = 3

export function randomFilter(random: Random, depth = 0): object {
  const filter: Record<string, unknown> = {}
  for (let left = random.between(0, 3); left > 0; left--) {
    const [path, make, operators] = random.pick(FIELDS)
    const [field = '', inner] = path.split('.')
    const conditions = Object.fromEntries(
      Array.from({ length: random.between(0, 2) }, () => {
        const operator = random.chance(0.01) ? 'like' : random.pick(operators)
        return [operator, random.chance(0.03) ? null : operandOf(random, operator, make)]
      }),
    )
    filter[field] = inner === undefined ? conditions : { [inner]: conditions }
  }
  if (depth >= MAX_DEPTH || random.chance(0.6)) return filter
  const name = random.pick(['and', 'or', 'not'])
  const count = random.chance(0.01) ? random.int(300) : random.between(0, 3)
  const inner = () => randomFilter(random, depth + (count > 3 ? MAX_DEPTH : 1))
  filter[name] = name === 'not' ? inner() : Array.from({ length: count }, inner)
  return filter
}

function operandOf(random: Random, operator: string, make: Make): unknown {
  if (operator !== 'in' && operator !== 'notIn') return make(random)
  return Array.from({ length: random.chance(0.01) ? random.int(1_200) : random.int(4) }, () => make(random))
}

/** The value as a literal of GraphQL. */
export function literalOf(value: unknown): string {
  if (value instanceof Name) return value.name
  if (Array.isArray(value)) return `[${value.map(literalOf).join(', ')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  return `{${Object.entries(value)
    .map(([name, each]) => `${name}: ${literalOf(each)}`)
    .join(', ')}}`
}
