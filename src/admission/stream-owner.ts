import type { Identity } from './principal.ts'

/** Whose a stream is, and what it was opened for: kept as long as it is open. */
export interface StreamOwner {
  readonly identity: Identity
  /** The address that limits are counted for. */
  readonly address: string
  readonly requestId: string
  /** Undefined: a stream that carries several operations. */
  readonly operation: OperationName | undefined
}

/** An operation by what it can be blocked by, and found in the audit log. */
export interface OperationName {
  /** SHA-256 of the document's text, in hex. */
  readonly hash: string
  readonly name: string | undefined
}
