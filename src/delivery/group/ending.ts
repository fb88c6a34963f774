import { plannedRetryMs, retryMs } from '../../errors/retry-hints.ts'
import type { Framing } from '../../protocol/framing.ts'
import type { CloseReason, Outlet } from '../outlet.ts'

/**
 * Ends an outlet after the written bytes, with an instruction to the client: not to reconnect, or after which delay.
 */
export function endOutlet(outlet: Outlet, framing: Framing, reason: CloseReason): void {
  outlet.closing?.(reason)
  switch (reason) {
    case 'complete':
      outlet.end(framing.complete, true)
      break
    case 'client':
      outlet.end()
      break
    case 'stalled':
      outlet.destroy()
      break
    case 'failed':
      // Jittered delay for each client: the failure may recur.
      outlet.end(framing.retry(retryMs()))
      break
    case 'age':
    case 'shutdown':
      outlet.end(framing.retry(plannedRetryMs()))
      break
  }
}
