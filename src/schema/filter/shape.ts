import type { FilterableField, OutputTypes } from './output-types.ts'
import type { NoStep } from './step.ts'

/** An input type of conditions on an object: one for each output type, and more where fields are left out. */
export interface Shape {
  readonly name: string
  readonly typeName: string
  readonly isNullable: boolean
  /** Computed on demand: a type may contain itself. */
  readonly fields: ReadonlyMap<string, ShapeField>
}

export interface ShapeField extends FilterableField {
  /** For an object: the conditions on its fields. */
  readonly shape: Shape | undefined
}

/** Which fields may be filtered, by their paths, such as `total.amount`; a path stands for all that is below it. */
export interface FieldChoice {
  /** No other. */
  readonly only?: readonly string[]
  /** All but these. */
  readonly omit?: readonly string[]
}

/** The shapes of a schema by name. */
export class Shapes {
  readonly #types: OutputTypes
  readonly #shapes = new Map<string, { readonly shape: Shape; readonly signature: string }>()

  constructor(types: OutputTypes) {
    this.#types = types
  }

  [Symbol.iterator](): Iterator<Shape> {
    return [...this.#shapes.values()].map(({ shape }) => shape).values()
  }

  /**
   * The shape of a type with these fields.
   * @throws TypeError for a path that is not there or cannot be filtered, if nothing is left, and if the name has been
   * given to another choice of fields.
   */
  of(typeName: string, name: string, choice: FieldChoice): Shape {
    for (const path of [...(choice.only ?? []), ...(choice.omit ?? [])]) this.#demandPath(typeName, path)
    const shape = this.#shape({ typeName, name, isNullable: false, ...choice })
    if (shape.fields.size > 0) return shape
    const reasons = [...this.#types.fieldsOf(typeName)].flatMap(([field, found]) =>
      'reason' in found ? [`"${field}", because ${found.reason}`] : [],
    )
    const why = reasons.length > 0 ? `: not by ${reasons.join('; not by ')}` : ''
    throw new TypeError(`${typeName} cannot be filtered by any field${why}`)
  }

  #shape(wanted: Wanted): Shape {
    const signature = signatureOf(wanted)
    const known = this.#shapes.get(wanted.name)
    if (known?.signature === signature) return known.shape
    if (known) {
      throw new TypeError(
        `"${wanted.name}" is the filter of two choices of fields, or of two types: give one of them another "name"`,
      )
    }
    const fieldsOf = () => this.#fieldsOf(wanted)
    let fields: Shape['fields'] | undefined
    const { name, typeName, isNullable } = wanted
    const shape: Shape = {
      name,
      typeName,
      isNullable,
      get fields() {
        fields ??= fieldsOf()
        return fields
      },
    }
    this.#shapes.set(name, { shape, signature })
    return shape
  }

  #fieldsOf({ typeName, name, only, omit }: Wanted): Map<string, ShapeField> {
    const fields = new Map<string, ShapeField>()
    for (const [fieldName, field] of this.#types.fieldsOf(typeName)) {
      if ('reason' in field) continue
      const inner = { only: below(only, fieldName), omit: below(omit, fieldName) }
      if (omit?.includes(fieldName) || (only && !only.includes(fieldName) && inner.only?.length === 0)) continue
      const chosen = { only: only?.includes(fieldName) ? undefined : inner.only, omit: inner.omit }
      if (field.kind !== 'object') fields.set(fieldName, { ...field, shape: undefined })
      else if (this.#types.hasConditions(field.typeName)) {
        const shape = this.#shapeOfField(field, name, chosen)
        if (shape) fields.set(fieldName, { ...field, shape })
      }
    }
    return fields
  }

  /** All of a type's fields have one shape, wherever the type is met. */
  #shapeOfField(field: FilterableField, parent: string, { only, omit }: Choice): Shape | undefined {
    const { typeName, isNullable } = field
    const isWhole = only === undefined && (omit?.length ?? 0) === 0
    const own = `${parent.replace(/Filter$/, '')}${capitalized(field.name)}Filter`
    const name = isWhole ? `${isNullable ? 'Nullable' : ''}${typeName}Filter` : own
    const shape = this.#shape({ typeName, name, isNullable, ...(isWhole ? {} : { only, omit }) })
    return isWhole || shape.fields.size > 0 ? shape : undefined
  }

  #demandPath(typeName: string, path: string): void {
    let type: string | undefined = typeName
    for (const name of path.split('.')) {
      const field: FilterableField | NoStep | undefined =
        type === undefined ? undefined : this.#types.fieldsOf(type).get(name)
      if (!field) throw new TypeError(`${typeName} cannot be filtered by "${path}": it has no such field`)
      if ('reason' in field) throw new TypeError(`${typeName} cannot be filtered by "${path}", because ${field.reason}`)
      type = field.kind === 'object' ? field.typeName : undefined
    }
  }
}

interface Choice {
  readonly only?: readonly string[] | undefined
  readonly omit?: readonly string[] | undefined
}

interface Wanted extends Choice {
  readonly typeName: string
  readonly name: string
  readonly isNullable: boolean
}

function signatureOf({ typeName, isNullable, only, omit }: Wanted): string {
  return JSON.stringify([typeName, isNullable, only?.toSorted() ?? null, omit?.toSorted() ?? []])
}

/** The rest of the paths that begin with a field; undefined: no paths are given. */
function below(paths: readonly string[] | undefined, field: string): readonly string[] | undefined {
  const start = `${field}.`
  return paths?.filter((path) => path.startsWith(start)).map((path) => path.slice(start.length))
}

function capitalized(name: string): string {
  return name.charAt(0).toUpperCase() + name.slice(1)
}
