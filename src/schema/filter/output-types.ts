import type { PothosOutputFieldConfig, PothosOutputFieldType, SchemaTypes } from '@pothos/core'
import type { FieldKind } from '../../streams/filter/filter.ts'
import { rulesOf, type ScopeOptions } from '../rights/schema-rules.ts'
import type { ScopeRule } from '../rights/scope-rule.ts'
import { comparisonOf } from './comparison.ts'
import { isStep, type NoStep, type Step, stepOfField } from './step.ts'

/** A field of an output type, of which conditions may be made. */
export interface FilterableField {
  readonly name: string
  readonly description: string | null | undefined
  readonly deprecationReason: string | null | undefined
  readonly typeName: string
  /** `object`: conditions are of its fields. */
  readonly kind: FieldKind
  readonly isList: boolean
  readonly isNullable: boolean
  /** From the object's value to the field's. */
  readonly step: Step
  /** What the field asks of those who select it, and so of those who filter by it. */
  readonly rules: readonly ScopeRule[]
}

/** Names in every filter of an object, which a field's conditions would collide with. */
const COMBINATIONS: ReadonlySet<string> = new Set(['and', 'or', 'not', 'isNull'])

type ConfigStore = PothosSchemaTypes.SchemaBuilder<SchemaTypes>['configStore']
type Field = PothosOutputFieldConfig<SchemaTypes>
type Fields = ReadonlyMap<string, FilterableField | NoStep>

/** What a schema's definitions say of its output types, before the schema is built. */
export class OutputTypes {
  readonly #configs: ConfigStore
  readonly #known = new Map<string, Fields>()

  constructor(configs: ConfigStore) {
    this.#configs = configs
  }

  /** Each field of an object type, or why it cannot be filtered. */
  fieldsOf(typeName: string): Fields {
    let fields = this.#known.get(typeName)
    if (!fields) {
      fields = new Map(
        [...this.#ownFields(typeName)].map(([name, field]) => [name, this.#filterable(typeName, name, field)]),
      )
      this.#known.set(typeName, fields)
    }
    return fields
  }

  /** Whether a condition on one of its fields, or on a field of these, can be made. */
  hasConditions(typeName: string, visited = new Set<string>()): boolean {
    if (visited.has(typeName)) return false
    visited.add(typeName)
    return [...this.fieldsOf(typeName).values()].some(
      (field) => !('reason' in field) && (field.kind !== 'object' || this.hasConditions(field.typeName, visited)),
    )
  }

  /** Its own fields, and those that its interfaces define for it. */
  #ownFields(typeName: string): Map<string, Field> {
    const config = this.#configs.getTypeConfig(typeName)
    const interfaces = config.kind === 'Object' || config.kind === 'Interface' ? inheritedBy(config) : []
    const all = new Map<string, Field>()
    for (const each of interfaces) {
      for (const [name, field] of this.#ownFields(this.#configs.getTypeConfig(each).name)) all.set(name, field)
    }
    for (const [name, field] of this.#configs.getFields(typeName)) all.set(name, field as Field)
    return all
  }

  #filterable(parent: string, name: string, field: Field): FilterableField | NoStep {
    if (COMBINATIONS.has(name)) return { reason: `"${name}" means something else in a filter` }
    if (Object.keys(field.args).length > 0) return { reason: 'it has arguments' }
    const type = field.type.kind === 'List' ? field.type.type : field.type
    if (type.kind === 'List') return { reason: 'it is a list of lists' }
    const { name: typeName, ...config } = this.#configs.getTypeConfig(type.ref as never)
    const kind = this.#kindOf(type, typeName, config.extensions)
    if (typeof kind !== 'string') return kind
    const isList = field.type.kind === 'List'
    if (isList && kind === 'object') return { reason: 'it is a list of objects' }
    const step = stepOfField(name, field.resolve as never)
    if (!isStep(step)) return step
    const { description, deprecationReason } = field
    const isNullable = field.type.nullable
    const rules = [...this.#rules(parent, field), ...(kind === 'object' ? this.#rules(typeName) : [])]
    return { name, description, deprecationReason, typeName, kind, isList, isNullable, step, rules }
  }

  /** The rules of a field of a type; those of the type, without a field. */
  #rules(typeName: string, field?: Field): readonly ScopeRule[] {
    const config = this.#configs.getTypeConfig(typeName)
    const interfaces = inheritedBy(config).map((each) => scopeOptionsOf(this.#configs.getTypeConfig(each)))
    return rulesOf({ field: field && scopeOptionsOf(field), type: scopeOptionsOf(config), interfaces })
  }

  #kindOf(
    { kind }: PothosOutputFieldType<SchemaTypes>,
    typeName: string,
    extensions: Readonly<Record<string, unknown>> | null | undefined,
  ): FieldKind | NoStep {
    switch (kind) {
      case 'Object':
        return 'object'
      case 'Enum':
        return 'enum'
      case 'Scalar':
        return comparisonOf(typeName, extensions) ?? { reason: `nothing says how values of ${typeName} compare` }
      default:
        return { reason: `its type, ${typeName}, is abstract` }
    }
  }
}

function scopeOptionsOf({ pothosOptions }: { readonly pothosOptions?: unknown }): ScopeOptions | undefined {
  return pothosOptions as ScopeOptions | undefined
}

function inheritedBy(config: object): readonly never[] {
  return (config as { readonly interfaces?: readonly never[] }).interfaces ?? []
}
