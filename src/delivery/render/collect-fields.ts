import {
  type FieldNode,
  GraphQLIncludeDirective,
  type GraphQLObjectType,
  GraphQLSkipDirective,
  getDirectiveValues,
  isAbstractType,
  type SelectionSetNode,
  type ValidatedExecutionArgs,
} from 'graphql'

/** The operation cannot be compiled. */
export class NotText extends Error {}

/**
 * GraphQL's `CollectFields`: fields by response name, in the order of the result.
 * @throws NotText for a custom directive.
 */
export function collectFields(
  args: ValidatedExecutionArgs,
  type: GraphQLObjectType,
  sets: readonly SelectionSetNode[],
): Map<string, FieldNode[]> {
  const fields = new Map<string, FieldNode[]>()
  const visited = new Set<string>()
  const collect = ({ selections }: SelectionSetNode): void => {
    for (const node of selections) {
      if (!isIncluded(args, node)) continue
      if (node.kind === 'Field') {
        const name = (node.alias ?? node.name).value
        const nodes = fields.get(name)
        if (nodes) nodes.push(node)
        else fields.set(name, [node])
      } else if (node.kind === 'InlineFragment') {
        if (applies(args, node.typeCondition?.name.value, type)) collect(node.selectionSet)
      } else {
        const name = node.name.value
        const fragment = args.fragmentDefinitions[name]
        if (visited.has(name) || !fragment) continue
        visited.add(name)
        if (applies(args, fragment.typeCondition.name.value, type)) collect(fragment.selectionSet)
      }
    }
  }
  for (const set of sets) collect(set)
  return fields
}

function isIncluded({ variableValues }: ValidatedExecutionArgs, node: SelectionSetNode['selections'][number]): boolean {
  for (const { name } of node.directives ?? []) {
    if (name.value === GraphQLSkipDirective.name) {
      if (getDirectiveValues(GraphQLSkipDirective, node, variableValues)?.if === true) return false
    } else if (name.value === GraphQLIncludeDirective.name) {
      if (getDirectiveValues(GraphQLIncludeDirective, node, variableValues)?.if === false) return false
    } else throw new NotText()
  }
  return true
}

function applies({ schema }: ValidatedExecutionArgs, condition: string | undefined, type: GraphQLObjectType): boolean {
  if (condition === undefined || condition === type.name) return true
  const named = schema.getType(condition)
  return isAbstractType(named) && schema.isSubType(named, type)
}
