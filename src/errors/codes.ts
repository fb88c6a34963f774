/**
 * Every error code of the API, with its default message and its HTTP status in a plain HTTP response. docs/errors.md
 * documents each (a test compares the two).
 */
export const ERRORS = {
  BAD_REQUEST: { status: 400, message: 'The request is not a well-formed GraphQL request' },
  GRAPHQL_PARSE_FAILED: { status: 400, message: 'The operation has a syntax error' },
  GRAPHQL_VALIDATION_FAILED: { status: 400, message: 'The operation does not fit the schema' },
  NAME_TOO_LONG: { status: 400, message: 'A name of the operation is too long' },
  OPERATION_TOO_COMPLEX: { status: 400, message: 'The operation asks for more than the gateway executes' },
  // These two messages are what Apollo's link looks for, to send the text.
  PERSISTED_QUERY_NOT_FOUND: { status: 400, message: 'PersistedQueryNotFound' },
  PERSISTED_QUERY_NOT_SUPPORTED: { status: 400, message: 'PersistedQueryNotSupported' },
  PERSISTED_OPERATION_REQUIRED: { status: 400, message: 'Only the operations that are persisted here are run' },
  OPERATION_NAME_INVALID: { status: 400, message: '"operationName" does not name an operation of the document' },
  BAD_USER_INPUT: { status: 400, message: 'A variable or an argument does not fit its type' },
  SUBSCRIBE_FAILED: { status: 400, message: 'The subscription could not be started' },
  CURSOR_INVALID: { status: 400, message: 'The cursor is damaged, or belongs to another topic' },
  CURSOR_EXPIRED: { status: 400, message: 'Events between the cursor and what is retained are gone' },
  UNAUTHENTICATED: { status: 401, message: 'The request has no credentials that are valid here' },
  SESSION_EXPIRED: { status: 401, message: 'The credentials have expired: come back with new ones' },
  FORBIDDEN: { status: 403, message: 'These credentials do not allow this' },
  REVOKED: { status: 403, message: 'These credentials have been revoked' },
  OPERATION_BLOCKED: { status: 403, message: 'This operation is blocked' },
  SUBSCRIPTION_NEEDS_SSE: {
    status: 406,
    message: 'Subscriptions are served as text/event-stream or as multipart/mixed: accept one of them',
  },
  WEBSOCKET_NOT_SERVED: {
    status: 400,
    message: 'There is no WebSocket here: subscribe by GraphQL over SSE, POST /graphql with accept: text/event-stream',
  },
  NOT_FOUND: { status: 404, message: 'There is nothing at this path' },
  STREAM_NOT_FOUND: { status: 404, message: 'No stream has this token' },
  STREAM_ALREADY_OPEN: { status: 409, message: 'The stream with this token is open already' },
  OPERATION_ID_IN_USE: { status: 409, message: 'Another operation of this stream has this id' },
  OPERATION_ABANDONED: { status: 503, message: 'The request that started this operation was given up: start it again' },
  METHOD_NOT_ALLOWED: { status: 405, message: 'This method is not allowed here' },
  NOT_ACCEPTABLE: {
    status: 406,
    message:
      'There are application/json, application/graphql-response+json, text/event-stream and multipart/mixed, and none is accepted',
  },
  REQUEST_TIMEOUT: { status: 408, message: 'The request did not arrive in time' },
  BODY_TOO_LARGE: { status: 413, message: 'The request body is too large' },
  UNSUPPORTED_MEDIA_TYPE: { status: 415, message: 'The request body must be application/json' },
  TOO_MANY_OPERATIONS: { status: 429, message: 'This stream has as many operations as it can carry' },
  RATE_LIMITED: { status: 429, message: 'This client asks for more than its share: later it may again' },
  TOO_MANY_STREAMS: { status: 503, message: 'This gateway has as many streams as it can serve' },
  TOO_MANY_ANSWERS: { status: 503, message: 'This gateway holds as many unread answers as it can' },
  PUBLISH_BUSY: { status: 503, message: 'As many events as can be wait to be published: this one was not published' },
  PUBLISH_FAILED: { status: 503, message: 'The log did not take the event: it was not published' },
  PUBLISH_UNCONFIRMED: {
    status: 504,
    message:
      'The log did not confirm the event in time: it may be published or not. Repeat it with the same idempotency key',
  },
  EVENT_TOO_LARGE: { status: 413, message: 'The event is larger than its topic takes' },
  TABLE_TOO_LARGE: { status: 507, message: 'The table is larger than this gateway holds' },
  AUTHORIZATION_UNAVAILABLE: { status: 503, message: 'Whether this is allowed could not be found out' },
  NOT_READY: { status: 503, message: 'The gateway is not ready' },
  STREAM_INTERRUPTED: { status: 503, message: 'The stream has ended, and the subscription has not: subscribe again' },
  RESULT_TOO_LARGE: { status: 400, message: 'The result is larger than the gateway sends' },
  RESOLVER_TIMEOUT: { status: 500, message: 'Resolving this event took too long' },
  INTERNAL_SERVER_ERROR: { status: 500, message: 'Unexpected error' },
} as const satisfies Record<string, { status: number; message: string }>

export type ErrorCode = keyof typeof ERRORS

/** An error that clients may see: its message and details are not internal. Any other error is masked. */
export class SluiceError extends Error {
  override readonly name = 'SluiceError'
  readonly code: ErrorCode
  /** Details beside `code` in the error's `extensions`. */
  readonly details: Readonly<Record<string, unknown>>
  /** When to try again, in ms, where waiting helps: the response has it as `Retry-After`. */
  readonly retryAfterMs: number | undefined

  constructor(
    code: ErrorCode,
    message: string = ERRORS[code].message,
    details: Readonly<Record<string, unknown>> = {},
    retryAfterMs?: number,
  ) {
    super(message)
    this.code = code
    this.details = details
    this.retryAfterMs = retryAfterMs
  }

  /** Where GraphQL executors look for an error's `extensions`. */
  get extensions(): Readonly<Record<string, unknown>> {
    return { ...this.details, code: this.code }
  }

  get status(): number {
    return ERRORS[this.code].status
  }
}

/** Statuses of refusals that concern the client, and not its operation: they are answered as such. */
const OF_CLIENT: ReadonlySet<number> = new Set([401, 429, 503])

/** Whether it refuses the client, whatever it requests. */
export function isOfClient(error: unknown): error is SluiceError {
  return error instanceof SluiceError && (OF_CLIENT.has(error.status) || error.code === 'REVOKED')
}
