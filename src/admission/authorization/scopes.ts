import {
  type FieldNode,
  type GraphQLCompositeType,
  type GraphQLField,
  type GraphQLInputType,
  type GraphQLSchema,
  getArgumentValues,
  getNamedType,
  getNullableType,
  getVariableValues,
  isInputObjectType,
  isListType,
  type OperationDefinitionNode,
} from 'graphql'
import type { Audience } from '../../schema/context.ts'
import { rulesOfInput, rulesOfType, type SchemaRules } from '../../schema/rights/schema-rules.ts'
import { demandAll, type ScopeRule } from '../../schema/rights/scope-rule.ts'
import { streamFieldOf } from '../../schema/stream-field.ts'
import type { OperationRequest } from './authorization.ts'
import { visitSelected } from './selected-fields.ts'

/**
 * The check of scopes at admission. What an operation selects, and what it filters by, is known before it runs: an
 * operation that asks for too much is refused as a whole, and not answered in part.
 */
export class ScopeCheck {
  readonly #schema: GraphQLSchema
  readonly #rules: SchemaRules
  /** Operations that may select, or filter by, what has a rule. They are cached with their documents. */
  readonly #scoped = new WeakMap<OperationDefinitionNode, boolean>()
  readonly #scopedInputs = new Map<string, boolean>()

  constructor(schema: GraphQLSchema, rules: SchemaRules) {
    this.#schema = schema
    this.#rules = rules
  }

  /** @throws SluiceError `FORBIDDEN`, with the field and what it needs. */
  demand({ document, operation, params, identity: { audience } }: OperationRequest): void {
    const schema = this.#schema
    let isScoped = this.#scoped.get(operation)
    if (isScoped === undefined) {
      isScoped = this.#isScoped({ document, operation })
      this.#scoped.set(operation, isScoped)
    }
    if (!isScoped) return
    const { variableValues: variables } = getVariableValues(
      schema,
      operation.variableDefinitions ?? [],
      params.variables ?? {},
    )
    // Variables that do not fit their types: the operation is refused for that, before it runs.
    if (!variables) return
    visitSelected(
      { schema, document, operation, variables },
      {
        field: (parent, field, node) => {
          demandAll(this.#rulesOf(parent, field), audience, `The field "${parent.name}.${field.name}"`)
          if (!this.#hasScopedInput(field, node)) return true
          const given = valuesOf(() => getArgumentValues(field, node, variables))
          for (const { name, type } of field.args) demandInput(given[name], type, audience, name)
          return true
        },
      },
    )
  }

  #isScoped(selected: Pick<OperationRequest, 'document' | 'operation'>): boolean {
    let isScoped = false
    visitSelected(
      { ...selected, schema: this.#schema, variables: undefined },
      {
        field: (parent, field, node) => {
          isScoped ||= this.#rulesOf(parent, field).length > 0 || this.#hasScopedInput(field, node)
          return !isScoped
        },
      },
    )
    return isScoped
  }

  /** `__typename` tells of an object that there is one. */
  #rulesOf(parent: GraphQLCompositeType, { name }: GraphQLField<unknown, unknown>): readonly ScopeRule[] {
    return name.startsWith('__') ? rulesOfType(parent) : this.#rules.ofField(parent.name, name)
  }

  /**
   * Whether a value is given for an argument that a scope may be needed for. The filter of a stream field is left out:
   * the selection of events, which is prepared before anything else is done, asks for the same, and is cached.
   */
  #hasScopedInput(field: GraphQLField<unknown, unknown>, node: FieldNode): boolean {
    if (streamFieldOf(field)?.hasFilter) return false
    const isGiven = (name: string) => node.arguments?.some((argument) => argument.name.value === name) === true
    return field.args.some(({ name, type, default: value }) => {
      return (value !== undefined || isGiven(name)) && this.#isScopedInput(type)
    })
  }

  #isScopedInput(given: GraphQLInputType): boolean {
    const type = getNamedType(given)
    if (!isInputObjectType(type)) return false
    const known = this.#scopedInputs.get(type.name)
    if (known !== undefined) return known
    const found = reachableInputs(type).some((each) =>
      Object.values(each.getFields()).some((field) => rulesOfInput(field).length > 0),
    )
    this.#scopedInputs.set(type.name, found)
    return found
  }
}

type InputObject = Extract<ReturnType<typeof getNamedType>, { isOneOf: boolean }>

/** The type, and all input types below it. */
function reachableInputs(root: InputObject): readonly InputObject[] {
  const found = new Set([root])
  for (const type of found) {
    for (const field of Object.values(type.getFields())) {
      const named = getNamedType(field.type)
      if (isInputObjectType(named)) found.add(named)
    }
  }
  return [...found]
}

/** Values are nested as deeply as documents and variables may be. */
function demandInput(value: unknown, given: GraphQLInputType, audience: Audience, path: string): void {
  if (value === null || value === undefined) return
  const type = getNullableType(given)
  if (isListType(type)) {
    const items = Array.isArray(value) ? value : [value]
    for (const [index, item] of items.entries()) demandInput(item, type.ofType, audience, `${path}[${index}]`)
  } else if (isInputObjectType(type)) {
    for (const field of Object.values(type.getFields())) {
      const inner = (value as Record<string, unknown>)[field.name]
      if (inner === undefined) continue
      demandAll(rulesOfInput(field), audience, `"${path}.${field.name}"`)
      demandInput(inner, field.type, audience, `${path}.${field.name}`)
    }
  }
}

/** Arguments that do not fit their types: the operation is refused for that. */
function valuesOf(read: () => Record<string, unknown>): Record<string, unknown> {
  try {
    return read()
  } catch {
    return {}
  }
}
