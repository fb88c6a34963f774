import {
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLCompositeType,
  type GraphQLField,
  GraphQLIncludeDirective,
  type GraphQLSchema,
  GraphQLSkipDirective,
  getDirectiveValues,
  getNamedType,
  type getVariableValues,
  isCompositeType,
  type OperationDefinitionNode,
  type SelectionNode,
  type SelectionSetNode,
} from 'graphql'

export type VariableValues = Extract<
  ReturnType<typeof getVariableValues>,
  { variableValues: unknown }
>['variableValues']

export interface SelectedOperation {
  readonly schema: GraphQLSchema
  readonly document: DocumentNode
  readonly operation: OperationDefinitionNode
  /** Undefined: whatever the variables are. All that may be selected is visited then. */
  readonly variables: VariableValues | undefined
}

export interface FieldVisitor {
  /** Returns whether to visit what is selected below it. */
  field(parent: GraphQLCompositeType, field: GraphQLField<unknown, unknown>, node: FieldNode): boolean
}

/**
 * Visits what an operation selects: through fragments and inline fragments, with their types, and without what `@skip`
 * and `@include` leave out. Each fragment is visited once. Documents are limited in depth.
 */
export function visitSelected(
  { schema, document, operation, variables }: SelectedOperation,
  visitor: FieldVisitor,
): void {
  const fragments = new Map<string, FragmentDefinitionNode>()
  for (const each of document.definitions) {
    if (each.kind === 'FragmentDefinition') fragments.set(each.name.value, each)
  }
  const visited = new Set<string>()
  const visitSet = ({ selections }: SelectionSetNode, parent: GraphQLCompositeType): void => {
    for (const node of selections) {
      if (variables && isLeftOut(node, variables)) continue
      if (node.kind === 'Field') {
        const field = schema.getField(parent, node.name.value)
        if (!field || !visitor.field(parent, field, node)) continue
        const type = getNamedType(field.type)
        if (node.selectionSet && isCompositeType(type)) visitSet(node.selectionSet, type)
      } else if (node.kind === 'InlineFragment') {
        const type = node.typeCondition ? schema.getType(node.typeCondition.name.value) : parent
        if (isCompositeType(type)) visitSet(node.selectionSet, type)
      } else {
        const fragment = fragments.get(node.name.value)
        if (!fragment || visited.has(node.name.value)) continue
        visited.add(node.name.value)
        const type = schema.getType(fragment.typeCondition.name.value)
        if (isCompositeType(type)) visitSet(fragment.selectionSet, type)
      }
    }
  }
  const root = schema.getRootType(operation.operation)
  if (root) visitSet(operation.selectionSet, root)
}

function isLeftOut(node: SelectionNode, variables: VariableValues): boolean {
  if (!node.directives || node.directives.length === 0) return false
  try {
    return (
      getDirectiveValues(GraphQLSkipDirective, node, variables)?.if === true ||
      getDirectiveValues(GraphQLIncludeDirective, node, variables)?.if === false
    )
  } catch {
    // Null, in a variable with a default: the executor refuses it.
    return false
  }
}
