import { type ExecutionResult, GraphQLError, type ValidatedExecutionArgs } from 'graphql'
import type { ErrorCode } from '../../errors/codes.ts'
import { formatError } from '../../errors/format.ts'
import type { ErrorSink } from '../../errors/resolver-errors.ts'
import { nodesOf, wrongArguments } from '../operation/wrong-arguments.ts'
import { boundedJson } from './result-size.ts'

/**
 * The JSON of a result, the same for every transport, with its errors as clients see them. A scalar may give what JSON
 * cannot say (a BigInt, a circle), or more than a result may have: then the result is that error. Never throws.
 * @param fallback the code of an error by which GraphQL itself refuses what the client asked for.
 */
export function resultJson(
  { errors, data, extensions }: ExecutionResult,
  sink: ErrorSink,
  fallback: (error: unknown) => ErrorCode | undefined = () => undefined,
): string {
  // An operation that was refused before it ran has no data; one whose data became null has.
  const rest = { ...(data !== undefined && { data }), ...(extensions && { extensions }) }
  try {
    if (!errors) return boundedJson(JSON.stringify(rest))
    const formatted = errors.map((error) => formatError(error, sink, fallback(error)))
    return boundedJson(JSON.stringify({ errors: formatted, ...rest }))
  } catch (error) {
    return errorJson(error, sink)
  }
}

/** The JSON of a result that is nothing but what was thrown, whatever that was. Never throws. */
export function errorJson(error: unknown, sink: ErrorSink): string {
  return JSON.stringify({ errors: [formatError(error, sink)], data: null })
}

/** The JSON of a query's or a mutation's result. An argument that does not fit is the client's mistake. Never throws. */
export function executedJson(args: ValidatedExecutionArgs, result: ExecutionResult, sink: ErrorSink): string {
  // Looked for only where there are errors.
  let wrong: ReturnType<typeof nodesOf> | undefined
  return resultJson(result, sink, (error) => {
    wrong ??= nodesOf(wrongArguments(args))
    const isWrong = error instanceof GraphQLError && error.nodes?.some((node) => wrong?.has(node))
    return isWrong ? 'BAD_USER_INPUT' : undefined
  })
}
