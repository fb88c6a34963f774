import {
  type ASTNode,
  type DocumentNode,
  type ExecutionResult,
  GraphQLIncludeDirective,
  GraphQLSkipDirective,
  getDirectiveValues,
  type SelectionNode,
  type SelectionSetNode,
  type ValidatedExecutionArgs,
  visit,
} from 'graphql'
import { compileQuery, isCompiledQuery } from 'graphql-jit'

/**
 * Executes one event, some fifteen times as fast as graphql-js. The result has the same data, and errors where that one
 * has errors, but not always the same ones.
 */
export type CompiledOperation = (
  rootValue: unknown,
  contextValue: unknown,
  variables: ValidatedExecutionArgs['rawVariableValues'],
) => ExecutionResult | Promise<ExecutionResult>

/**
 * Compiles an operation with these values of its variables.
 * @returns undefined for one that graphql-jit cannot compile, or would execute in another way than graphql-js.
 */
export function compileOperation(args: ValidatedExecutionArgs): CompiledOperation | undefined {
  const document = withoutConditions(args)
  if (!document) return undefined
  const compiled = compileQuery(args.schema, document, args.operation.name?.value)
  return isCompiledQuery(compiled) ? (compiled.query as CompiledOperation) : undefined
}

/**
 * The document with what `@skip` and `@include` leave of it. graphql-jit decides them while it executes, and decides
 * wrongly where a skipped field stands beside another of its name. Undefined if a selection is left empty.
 */
function withoutConditions({ document, variableValues }: ValidatedExecutionArgs): DocumentNode | undefined {
  let empty = false
  const reduced: DocumentNode = visit(document, {
    SelectionSet: {
      enter(node: SelectionSetNode): SelectionSetNode {
        const selections = node.selections.filter((selection) => isIncluded(selection, variableValues))
        return { ...node, selections: selections.map((selection) => ({ ...selection, directives: [] })) }
      },
      leave(node: SelectionSetNode, _key, parent): SelectionSetNode {
        const selections = node.selections.filter(
          (each) => each.kind !== 'InlineFragment' || each.selectionSet.selections.length > 0,
        )
        if (selections.length === 0 && (parent as ASTNode).kind !== 'InlineFragment') empty = true
        return { ...node, selections }
      },
    },
  })
  return empty ? undefined : reduced
}

function isIncluded(node: SelectionNode, variables: ValidatedExecutionArgs['variableValues']): boolean {
  if (getDirectiveValues(GraphQLSkipDirective, node, variables)?.if === true) return false
  return getDirectiveValues(GraphQLIncludeDirective, node, variables)?.if !== false
}
