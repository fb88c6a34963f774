import {
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLField,
  type GraphQLObjectType,
  type GraphQLResolveInfo,
  type GraphQLSchema,
  getNamedType,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isObjectType,
  type SelectionSetNode,
} from 'graphql'

/**
 * Limit of steps for each field and argument of the schema. A step is a selection set on one type, field or value. The
 * standard introspection query takes 8.
 */
const STEPS_PER_ELEMENT = 20
const elementsOf = new WeakMap<GraphQLSchema, number>()

/**
 * Cost of the selections below a field of introspection. The lengths of the schema's lists are known: they are walked
 * as an executor walks them, but each selection set once for each element. Infinite: over the limit of steps.
 */
export function introspectionCost(
  schema: GraphQLSchema,
  field: GraphQLField<unknown, unknown>,
  node: FieldNode,
  fragments: ReadonlyMap<string, FragmentDefinitionNode>,
): number {
  const walk = new Walk(schema, fragments)
  const type = getNamedType(field.type) as GraphQLObjectType
  const set = node.selectionSet as SelectionSetNode
  if (field.name === '__schema') return walk.cost(set, type, schema)
  // `__type`: the maximum over all types.
  return Math.max(...Object.values(schema.getTypeMap()).map((each) => walk.cost(set, type, each)))
}

class Walk {
  readonly #info: GraphQLResolveInfo
  readonly #schema: GraphQLSchema
  readonly #fragments: ReadonlyMap<string, FragmentDefinitionNode>
  readonly #known = new Map<SelectionSetNode, Map<unknown, number>>()
  #steps: number

  constructor(schema: GraphQLSchema, fragments: ReadonlyMap<string, FragmentDefinitionNode>) {
    this.#schema = schema
    this.#fragments = fragments
    this.#info = { schema } as GraphQLResolveInfo
    this.#steps = STEPS_PER_ELEMENT * elements(schema)
  }

  cost(set: SelectionSetNode, type: GraphQLObjectType, source: unknown): number {
    let known = this.#known.get(set)
    if (!known) {
      known = new Map()
      this.#known.set(set, known)
    }
    let cost = known.get(source)
    if (cost === undefined) {
      cost = --this.#steps < 0 ? Number.POSITIVE_INFINITY : this.#sum(set, type, source)
      known.set(source, cost)
    }
    return cost
  }

  #sum(set: SelectionSetNode, type: GraphQLObjectType, source: unknown): number {
    let sum = 0
    for (const node of set.selections) {
      if (node.kind === 'Field') sum += this.#field(node, type, source)
      else {
        const inner = node.kind === 'InlineFragment' ? node : this.#fragments.get(node.name.value)
        if (inner) sum += this.cost(inner.selectionSet, type, source)
      }
    }
    return sum
  }

  #field(node: FieldNode, type: GraphQLObjectType, source: unknown): number {
    const field = this.#schema.getField(type, node.name.value) as GraphQLField<unknown, unknown>
    const inner = getNamedType(field.type)
    const set = node.selectionSet
    if (!set || !isObjectType(inner)) return 1
    const value = field.resolve?.(source, { includeDeprecated: true }, undefined, this.#info)
    if (!Array.isArray(value)) return value ? 1 + this.cost(set, inner, value) : 1
    return value.reduce((sum: number, item) => sum + this.cost(set, inner, item), 1)
  }
}

/** Types, fields, arguments and values: a schema does not change. */
function elements(schema: GraphQLSchema): number {
  let count = elementsOf.get(schema)
  if (count === undefined) {
    count = 0
    for (const type of Object.values(schema.getTypeMap())) {
      count++
      if (isEnumType(type)) count += type.getValues().length
      if (!isObjectType(type) && !isInterfaceType(type) && !isInputObjectType(type)) continue
      for (const field of Object.values(type.getFields())) count += 1 + ('args' in field ? field.args.length : 0)
    }
    elementsOf.set(schema, count)
  }
  return count
}
