import { type ExecutionResult, GraphQLError, type ValidatedExecutionArgs } from 'graphql'
import type { ErrorCode } from '../../errors/codes.ts'
import { formatError } from '../../errors/format.ts'
import type { ErrorSink } from '../../errors/resolver-errors.ts'
import { jsonLine } from '../../protocol/json-line.ts'
import { nodesOf, wrongArguments } from '../operation/wrong-arguments.ts'
import { boundedJson } from './result-size.ts'

/**
 * The JSON of a result with masked errors, the same for every transport. If a scalar returns what JSON cannot represent
 * (a BigInt, a cycle), or the result exceeds its limit, the result is that error. Never throws.
 * @param fallback the code of errors by which GraphQL itself refuses a request.
 */
export function resultJson(
  { errors, data, extensions }: ExecutionResult,
  sink: ErrorSink,
  fallback: (error: unknown) => ErrorCode | undefined = () => undefined,
): string {
  // A request error has no `data`; a null that propagated to the root has `data: null`.
  const rest = { ...(data !== undefined && { data }), ...(extensions && { extensions }) }
  try {
    if (!errors) return boundedJson(jsonLine(rest))
    const formatted = errors.map((error) => formatError(error, sink, fallback(error)))
    return boundedJson(jsonLine({ errors: formatted, ...rest }))
  } catch (error) {
    return errorJson(error, sink)
  }
}

/** The JSON of a result with only this error, whatever value was thrown. Never throws. */
export function errorJson(error: unknown, sink: ErrorSink): string {
  return jsonLine({ errors: [formatError(error, sink)], data: null })
}

/** The JSON of a query's or mutation's result. A wrong argument is the client's error. Never throws. */
export function executedJson(args: ValidatedExecutionArgs, result: ExecutionResult, sink: ErrorSink): string {
  // Computed only where there are errors.
  let wrong: ReturnType<typeof nodesOf> | undefined
  return resultJson(result, sink, (error) => {
    wrong ??= nodesOf(wrongArguments(args))
    const isWrong = error instanceof GraphQLError && error.nodes?.some((node) => wrong?.has(node))
    return isWrong ? 'BAD_USER_INPUT' : undefined
  })
}
