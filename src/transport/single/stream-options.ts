import type { StreamOwner } from '../../admission/stream-owner.ts'
import type { CloseReason, Outlet } from '../../delivery/outlet.ts'
import type { Faults } from '../../errors/faults.ts'
import type { AnswerBudget } from '../answer-budget.ts'
import type { SingleOperation } from './operation.ts'
import type { OperationLoad } from './operation-load.ts'
import type { SingleStream } from './stream.ts'

/** An outlet that can coalesce writes. */
export interface StreamOutlet extends Outlet {
  cork(): void
  uncork(): void
  /** Ends the stream that is written to it. */
  leave(reason: CloseReason): void
}

export interface SingleStreamOptions {
  readonly token: string
  /** Who reserved it: only this principal may open it, or start and stop operations. */
  readonly owner: StreamOwner
  readonly heartbeatMs: number
  readonly answers: AnswerBudget
  readonly faults: Faults
  readonly load: OperationLoad
  /** Called once, when it opens. */
  readonly onOpen?: () => void
  /** Room for an operation; the returned function gives it back. @throws SluiceError `RATE_LIMITED` */
  readonly takeOperation?: () => () => void
  /** Called once for each operation that has ended. */
  readonly onEnded?: (operation: SingleOperation) => void
  /** Called once, when it has ended or its reservation has expired. */
  readonly onGone: (stream: SingleStream) => void
}
