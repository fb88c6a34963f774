import type { Field, ObjectShape } from '../../../streams/topic/shape.ts'
import { isMap } from './maps.ts'
import { shapeOfNumbers } from './numbers.ts'
import { fieldOf, type Guess, inside, type Place, UNKNOWN } from './place.ts'
import { shapeOfTexts } from './texts.ts'
import { kindsOf, unionOf } from './unions.ts'

type Values = Readonly<Record<string, unknown>>

/** Deeper values are anything: a GraphQL document that selects them would be refused for its depth. */
const MAX_LEVEL = 8
/** Properties of one object: more are data, as of a spreadsheet's row. */
const MAX_PROPERTIES = 200

/** What values look like. `undefined` among them: the property was absent there. Nothing of a value is in the answer but enum members. */
export function inferField(values: readonly unknown[], place: Place): Field {
  const present = values.filter((value) => value !== undefined)
  const filled = present.filter((value) => value !== null)
  const isOptional = present.length < values.length
  const isNullable = filled.length < present.length
  if (filled.length > 0) return fieldOf(guess(filled, place), { isOptional, isNullable })
  const doubt = isNullable ? 'Null wherever it was seen.' : 'Never seen.'
  return fieldOf({ shape: UNKNOWN, doubt }, { isOptional, isNullable: true })
}

type Sort = 'text' | 'number' | 'boolean' | 'list' | 'object'

function sortOf(value: unknown): Sort {
  if (Array.isArray(value)) return 'list'
  if (typeof value === 'string') return 'text'
  return typeof value === 'number' || typeof value === 'boolean' ? (typeof value as Sort) : 'object'
}

function guess(values: readonly unknown[], place: Place): Guess {
  const sorts = [...new Set(values.map(sortOf))].sort()
  if (sorts.length > 1) return { shape: UNKNOWN, doubt: `Values of several types were seen: ${sorts.join(', ')}.` }
  switch (sorts[0]) {
    case 'text':
      return shapeOfTexts(values as string[], place.name)
    case 'number':
      return shapeOfNumbers(values as number[], place.name)
    case 'boolean':
      return { shape: { kind: 'boolean' } }
    default:
      if (place.level >= MAX_LEVEL) return { shape: UNKNOWN, doubt: 'It is nested too deep to be looked at.' }
      return sorts[0] === 'list' ? listOf(values as unknown[][], place) : objectsOf(values as Values[], place)
  }
}

function listOf(lists: readonly (readonly unknown[])[], place: Place): Guess {
  const items = lists.flat()
  if (items.length === 0) {
    const doubt = 'Empty wherever it was seen: what it has is not known.'
    return { shape: { kind: 'list', of: fieldOf({ shape: UNKNOWN }, { isNullable: true }) }, doubt }
  }
  const of = inferField(items, inside(place.name, place))
  return { shape: { kind: 'list', of }, doubt: of.doubt }
}

function objectsOf(objects: readonly Values[], place: Place): Guess {
  if (objects.every((object) => Object.keys(object).length === 0)) {
    return { shape: UNKNOWN, doubt: 'An empty object wherever it was seen.' }
  }
  if (isMap(objects)) {
    const of = inferField(objects.flatMap((object) => Object.values(object)), inside(place.name, place)) // biome-ignore format: one line
    return { shape: { kind: 'map', of }, doubt: 'Its keys are taken for data, not for names of properties.' }
  }
  const kinds = kindsOf(objects)
  if (kinds) {
    const shape = unionOf(kinds, (same) => objectOf(same, place, kinds.by))
    return { shape, doubt: `Kinds that were seen, by \`${kinds.by}\`: a record of another kind is skipped.` }
  }
  const shape = objectOf(objects, place)
  if (shape.fields.size === 0) return { shape: UNKNOWN, doubt: UNREADABLE }
  if (shape.fields.size > MAX_PROPERTIES)
    return { shape: UNKNOWN, doubt: `It has more than ${MAX_PROPERTIES} properties.` }
  return {
    shape,
    doubt: objects.some((object) => Object.keys(object).some((name) => name in {} && !shape.fields.has(name)))
      ? UNREADABLE
      : undefined,
  }
}

const UNREADABLE =
  'Properties that are called as what every object has, such as `toString`, were seen, and are left out.'

/** Where it is absent, what every object has of this name would be read; and as a literal's key, one is the prototype. */
function isReadable(name: string, objects: readonly Values[]): boolean {
  return !(name in {}) || (name !== '__proto__' && objects.every((object) => Object.hasOwn(object, name)))
}

/** `but`: a property that is not looked at, the discriminator of a union. */
function objectOf(objects: readonly Values[], place: Place, but?: string): ObjectShape {
  const names = new Set(objects.flatMap((object) => Object.keys(object)))
  if (but !== undefined) names.delete(but)
  const fields = [...names]
    .filter((name) => isReadable(name, objects))
    .map((name) => {
      const values = objects.map((object) => (Object.hasOwn(object, name) ? object[name] : undefined))
      return [name, inferField(values, inside(name, place))] as const
    })
  return { kind: 'object', fields: new Map(fields) }
}
