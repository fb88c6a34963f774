import { GraphQLError, type GraphQLFormattedError } from 'graphql'
import { ERRORS, type ErrorCode, SluiceError } from './codes.ts'
import type { ErrorSink } from './resolver-errors.ts'

/** GraphQLErrors inside of each other that are looked through. Executors wrap once or twice; a cycle has no end. */
const MAX_WRAPPED = 10
/**
 * Of a GraphQLError's `extensions`, as JSON: what a client shows or decides by. What is longer goes without them. Our
 * own errors have no such limit: they say of each partition what is gone.
 */
const MAX_EXTENSIONS_CHARS = 16 * 1024
/** What libraries put into `extensions` for servers and developers, at any depth: stacks, causes, HTTP's status. */
const FOR_SERVERS = new Set(['stack', 'stacktrace', 'exception', 'originalError', 'cause', 'http', 'unexpected'])
/** As GraphQL writes names. What an error holds in its place came from somewhere else than the executor. */
const NAME = /^[_A-Za-z]\w*$/

/**
 * An error as clients see it. Three kinds keep their message: our own errors; a GraphQLError with a `code` that was
 * thrown on purpose; and, where the caller says by `fallback` that GraphQL itself has refused the request, a GraphQLError
 * without one, which gets `fallback` for its code. Everything else is masked, and told to `errors` as it really was: also
 * what an executor says of a resolver's value, since it quotes the value. Whatever was thrown, this does not throw, and
 * what it returns can be made into JSON.
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
    // An error whose own properties throw is for no client.
  }
  const cause = causeOf(error)
  // A place that nobody has put round it is what the one who threw it says, which may be anything.
  const where = cause === error ? {} : placeOf(error)
  errors.tell(cause, cause === error ? undefined : error)
  return { message: ERRORS.INTERNAL_SERVER_ERROR.message, ...where, extensions: { code: 'INTERNAL_SERVER_ERROR' } }
}

/** Undefined for an error that was not meant for clients. */
function formatForClients(error: unknown, fallback: ErrorCode): GraphQLFormattedError | undefined {
  const cause = causeOf(error)
  const where = placeOf(error)
  const message = error instanceof GraphQLError ? textOf(error.message) : ''
  if (cause instanceof SluiceError) {
    // A scalar's complaint reads better with the name of the variable that graphql puts before it.
    const own = message !== '' && cause.code === 'BAD_USER_INPUT' ? message : textOf(cause.message)
    return {
      message: own,
      ...where,
      extensions: { ...forClients(cause.details, Number.POSITIVE_INFINITY), code: cause.code },
    }
  }
  const isRefusal = fallback !== 'INTERNAL_SERVER_ERROR'
  // A scalar that gives undefined for a client's value: the message quotes nothing but that value.
  if (isRefusal && isUndefinedThrown(cause)) return { message, ...where, extensions: { code: fallback } }
  if (!(cause instanceof GraphQLError)) return undefined
  const code = codeOf(cause)
  if (code === undefined && !isRefusal) return undefined
  // The outer message names the variable; where graphql only adds the place, the two are the same.
  return {
    message,
    ...where,
    extensions: { ...forClients(cause.extensions, MAX_EXTENSIONS_CHARS), code: code ?? fallback },
  }
}

/** What was thrown, without the GraphQLErrors that were wrapped round it on the way up. Never throws. */
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

/** A GraphQLError that only wraps another one has the other one's `extensions`. */
function isOnPurpose({ extensions, originalError }: GraphQLError): boolean {
  return codeOf({ extensions }) !== undefined && extensions !== (originalError as { extensions?: unknown }).extensions
}

function codeOf({ extensions }: { readonly extensions: unknown }): string | number | undefined {
  const code = (extensions as { code?: unknown } | undefined)?.code
  return typeof code === 'string' || typeof code === 'number' ? code : undefined
}

/** graphql-js says so of a scalar that throws nothing, and of one that throws `undefined` or `null`. */
function isUndefinedThrown(cause: unknown): boolean {
  if (!(cause instanceof Error) || cause.name !== 'NonErrorThrown') return false
  return ((cause as { thrownValue?: unknown }).thrownValue ?? undefined) === undefined
}

interface Place {
  readonly locations?: NonNullable<GraphQLFormattedError['locations']>
  readonly path?: NonNullable<GraphQLFormattedError['path']>
}

/** Where graphql says that it was. An error may have been given these by anybody: only what looks like them counts. */
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

/** A copy that holds nothing but JSON; empty for what JSON cannot say, and for more than a client can use. */
function forClients(extensions: unknown, maxChars: number): Readonly<Record<string, unknown>> {
  try {
    const text = JSON.stringify(extensions, (key, value) => (FOR_SERVERS.has(key) ? undefined : value))
    return text.length > maxChars ? {} : JSON.parse(text)
  } catch {
    return {}
  }
}
