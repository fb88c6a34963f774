import { InputObjectRef, type SchemaTypes } from '@pothos/core'
import { RULES_EXTENSION } from '../rights/schema-rules.ts'
import { describeOperators, IS_NULL, type Operand, operatorsOf, operatorTypeName } from './operators.ts'
import type { FilterableField } from './output-types.ts'
import type { Shape } from './shape.ts'

type Builder = PothosSchemaTypes.SchemaBuilder<SchemaTypes>
type Ref = InputObjectRef<SchemaTypes, unknown>

interface InputField {
  readonly type: unknown
  readonly description?: string | null | undefined
  readonly deprecationReason?: string | null | undefined
  readonly extensions?: Readonly<Record<string, unknown>>
}

/** Adds the input types of filters to a schema's definitions, each once. */
export class InputTypes {
  readonly #builder: Builder
  readonly #refs = new Map<string, Ref>()
  readonly #implemented = new Set<string>()

  constructor(builder: Builder) {
    this.#builder = builder
  }

  /** The reference of a type that may be implemented later. `make` makes it, where it is not there yet. */
  ref(name: string, make = () => new InputObjectRef<SchemaTypes, unknown>(name)): Ref {
    let ref = this.#refs.get(name)
    if (!ref) {
      ref = make()
      this.#refs.set(name, ref)
    }
    return ref
  }

  /** @throws TypeError if the schema has another type of that name. */
  implement(shape: Shape): Ref {
    const { name, typeName, isNullable } = shape
    const itself = this.ref(name)
    const description = `Conditions on ${typeName}${isNullable ? ' that may be null' : ''}, all of which have to hold.`
    return this.#implement(name, description, () => {
      const fields: Record<string, InputField> = {}
      for (const field of shape.fields.values()) {
        const { description, deprecationReason } = field
        const type = field.shape ? this.implement(field.shape) : this.#operators(field)
        const extensions = field.rules.length > 0 ? { [RULES_EXTENSION]: field.rules } : {}
        fields[field.name] = { type, description, deprecationReason, extensions }
      }
      if (isNullable) fields.isNull = { type: 'Boolean', description: IS_NULL.description }
      fields.and = { type: [itself], description: 'All of these hold. An empty list always does.' }
      fields.or = { type: [itself], description: 'At least one of these holds. An empty list never does.' }
      fields.not = { type: itself, description: 'This does not hold.' }
      return fields
    })
  }

  #operators(field: FilterableField): Ref {
    const values: Readonly<Record<Operand, unknown>> = {
      value: field.typeName,
      values: [field.typeName],
      text: 'String',
      flag: 'Boolean',
    }
    return this.#implement(operatorTypeName(field), describeOperators(field), () => {
      const operators = Object.entries(operatorsOf(field))
      return Object.fromEntries(
        operators.map(([name, { operand, description }]) => [name, { type: values[operand], description }]),
      )
    })
  }

  #implement(name: string, description: string, fieldsOf: () => Record<string, InputField>): Ref {
    const ref = this.ref(name)
    if (this.#implemented.has(name)) return ref
    if (this.#builder.configStore.hasImplementation(name)) {
      throw new TypeError(
        `The schema has a type "${name}", which is the name of a filter: give the filter another "name"`,
      )
    }
    this.#implemented.add(name)
    const fields = Object.entries(fieldsOf())
    this.#builder.inputType(
      ref as never,
      {
        description,
        fields: (t: { field(options: unknown): unknown }) =>
          Object.fromEntries(fields.map(([field, options]) => [field, t.field({ ...options, required: false })])),
      } as never,
    )
    return ref
  }
}
