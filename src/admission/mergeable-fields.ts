import {
  type ASTVisitor,
  type FieldNode,
  type GraphQLCompositeType,
  GraphQLError,
  type GraphQLField,
  type GraphQLOutputType,
  getNamedType,
  isCompositeType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
  type SelectionSetNode,
  type ValidationContext,
  type ValueNode,
} from 'graphql'

/** Limit of compared selections of a document. A document of 5,000 tokens has 2,500, and few are compared twice. */
const MAX_STEPS = 50_000

/**
 * Validation by "Field Selection Merging" (GraphQL, section 5.3.2) in place of graphql-js's
 * `OverlappingFieldsCanBeMergedRule`. That rule compares fields and fragments in pairs: up to 100 ms for a document of
 * 17 KB. Here the fields of one response name are compared with the first of them, since both relations, "of one shape"
 * and "of one name and arguments", are equivalences. Each merged selection set is visited once.
 */
export function MergeableFieldsRule(context: ValidationContext): ASTVisitor {
  const merger = new Merger(context)
  return {
    OperationDefinition: (node) => {
      const root = context.getSchema().getRootType(node.operation)
      merger.check([{ set: node.selectionSet, type: root ?? undefined }])
      return undefined
    },
  }
}

interface TypedSet {
  readonly set: SelectionSetNode
  readonly type: GraphQLCompositeType | undefined
}

interface Field {
  readonly node: FieldNode
  readonly parent: GraphQLCompositeType | undefined
  readonly definition: GraphQLField<unknown, unknown> | undefined
}

/**
 * Fields whose parents may be one object must be the same field; of others only the shapes must match. `both`: nothing
 * is merged yet.
 */
type Relation = 'both' | 'same' | 'shape'

class Merger {
  readonly #context: ValidationContext
  /** Ids of selection sets, for keys. */
  readonly #numbers = new Map<SelectionSetNode, number>()
  readonly #checked = new Set<string | SelectionSetNode>()
  readonly #argumentsOf = new Map<FieldNode, string>()
  #steps = 0
  #failed = false

  constructor(context: ValidationContext) {
    this.#context = context
  }

  check(sets: readonly TypedSet[], relation: Relation = 'both'): void {
    // The first conflict suffices for a refusal, and further ones mostly follow from it.
    if (this.#failed) return
    const key = this.#keyOf(sets, relation)
    if (this.#checked.has(key)) return
    this.#checked.add(key)
    const fields = new Map<string, Field[]>()
    const visited = new Set<string>()
    for (const { set, type } of sets) this.#collect(set, type, fields, visited)
    for (const [name, group] of fields) {
      if (group.length === 1) this.#checkChildren(group, relation)
      else {
        if (relation !== 'shape') for (const members of byParent(group)) this.#checkGroup(name, members, 'same')
        if (relation !== 'same') this.#checkGroup(name, group, 'shape')
      }
    }
  }

  #checkGroup(name: string, group: readonly Field[], relation: Relation): void {
    const [first] = group as [Field]
    if (!this.#spend(group.length)) return
    for (const other of group) {
      if (other === first) continue
      const reason = relation === 'shape' ? shapeConflict(first, other) : this.#conflict(first, other)
      if (reason === undefined) continue
      this.#fail(
        `Fields "${name}" conflict because ${reason}. Use different aliases on the fields to fetch both if this was intentional.`,
        [first.node, other.node],
      )
      return
    }
    this.#checkChildren(group, relation)
  }

  #checkChildren(group: readonly Field[], relation: Relation): void {
    const children: TypedSet[] = []
    for (const { node, definition } of group) {
      if (!node.selectionSet) continue
      const type = definition && getNamedType(definition.type)
      children.push({ set: node.selectionSet, type: isCompositeType(type) ? type : undefined })
    }
    if (children.length > 0) this.check(children, relation)
  }

