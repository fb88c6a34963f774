import type { Framing } from '../protocol/framing.ts'
import type { Outlet } from './outlet.ts'

/**
 * A subscription of which everything is known that can be refused: it only lacks an outlet. It is started in the turn
 * of the event loop in which it was prepared, or not at all. Disposed without a start, it leaves nothing behind.
 */
export interface Prepared extends Disposable {
  /** Writes the first block to the outlet, and attaches to it. Never throws: an outlet that fails has been ended. */
  start(outlet: Outlet, framing: Framing): void
}

export function prepared(start: Prepared['start'], release: () => void): Prepared {
  let isPending = true
  return {
    start(outlet, framing) {
      isPending = false
      start(outlet, framing)
    },
    [Symbol.dispose]() {
      if (isPending) release()
      isPending = false
    },
  }
}
