import { GraphQLError, type GraphQLFormattedError } from 'graphql'
import { ERRORS, type ErrorCode, SluiceError } from '../errors.ts'
import type { ResolverErrors } from './resolver-errors.ts'

/**
 * An error as clients see it. What was meant for them keeps its message: our own errors, what GraphQL says of a
 * request, and a GraphQLError with a `code` that a resolver threw. Everything else is masked, and told to `errors` as it
 * really was: also what an executor says of a resolver's value, since it quotes the value.
 */
export function formatError(
  error: unknown,
  errors: ResolverErrors,
  fallback: ErrorCode = 'INTERNAL_SERVER_ERROR',
): GraphQLFormattedError {
  const graphqlError = error instanceof GraphQLError ? error : undefined
  const cause = causeOf(error)
  const where = {
    ...(graphqlError?.locations && { locations: graphqlError.locations }),
    ...(graphqlError?.path && { path: graphqlError.path }),
  }
  if (cause instanceof SluiceError) {
    // A scalar's complaint reads better with the name of the variable that graphql puts before it.
    const message = graphqlError && cause.code === 'BAD_USER_INPUT' ? graphqlError.message : cause.message
    return { message, ...where, extensions: { ...cause.details, code: cause.code } }
  }
  if (cause instanceof GraphQLError && (cause.extensions?.code !== undefined || !graphqlError?.path)) {
    // The outer message names the variable; where graphql only adds the place, the two are the same.
    return { message: graphqlError?.message ?? '', ...where, extensions: { code: fallback, ...cause.extensions } }
  }
  errors.tell(cause, graphqlError)
  return { message: ERRORS.INTERNAL_SERVER_ERROR.message, ...where, extensions: { code: 'INTERNAL_SERVER_ERROR' } }
}

/** What was thrown, without the GraphQLErrors that were wrapped round it on the way up. */
function causeOf(error: unknown): unknown {
  let cause = error
  while (cause instanceof GraphQLError && cause.originalError !== undefined) cause = cause.originalError
  return cause
}
