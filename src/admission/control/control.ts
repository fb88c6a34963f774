import type { Principal } from '../principal.ts'
import type { OperationName } from '../stream-owner.ts'

/** Revoked credentials and blocked operations. */
export class Control {
  /** @throws SluiceError `UNAUTHENTICATED` */
  demandNotRevoked(_principal: Principal): void {}

  /** @throws SluiceError `OPERATION_BLOCKED` */
  demandNotBlocked(_operation: OperationName): void {}
}
