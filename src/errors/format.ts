import { GraphQLError, type GraphQLFormattedError } from 'graphql'
import { ERRORS, type ErrorCode, SluiceError } from './codes.ts'
import type { ErrorSink } from './resolver-errors.ts'

/** Limit of nested GraphQLErrors that are unwrapped. Executors wrap once or twice; a cycle would not end. */
const MAX_WRAPPED = 10
/**
 * Size limit of a GraphQLError's `extensions`, as JSON. Longer ones are dropped. Our own errors have none: they tell each
 * partition's gap.
 */
const MAX_EXTENSIONS_CHARS = 16 * 1024
/**
 * Properties that libraries put into `extensions` for servers and developers, at any depth: stacks, causes, HTTP's
 * status.
 */
const FOR_SERVERS = new Set(['stack', 'stacktrace', 'exception', 'originalError', 'cause', 'http', 'unexpected'])
/** GraphQL's names. Any other path element was not set by the executor. */
const NAME = /^[_A-Za-z]\w*$/

/**
 * Masking: an error as clients see it. Three kinds keep their message: our own errors; a GraphQLError with a `code`,
 * which was thrown on purpose; and, with `fallback`, a GraphQLError without a code by which GraphQL itself refuses the
 * request: its code is `fallback`. Every other error is masked, and reported to `errors` unchanged: also the executor's
 * errors about a resolver's value, since they quote it. Never throws, whatever was thrown, and the returned value is
 * valid JSON.
 */
export function formatError(
  error: unknown,
  errors: ErrorSink,
  fallback: ErrorCode = 'INTERNAL_SERVER_ERROR',
): GraphQLFormattedError {
  try {
    const formatted = formatForClients(error, fallback)
    if (formatted) return formatted
  } catch {
    // The error's properties throw: it is masked.
  }
  const cause = causeOf(error)
  // A path that no executor has set is the thrower's, and may be anything.
  const where = cause === error ? {} : placeOf(error)
  errors.tell(cause, cause === error ? undefined : error)
  return { message: ERRORS.INTERNAL_SERVER_ERROR.message, ...where, extensions: { code: 'INTERNAL_SERVER_ERROR' } }
}

/** Undefined for an error that is not meant for clients. */
function formatForClients(error: unknown, fallback: ErrorCode): GraphQLFormattedError | undefined {
  const cause = causeOf(error)
  const where = placeOf(error)
  const message = error instanceof GraphQLError ? textOf(error.message) : ''
  if (cause instanceof SluiceError) {
    // A scalar's message is clearer with the variable's name, which graphql-js prepends.
    const own = message !== '' && cause.code === 'BAD_USER_INPUT' ? message : textOf(cause.message)
    return {
      message: own,
      ...where,
      extensions: { ...forClients(cause.details, Number.POSITIVE_INFINITY), code: cause.code },
    }
  }
  const isRefusal = fallback !== 'INTERNAL_SERVER_ERROR'
  // A scalar that returns undefined for a client's value: the message quotes only that value.
  if (isRefusal && isUndefinedThrown(cause)) return { message, ...where, extensions: { code: fallback } }
  if (!(cause instanceof GraphQLError)) return undefined
  const code = codeOf(cause)
  if (code === undefined && !isRefusal) return undefined
  // The outer message names the variable. Where graphql-js only adds the location, the messages are equal.
  return {
    message,
    ...where,
    extensions: { ...forClients(cause.extensions, MAX_EXTENSIONS_CHARS), code: code ?? fallback },
  }
}

/** The thrown value, without the GraphQLErrors that wrap it. Never throws. */
function causeOf(error: unknown): unknown {
  let cause = error
  try {
    for (let depth = 0; depth < MAX_WRAPPED && cause instanceof GraphQLError; depth++) {
      if (cause.originalError === undefined || isOnPurpose(cause)) return cause
      cause = cause.originalError
    }
  } catch {
    return error
  }
  return cause
}

/** A wrapping GraphQLError has the `extensions` of the wrapped one. */
function isOnPurpose({ extensions, originalError }: GraphQLError): boolean {
  return codeOf({ extensions }) !== undefined && extensions !== (originalError as { extensions?: unknown }).extensions
}

function codeOf({ extensions }: { readonly extensions: unknown }): string | number | undefined {
  const code = (extensions as { code?: unknown } | undefined)?.code
  return typeof code === 'string' || typeof code === 'number' ? code : undefined
}

/** graphql-js's message for a scalar that returns undefined, or throws `undefined` or `null`. */
function isUndefinedThrown(cause: unknown): boolean {
  if (!(cause instanceof Error) || cause.name !== 'NonErrorThrown') return false
  return ((cause as { thrownValue?: unknown }).thrownValue ?? undefined) === undefined
}

interface Place {
  readonly locations?: NonNullable<GraphQLFormattedError['locations']>
  readonly path?: NonNullable<GraphQLFormattedError['path']>
}

/** The locations as set by graphql-js. Anything may have set them: only valid ones are kept. */
function placeOf(error: unknown): Place {
  try {
    if (!(error instanceof GraphQLError)) return {}
    const { locations, path } = error
    const places = Array.isArray(locations) ? locations.map(({ line, column }) => ({ line, column })) : undefined
    return {
      ...(places?.every(({ line, column }) => Number.isSafeInteger(line) && Number.isSafeInteger(column)) && {
        locations: places,
      }),
      ...(Array.isArray(path) && path.every(isPathKey) && { path: [...path] }),
    }
  } catch {
    return {}
  }
}

function isPathKey(key: unknown): boolean {
  return typeof key === 'string' ? NAME.test(key) : Number.isSafeInteger(key)
}

function textOf(message: unknown): string {
  return typeof message === 'string' ? message : ERRORS.INTERNAL_SERVER_ERROR.message
}

/** A copy that is plain JSON; empty if JSON cannot represent it, or it exceeds the limit. */
function forClients(extensions: unknown, maxChars: number): Readonly<Record<string, unknown>> {
  try {
    const text = JSON.stringify(extensions, (key, value) => (FOR_SERVERS.has(key) ? undefined : value))
    return text.length > maxChars ? {} : JSON.parse(text)
  } catch {
    return {}
  }
}
