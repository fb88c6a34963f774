import type { OperationTypeNode } from 'graphql'
import type { Principal } from './principal.ts'
import type { StreamOwner } from './stream-owner.ts'

export interface Refusal {
  /** Code of the error that the client is answered. */
  readonly code: string
  /** The limit, for a refusal by one; else the code in lower case. */
  readonly reason: string
  /** Undefined: it is not known who it was. */
  readonly principal: Principal | undefined
  readonly address: string
  readonly requestId?: string | undefined
}

/** Is told what admission decides. Must neither throw nor block. */
export interface AdmissionObserver {
  admitted(owner: StreamOwner, type: OperationTypeNode): void
  refused(refusal: Refusal): void
}
