import {
  type ASTNode,
  type GraphQLCompositeType,
  GraphQLError,
  getArgumentValues,
  getNamedType,
  isCompositeType,
  type SelectionSetNode,
  type ValidatedExecutionArgs,
} from 'graphql'

/**
 * Errors of argument coercion that occur although document and variables are valid, such as null in a variable with a
 * default, for a non-null argument. graphql-js reports them during execution in the form of a resolver's error. These
 * errors allow to distinguish the two.
 */
export function wrongArguments(args: ValidatedExecutionArgs): readonly GraphQLError[] {
  const { schema, operation, fragmentDefinitions, variableValues, hideSuggestions } = args
  const errors: GraphQLError[] = []
  const visited = new Set<string>()
  const visit = ({ selections }: SelectionSetNode, parent: GraphQLCompositeType): void => {
    for (const node of selections) {
      if (node.kind === 'Field') {
        const field = schema.getField(parent, node.name.value)
        if (!field) continue
        try {
          if (field.args.length > 0) getArgumentValues(field, node, variableValues, undefined, hideSuggestions)
        } catch (error) {
          if (!(error instanceof GraphQLError)) throw error
          errors.push(error)
        }
        const type = getNamedType(field.type)
        if (node.selectionSet && isCompositeType(type)) visit(node.selectionSet, type)
      } else if (node.kind === 'InlineFragment') {
        visit(node.selectionSet, typeNamed(node.typeCondition?.name.value) ?? parent)
      } else if (!visited.has(node.name.value)) {
        visited.add(node.name.value)
        const fragment = fragmentDefinitions[node.name.value]
        const type = typeNamed(fragment?.typeCondition.name.value)
        if (fragment && type) visit(fragment.selectionSet, type)
      }
    }
  }
  const typeNamed = (name: string | undefined): GraphQLCompositeType | undefined => {
    const type = name === undefined ? undefined : schema.getType(name)
    return isCompositeType(type) ? type : undefined
  }
  const root = schema.getRootType(operation.operation)
  if (root) visit(operation.selectionSet, root)
  return errors
}

/** The nodes of such errors: no resolver is called there, so that no other error has such a node. */
export function nodesOf(errors: readonly GraphQLError[]): ReadonlySet<ASTNode> {
  return new Set(errors.flatMap(({ nodes }) => nodes ?? []))
}
