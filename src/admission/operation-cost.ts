import {
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLCompositeType,
  type GraphQLField,
  type GraphQLOutputType,
  type GraphQLSchema,
  getArgumentValues,
  getNamedType,
  getVariableValues,
  isCompositeType,
  isListType,
  isNonNullType,
  type OperationDefinitionNode,
  type SelectionSetNode,
  type ValueNode,
} from 'graphql'
import { type FieldCost, fieldCostOf } from '../schema/field-cost.ts'
import { introspectionCost } from './introspection-cost.ts'

/** Assumed length of a list whose field does not name the argument that bounds it. */
export const DEFAULT_LIST_SIZE = 25
/** Saturation: products of fragments and lists may overflow, and no limit is above this. */
const MOST = 1e15

type VariableValues = Extract<ReturnType<typeof getVariableValues>, { variableValues: unknown }>['variableValues']

/** Cost of a selection set: `base`, and the part that depends on variables. */
interface Part {
  base: number
  /** Levels of fields. */
  depth: number
  readonly terms: Term[]
}

interface Term {
  readonly part: Part
  /** Undefined: once. */
  readonly size: ((variables: VariableValues) => number) | undefined
}

/**
 * Upper bound of the fields that an operation resolves, with every list at its bound. It is computed once for each
 * document. Where a variable bounds a list, the sum is evaluated for each request.
 */
export class OperationCost {
  /** Levels of fields, fragments expanded. */
  readonly depth: number
  readonly #schema: GraphQLSchema
  readonly #operation: OperationDefinitionNode
  readonly #part: Part

  constructor(schema: GraphQLSchema, document: DocumentNode, operation: OperationDefinitionNode) {
    this.#schema = schema
    this.#operation = operation
    const root = schema.getRootType(operation.operation) as GraphQLCompositeType
    this.#part = new Reckoner(schema, document).partOf(operation.selectionSet, root)
    this.depth = this.#part.depth
  }

  /** Zero for variables that do not fit their types: such a request is refused before its execution. */
  of(variables: Readonly<Record<string, unknown>> | undefined): number {
    const part = this.#part
    if (part.terms.length === 0) return part.base
    const coerced = getVariableValues(this.#schema, this.#operation.variableDefinitions ?? [], variables ?? {}, {
      maxErrors: 1,
    })
    return 'variableValues' in coerced && coerced.variableValues ? total(part, coerced.variableValues, new Map()) : 0
  }
}

function total(part: Part, variables: VariableValues, known: Map<Part, number>): number {
  let sum = known.get(part)
  if (sum === undefined) {
    sum = part.base
    for (const { part: child, size } of part.terms) {
      sum = capped(sum + (size ? size(variables) : 1) * total(child, variables, known))
    }
    known.set(part, sum)
  }
  return sum
}

function capped(cost: number): number {
  return Math.min(cost, MOST)
}

/** Computes the cost of a validated document; of each fragment once, however often it is spread. */
class Reckoner {
  readonly #schema: GraphQLSchema
  readonly #definitions = new Map<string, FragmentDefinitionNode>()
  readonly #fragments = new Map<string, Part>()

  constructor(schema: GraphQLSchema, document: DocumentNode) {
    this.#schema = schema
    for (const node of document.definitions) {
      if (node.kind === 'FragmentDefinition') this.#definitions.set(node.name.value, node)
    }
  }

