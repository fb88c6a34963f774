import type { PothosInputFieldConfig, PothosOutputFieldConfig, SchemaTypes } from '@pothos/core'
import { FILTER_ARGUMENT } from '../stream-field.ts'
import { type FilterOptions, FilterRef } from './filter-ref.ts'
import { InputTypes } from './input-types.ts'
import { OutputTypes } from './output-types.ts'
import { type Shape, Shapes } from './shape.ts'
import { isStep, SAME, type Step, stepOf } from './step.ts'

type Builder = PothosSchemaTypes.SchemaBuilder<SchemaTypes>
type Field = PothosOutputFieldConfig<SchemaTypes>

/**
 * `false`: the field takes no filter. `true`, or which fields may be filtered: it takes one, and the schema is not built
 * if it cannot. Undefined: it takes one if it can.
 */
export type FiltersOption = boolean | FilterOptions | undefined

/** A client's filter of a stream field: conditions on the field's type, read from its events. */
export interface StreamFilter {
  readonly shape: Shape
  /** From an event's value to that of the field. */
  readonly step: Step
}

/** What a stream field's definition says of its filter. */
export interface FilterRequest {
  readonly option: FiltersOption
  /** From an event to the field's value: the event's value, if absent. */
  readonly resolve: ((value: never, ...rest: never[]) => unknown) | undefined
}

interface RefRequest {
  readonly ref: FilterRef<SchemaTypes, unknown>
  readonly typeParam: unknown
  readonly options: FilterOptions
}

/** The filters of the schema that a builder builds. */
export class Filters {
  static readonly #ofBuilders = new WeakMap<object, Filters>()

  readonly #builder: Builder
  readonly #inputs: InputTypes
  readonly #refs: RefRequest[] = []
  #types: OutputTypes
  #shapes: Shapes

  static of(builder: unknown): Filters {
    const known = Filters.#ofBuilders.get(builder as object)
    if (known) return known
    const filters = new Filters(builder as Builder)
    Filters.#ofBuilders.set(builder as object, filters)
    return filters
  }

  private constructor(builder: Builder) {
    this.#builder = builder
    this.#inputs = new InputTypes(builder)
    this.#types = new OutputTypes(builder.configStore)
    this.#shapes = new Shapes(this.#types)
  }

  /** The filter of a type, before the schema is built. @throws TypeError where the type has no name yet. */
  refOf(typeParam: unknown, options: FilterOptions = {}): FilterRef<SchemaTypes, unknown> {
    const typeName = typeof typeParam === 'string' ? typeParam : (typeParam as { readonly name?: unknown }).name
    const name = options.name ?? (typeof typeName === 'string' ? `${typeName}Filter` : undefined)
    if (name === undefined) throw new TypeError('A filter of a type without a name needs a "name" of its own')
    const ref = this.#inputs.ref(name, () => new FilterRef(name)) as FilterRef<SchemaTypes, unknown>
    this.#refs.push({ ref, typeParam, options })
    return ref
  }

  /** All definitions are there, and no type is built yet. */
  prepare(): void {
    this.#types = new OutputTypes(this.#builder.configStore)
    this.#shapes = new Shapes(this.#types)
    for (const { ref, typeParam, options } of this.#refs) {
      const typeName = this.#builder.configStore.getTypeConfig(typeParam as never).name
      ref.shape = this.#shapes.of(typeName, ref.name, options)
      this.#inputs.implement(ref.shape)
    }
  }

  /**
   * The filter of a stream field, whose input type is added to the schema; undefined: it takes none.
   * @throws TypeError where the definition asks for a filter that cannot be.
   */
  ofField(field: Field, { option, resolve }: FilterRequest): StreamFilter | undefined {
    if (option === false) return undefined
    const made = this.#made(field, typeof option === 'object' ? option : {}, resolve)
    if (typeof made !== 'string') {
      this.#inputs.implement(made.shape)
      return made
    }
    if (option === undefined) return undefined
    throw new TypeError(`The field "${field.name}" cannot be filtered, because ${made}`)
  }

  /** The argument of a stream field that takes the filter. */
  argument({ shape }: StreamFilter, { name, parentType }: Field): PothosInputFieldConfig<SchemaTypes> {
    return {
      name: FILTER_ARGUMENT,
      parentField: name,
      parentType,
      kind: 'Arg',
      graphqlKind: 'Arg',
      type: { kind: 'InputObject', ref: this.#inputs.ref(shape.name) as never, required: false },
      description: 'Only what meets these conditions.',
      pothosOptions: {} as never,
      extensions: {},
    }
  }

  /** A reason is what makes no filter possible. */
  #made(field: Field, options: FilterOptions, resolve: FilterRequest['resolve']): StreamFilter | string {
    const { type } = field
    if (type.kind === 'List') return 'its value is a list'
    const typeName = this.#builder.configStore.getTypeConfig(type.ref as never).name
    if (type.kind !== 'Object') return `its type, ${typeName}, is not an object type`
    if (FILTER_ARGUMENT in field.args) return 'it has an argument "where" of its own'
    const step = resolve ? stepOf(resolve, `resolver of "${field.name}"`) : SAME
    if (!isStep(step)) return step.reason
    const hasChoice = options.only !== undefined || options.omit !== undefined
    if (!hasChoice && !this.#types.hasConditions(typeName)) return `${typeName} has no field that can be filtered`
    return { shape: this.#shapes.of(typeName, options.name ?? `${typeName}Filter`, options), step }
  }
}
