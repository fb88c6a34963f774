import { SluiceError } from '../../errors/codes.ts'
import type { Filter, FilterField } from '../../streams/filter/filter.ts'
import type { Range } from '../../streams/topic/where.ts'
import { ANONYMOUS, type Audience } from '../context.ts'
import { demandAll } from '../rights/scope-rule.ts'
import { FineDate } from '../scalars.ts'
import type { Shape, ShapeField } from './shape.ts'
import { followedBy, type Step } from './step.ts'

/**
 * Depth limit of a filter's value, in objects within one another: this reader is recursive. Documents and variables of
 * clients are limited to 50 each; other executors have no such limits.
 */
const MAX_DEPTH = 100

type Conditions = Readonly<Record<string, unknown>>

/**
 * The filter that a coerced value of an input type means. Absent and null are told apart: null is a value for `eq` and
 * `ne`, and a mistake everywhere else, because a client that has nothing to ask for would not mean to ask for null.
 * @param root the way from an event's value to the object that the conditions are of.
 * @throws SluiceError `BAD_USER_INPUT` for null where it means nothing, and for a value that is nested too deeply;
 * `FORBIDDEN` for a field that the audience may not select: by filtering it would learn its value.
 */
export function readFilter(
  value: object,
  shape: Shape,
  root: Step,
  { audience = ANONYMOUS, name = 'where' }: ReadOptions = {},
): Filter {
  return readObject(value as Conditions, { shape, step: root, field: '', path: name, depth: 0, audience })
}

interface ReadOptions {
  /** Whose filter it is; that of anonymous clients, if absent. */
  readonly audience?: Audience
  /** Of the argument, for errors. */
  readonly name?: string
}

interface Place {
  readonly shape: Shape
  /** From the event's value to the object. */
  readonly step: Step
  /** Path of the object in the output type, with a dot after it. */
  readonly field: string
  /** Path of the conditions in the argument. */
  readonly path: string
  readonly depth: number
  readonly audience: Audience
}

function readObject(conditions: Conditions, place: Place): Filter {
  if (place.depth > MAX_DEPTH) throw invalid(`"${place.path}" is nested more than ${MAX_DEPTH} levels deep`)
  return all(given(conditions).map(([name, value]) => readCondition(name, value, place)))
}

function readCondition(name: string, value: unknown, place: Place): Filter {
  const path = `${place.path}.${name}`
  if (value === null) throw invalid(`"${path}" takes no null`)
  const deeper = { ...place, depth: place.depth + 1 }
  switch (name) {
    case 'and':
    case 'or': {
      const of = (value as Conditions[]).map((each, index) =>
        readObject(each, { ...deeper, path: `${path}[${index}]` }),
      )
      return name === 'and' ? all(of) : { kind: 'any', of }
    }
    case 'not':
      return { kind: 'not', of: readObject(value as Conditions, { ...deeper, path }) }
    case 'isNull':
      return isNull(fieldOf(place.field.slice(0, -1), 'object', false, place.step), value)
    default:
      return readField(name, value as Conditions, { ...deeper, path })
  }
}

/** Every field that a client makes a condition of comes through here, `isNull` of an object included: it is below it. */
function readField(name: string, conditions: Conditions, place: Place): Filter {
  const found = place.shape.fields.get(name)
  if (!found) throw new Error(`The filter ${place.shape.name} has no field "${name}"`)
  demandAll(found.rules, place.audience, `"${place.path}"`)
  const step = followedBy(place.step, found.step)
  const path = `${place.field}${name}`
  if (found.shape) return readObject(conditions, { ...place, shape: found.shape, step, field: `${path}.` })
  return readOperators(conditions, fieldOf(path, found.kind, found.isList, step), place.path)
}

function readOperators(conditions: Conditions, field: FilterField, path: string): Filter {
  const tests: Filter[] = []
  const range: { -readonly [P in keyof Range<unknown>]: unknown } = {}
  for (const [name, coerced] of given(conditions)) {
    const value = field.kind === 'instant' ? instantsIn(coerced) : coerced
    if (value === null && name !== 'eq' && name !== 'ne') throw invalid(`"${path}.${name}" takes no null`)
    if (RANGE.has(name)) range[name as keyof Range<unknown>] = value
    else tests.push(readOperator(name, value, field))
  }
  if (Object.keys(range).length > 0) tests.push({ kind: 'range', field, range })
  return all(tests)
}

const RANGE: ReadonlySet<string> = new Set(['gt', 'gte', 'lt', 'lte'])

function readOperator(name: string, value: unknown, field: FilterField): Filter {
  switch (name) {
    case 'eq':
      return equals(field, value)
    case 'ne':
      return not(equals(field, value))
    case 'in':
      return { kind: 'in', field, values: value as unknown[] }
    case 'notIn':
      return not({ kind: 'in', field, values: value as unknown[] })
    case 'startsWith':
    case 'contains':
      return { kind: name, field, text: value as string }
    case 'has':
      return { kind: 'hasAll', field, values: [value] }
    case 'hasAny':
    case 'hasAll':
      return { kind: name, field, values: value as unknown[] }
    case 'isNull':
      return isNull(field, value)
    default:
      throw new Error(`No filter has an operator "${name}"`)
  }
}

/** Digits of times beyond milliseconds count. */
function instantsIn(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(instantsIn)
  return value instanceof FineDate ? value.written : value
}

function fieldOf(path: string, kind: ShapeField['kind'], isList: boolean, { properties, read }: Step): FilterField {
  return { path, kind, isList, properties, read }
}

function equals(field: FilterField, value: unknown): Filter {
  return value === null ? { kind: 'null', field } : { kind: 'in', field, values: [value] }
}

function isNull(field: FilterField, value: unknown): Filter {
  return value === true ? { kind: 'null', field } : not({ kind: 'null', field })
}

function not(of: Filter): Filter {
  return { kind: 'not', of }
}

function all(of: readonly Filter[]): Filter {
  return of.length === 1 ? (of[0] as Filter) : { kind: 'all', of }
}

/** What is given: undefined is absent, for executors that are handed values by hand. */
function given(conditions: Conditions): [string, unknown][] {
  return Object.entries(conditions).filter(([, value]) => value !== undefined)
}

function invalid(message: string): SluiceError {
  return new SluiceError('BAD_USER_INPUT', message)
}