  #keyOf(sets: readonly TypedSet[], relation: Relation): string | SelectionSetNode {
    const [only] = sets as [TypedSet]
    if (sets.length === 1 && relation === 'both') return only.set
    return `${relation} ${[...new Set(sets.map(({ set }) => this.#numberOf(set)))].sort().join()}`
  }

  #conflict({ node: one }: Field, { node: other }: Field): string | undefined {
    if (one.name.value !== other.name.value) {
      return `"${one.name.value}" and "${other.name.value}" are different fields`
    }
    return this.#argumentKey(one) === this.#argumentKey(other) ? undefined : 'they have differing arguments'
  }

  #argumentKey(node: FieldNode): string {
    if (!node.arguments || node.arguments.length === 0) return ''
    let key = this.#argumentsOf.get(node)
    if (key === undefined) {
      const all = node.arguments.map(({ name, value }) => `${name.value}:${valueKey(value)}`)
      key = all.sort().join()
      this.#argumentsOf.set(node, key)
    }
    return key
  }

  #collect(
    set: SelectionSetNode,
    type: GraphQLCompositeType | undefined,
    fields: Map<string, Field[]>,
    visited: Set<string>,
  ): void {
    for (const node of set.selections) {
      if (!this.#spend(1)) return
      if (node.kind === 'Field') {
        const name = node.alias?.value ?? node.name.value
        const group = fields.get(name)
        const field = { node, parent: type, definition: fieldOf(type, node.name.value) }
        if (group) group.push(field)
        else fields.set(name, [field])
      } else if (node.kind === 'InlineFragment') {
        const { typeCondition } = node
        this.#collect(
          node.selectionSet,
          typeCondition ? this.#typeNamed(typeCondition.name.value) : type,
          fields,
          visited,
        )
      } else if (!visited.has(node.name.value)) {
        visited.add(node.name.value)
        const fragment = this.#context.getFragment(node.name.value)
        if (!fragment) continue
        this.#collect(fragment.selectionSet, this.#typeNamed(fragment.typeCondition.name.value), fields, visited)
      }
    }
  }

  #typeNamed(name: string): GraphQLCompositeType | undefined {
    const type = this.#context.getSchema().getType(name)
    return isCompositeType(type) ? type : undefined
  }

  #numberOf(set: SelectionSetNode): number {
    let number = this.#numbers.get(set)
    if (number === undefined) {
      number = this.#numbers.size
      this.#numbers.set(set, number)
    }
    return number
  }

  /** False: the limit is reached. */
  #spend(steps: number): boolean {
    this.#steps += steps
    if (this.#steps > MAX_STEPS && !this.#failed) {
      this.#fail('The document merges too many fields', [], 'OPERATION_TOO_COMPLEX')
    }
    return !this.#failed
  }

  #fail(message: string, nodes: readonly FieldNode[], code?: string): void {
    this.#failed = true
    this.#context.reportError(new GraphQLError(message, { nodes, ...(code && { extensions: { code } }) }))
  }
}

/** Undefined for `__typename` too, which is the same in every type. */
function fieldOf(type: GraphQLCompositeType | undefined, name: string): Field['definition'] {
  return type && 'getFields' in type ? type.getFields()[name] : undefined
}

/** Fields that may be on one object: those of each object type, with those of abstract types. */
function byParent(group: readonly Field[]): Iterable<readonly Field[]> {
  if (group.length === 1) return [group]
  const isOfObject = ({ parent }: Field) => parent !== undefined && isObjectType(parent)
  const others = group.filter((field) => !isOfObject(field))
  const byObject = Map.groupBy(group.filter(isOfObject), ({ parent }) => parent)
  if (byObject.size === 0) return [others]
  return [...byObject.values()].map((fields) => [...fields, ...others])
}

function shapeConflict({ definition: one }: Field, { definition: other }: Field): string | undefined {
  if (!one || !other || !conflicting(one.type, other.type)) return undefined
  return `they return conflicting types "${one.type}" and "${other.type}"`
}

function conflicting(one: GraphQLOutputType, other: GraphQLOutputType): boolean {
  if (isListType(one) || isListType(other)) {
    return !(isListType(one) && isListType(other)) || conflicting(one.ofType, other.ofType)
  }
  if (isNonNullType(one) || isNonNullType(other)) {
    return !(isNonNullType(one) && isNonNullType(other)) || conflicting(one.ofType, other.ofType)
  }
  return (isLeafType(one) || isLeafType(other)) && one !== other
}

/** Equal for values that print alike, whatever the order of an object's fields. */
function valueKey(value: ValueNode): string {
  switch (value.kind) {
    case 'ListValue':
      return `[${value.values.map(valueKey).join()}]`
    case 'ObjectValue':
      return `{${value.fields
        .map((field) => `${field.name.value}:${valueKey(field.value)}`)
        .sort()
        .join()}}`
    case 'Variable':
      return `$${value.name.value}`
    case 'NullValue':
      return 'null'
    case 'StringValue':
      return `${value.block}${JSON.stringify(value.value)}`
    default:
      return `${value.kind}${value.value}`
  }
}
