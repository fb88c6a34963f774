import type { Result, ResultError } from './operation.ts'

/**
 * An answer of the gateway that is no stream and no result. `code` is the gateway's (docs/errors.md), `HTTP_<status>`,
 * or `UNEXPECTED_ANSWER`.
 */
export class SluiceClientError extends Error {
  override readonly name = 'SluiceClientError'
  readonly code: string
  /** Of the HTTP answer; absent for a refusal on the stream. */
  readonly status: number | undefined
  readonly errors: readonly ResultError[]

  constructor(code: string, message: string, details: { status?: number; errors?: readonly ResultError[] } = {}) {
    super(message)
    this.code = code
    this.status = details.status
    this.errors = details.errors ?? []
  }
}

/** Statuses of the 4xx by which a server says that the same request may succeed later. */
const LATER = [408, 425, 429]

/** Whether another try would be refused again. Anything else is an outage: a try later may succeed. */
export function isRefusal(error: unknown): error is SluiceClientError {
  if (!(error instanceof SluiceClientError)) return false
  const { status, code } = error
  if (status === undefined) return true
  // A success of another kind refuses if it has errors of GraphQL. The page of a proxy or a portal does not.
  if (status < 300) return code !== UNEXPECTED
  return status >= 400 && status < 500 && !LATER.includes(status)
}

export const UNEXPECTED = 'UNEXPECTED_ANSWER'

/** The error that a result without data stands for. */
export function errorOfResult({ errors = [] }: Result, fallback: string, status?: number): SluiceClientError {
  const [first] = errors
  const details = status === undefined ? { errors } : { errors, status }
  return new SluiceClientError(
    first?.extensions?.code ?? fallback,
    first?.message ?? `The gateway answered ${fallback}`,
    details,
  )
}