  partOf(set: SelectionSetNode, type: GraphQLCompositeType): Part {
    const part: Part = { base: 0, depth: 0, terms: [] }
    for (const node of set.selections) {
      if (node.kind === 'Field') this.#addField(part, node, type)
      else if (node.kind === 'FragmentSpread') add(part, this.#fragment(node.name.value))
      else add(part, this.partOf(node.selectionSet, this.#typeNamed(node.typeCondition?.name.value) ?? type))
    }
    return part
  }

  #fragment(name: string): Part {
    let part = this.#fragments.get(name)
    if (!part) {
      const { selectionSet, typeCondition } = this.#definitions.get(name) as FragmentDefinitionNode
      part = this.partOf(selectionSet, this.#typeNamed(typeCondition.name.value) as GraphQLCompositeType)
      this.#fragments.set(name, part)
    }
    return part
  }

  #typeNamed(name: string | undefined): GraphQLCompositeType | undefined {
    return name === undefined ? undefined : (this.#schema.getType(name) as GraphQLCompositeType)
  }

  #addField(part: Part, node: FieldNode, parent: GraphQLCompositeType): void {
    part.base = capped(part.base + 1)
    part.depth = Math.max(part.depth, 1)
    const field = fieldOf(this.#schema, parent, node.name.value)
    const lists = listsOf(field.type)
    if (lists === 0 && !node.selectionSet) return
    const type = getNamedType(field.type)
    if (type.name.startsWith('__') && node.selectionSet) {
      part.base = capped(part.base + introspectionCost(this.#schema, field, node, this.#definitions))
      // Validation bounds its depth.
      return
    }
    const child =
      node.selectionSet && isCompositeType(type) ? this.partOf(node.selectionSet, type) : lists > 0 ? ITEM : undefined
    if (!child) return
    part.depth = Math.max(part.depth, child.depth + 1)
    if (lists === 0) {
      add(part, child, 1, false)
      return
    }
    const times = DEFAULT_LIST_SIZE ** (lists - 1)
    const declared = fieldCostOf(field)
    const given = declared && node.arguments?.find(({ name }) => name.value === declared.multiplier)
    const sizeWith = (variables?: VariableValues) => times * declaredSize(field, node, declared as FieldCost, variables)
    if (!declared) add(part, child, times * DEFAULT_LIST_SIZE, false)
    else if (!given || !hasVariable(given.value)) add(part, child, sizeWith(), false)
    else part.terms.push({ part: child, size: sizeWith })
  }
}

function fieldOf(schema: GraphQLSchema, parent: GraphQLCompositeType, name: string): GraphQLField<unknown, unknown> {
  const own = 'getFields' in parent ? parent.getFields()[name] : undefined
  return own ?? (schema.getField(parent, name) as GraphQLField<unknown, unknown>)
}

/** An item of a list of scalars. */
const ITEM: Part = { base: 1, depth: 0, terms: [] }

function add(part: Part, child: Part, times = 1, sameLevel = true): void {
  if (sameLevel) part.depth = Math.max(part.depth, child.depth)
  if (child.terms.length === 0) part.base = capped(part.base + times * child.base)
  else part.terms.push({ part: child, size: times === 1 ? undefined : () => times })
}

function listsOf(type: GraphQLOutputType): number {
  if (isNonNullType(type)) return listsOf(type.ofType)
  return isListType(type) ? 1 + listsOf(type.ofType) : 0
}

function hasVariable(value: ValueNode): boolean {
  if (value.kind === 'Variable') return true
  if (value.kind === 'ListValue') return value.values.some(hasVariable)
  return value.kind === 'ObjectValue' && value.fields.some((field) => hasVariable(field.value))
}

/**
 * The value of the argument that bounds a list. Zero where it does not fit its type: the field is not executed then.
 */
function declaredSize(
  field: GraphQLField<unknown, unknown>,
  node: FieldNode,
  { multiplier, max = Number.POSITIVE_INFINITY }: FieldCost,
  variables: VariableValues | undefined,
): number {
  const only = {
    definition: field.args.filter(({ name }) => name === multiplier),
    given: node.arguments?.filter(({ name }) => name.value === multiplier),
  }
  let value: unknown
  try {
    const one = { ...node, arguments: only.given }
    value = getArgumentValues({ args: only.definition } as never, one as FieldNode, variables)[multiplier]
  } catch {
    return 0
  }
  if (typeof value === 'number' || typeof value === 'bigint') return Math.min(Math.max(0, Number(value)), max, MOST)
  return max === Number.POSITIVE_INFINITY ? DEFAULT_LIST_SIZE : max
}
