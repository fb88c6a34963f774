import type { Shape } from '../../../streams/topic/shape.ts'
import type { FieldPlan, ObjectPlan, UnionPlan, ValuePlan } from './plan.ts'

/** Fewer records say little about what repeats. */
const MIN_RECORDS = 10
/** Each costs memory for each event of the window. */
const MAX_INDEX = 4
const MAX_ORDERED = 3
/** Values that a property has on average in two records or more are asked for by equality. */
const MIN_REPEAT = 2
/** Different values of an ordered property, below which equality is asked for instead. */
const MIN_STEPS = 10

/** What is known of a record, for the proposals. */
export interface Seen {
  readonly value: unknown
  readonly key: string | null
}

export interface Proposals {
  readonly index: readonly FieldPlan[]
  readonly ordered: readonly FieldPlan[]
  readonly key: string | undefined
  /** Nothing in the value tells events apart, and each record has a key that is text. */
  readonly isIdKey: boolean
}

/** What a topic is looked up by, and what its keys are: proposals from records. */
export function proposalsOf(type: ObjectPlan | UnionPlan | ValuePlan, seen: readonly Seen[]): Proposals {
  // A `where` on `toString` would be a type error: every object has one.
  const fields = topFields(type).filter(({ source }) => !(source in {}))
  const columns = new Map(fields.map((field) => [field, columnOf(field.source, seen)]))
  const key = fields.find(({ source }) => isKey(source, seen))?.source
  const hasId = key !== undefined || fields.some((field) => isId(field, columns.get(field) as Column, seen.length))
  if (type.kind === 'value') return { index: [], ordered: [], key: undefined, isIdKey: false }
  return {
    index: equalities(columns, key),
    ordered: orders(columns),
    key,
    isIdKey:
      type.kind === 'object' &&
      !hasId &&
      !type.fields.some(({ source }) => source === 'id') &&
      seen.length > 0 &&
      seen.every(({ key: own }) => isText(own)),
  }
}

/** Properties that every event has: of a union, those that all of its kinds have in the same shape. */
function topFields(type: ObjectPlan | UnionPlan | ValuePlan): readonly FieldPlan[] {
  if (type.kind === 'value') return []
  if (type.kind === 'object') return type.fields
  const [first, ...others] = type.of
  return (first as ObjectPlan).fields.filter(({ source, shape }) =>
    others.every(({ fields }) => fields.some((field) => field.source === source && isSame(field.shape, shape))),
  )
}

function isSame(a: Shape, b: Shape): boolean {
  const as = (shape: Shape) => ('as' in shape ? shape.as : '')
  return a.kind === b.kind && as(a) === as(b) && !['object', 'list', 'map', 'union', 'enum'].includes(a.kind)
}

interface Column {
  readonly count: number
  readonly distinct: number
}

function columnOf(source: string, seen: readonly Seen[]): Column {
  const values = seen
    .map(({ value }) => propertyOf(value, source))
    .filter((value) => value !== undefined && value !== null)
  return { count: values.length, distinct: new Set(values).size }
}

function propertyOf(value: unknown, source: string): unknown {
  if (value === null || typeof value !== 'object' || !Object.hasOwn(value, source)) return undefined
  return (value as Record<string, unknown>)[source]
}

/** All keys are this property, and they are not all the same. */
function isKey(source: string, seen: readonly Seen[]): boolean {
  if (new Set(seen.map(({ key }) => key)).size < 2) return false
  return seen.every(({ key, value }) => {
    const own = propertyOf(value, source)
    return (typeof own === 'string' || typeof own === 'number') && String(own) === key
  })
}

function isId({ source, shape }: FieldPlan, { count, distinct }: Column, records: number): boolean {
  if (!['text', 'int', 'long'].includes(shape.kind)) return false
  if (/^_?(?:id|uuid|guid|key)$/i.test(source)) return true
  return /(?:id|uuid|guid|key)$/i.test(source) && count === records && distinct === count
}

/** A key that is no text is bytes of another format; JSON is an object's. */
function isText(key: string | null): boolean {
  return key !== null && key !== '' && !/[\p{Cc}\ufffd]/u.test(key) && !/^[[{]/.test(key)
}

function equalities(columns: ReadonlyMap<FieldPlan, Column>, key: string | undefined): FieldPlan[] {
  const rank = ({ source, shape }: FieldPlan) =>
    source === key
      ? 0
      : /id$/i.test(source) && shape.kind !== 'enum'
        ? 1
        : shape.kind === 'enum'
          ? 2
          : shape.kind === 'text'
            ? 3
            : 4
  return [...columns]
    .filter(([{ source, shape }, { count, distinct }]) => {
      if (source === key) return true
      if (count < MIN_RECORDS || distinct < 2 || count / distinct < MIN_REPEAT) return false
      return shape.kind === 'text' || shape.kind === 'enum' || (shape.kind === 'int' && /id$/i.test(source))
    })
    .map(([field]) => field)
    .sort((a, b) => rank(a) - rank(b))
    .slice(0, MAX_INDEX)
}

function orders(columns: ReadonlyMap<FieldPlan, Column>): FieldPlan[] {
  const kinds = ['time', 'decimal', 'float', 'int', 'long']
  return [...columns]
    .filter(([{ source, shape }, { distinct }]) => {
      if (!kinds.includes(shape.kind) || distinct < MIN_STEPS || /(?:id|lat|lon|lng|latitude|longitude)$/i.test(source))
        return false
      return !(shape.kind === 'long' && shape.as === 'text')
    })
    .map(([field]) => field)
    .sort((a, b) => kinds.indexOf(a.shape.kind) - kinds.indexOf(b.shape.kind))
    .slice(0, MAX_ORDERED)
}
