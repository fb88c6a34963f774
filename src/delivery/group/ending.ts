import { plannedRetryMs, retryMs } from '../../errors/retry-hints.ts'
import type { Framing } from '../../protocol/framing.ts'
import type { CloseReason, Outlet } from '../outlet.ts'

/** Ends an outlet after what was written, with what its client is told: not to reconnect, or when. */
export function endOutlet(outlet: Outlet, framing: Framing, reason: CloseReason): void {
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
      // Each client waits a moment of its own: what failed may fail again.
      outlet.end(framing.retry(retryMs()))
      break
    case 'age':
    case 'shutdown':
      outlet.end(framing.retry(plannedRetryMs()))
      break
  }
}
