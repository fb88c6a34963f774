import type { Framing } from '../protocol/framing.ts'
import type { Outlet } from './outlet.ts'

/**
 * A prepared subscription: every check that may refuse it has passed, and it only lacks an outlet. It is started in the
 * turn of the event loop in which it was prepared, or not at all. Disposed without a start, it releases what it holds.
 */
export interface Prepared extends Disposable {
  /** Writes the first block to the outlet, and attaches to it. Never throws: an outlet that fails is ended. */
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
