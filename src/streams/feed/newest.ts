import type { StreamEvent } from '../event.ts'
import { SCANS } from '../turn-budget.ts'
import type { Window } from './window.ts'

/** Matching events, oldest first. */
export interface Newest<V> {
  readonly events: StreamEvent<V>[]
  /** Sequence number of the first of them in the window; its end, if there is none. */
  readonly seq: number
}

/**
 * The newest `count` matching events of a window, or all if there are fewer: of those that it held at the call, and
 * still holds. The window may be searched in several turns of the event loop. Rejects with what `matches` throws.
 */
export async function newest<V>(
  window: Window<V>,
  count: number,
  matches: (event: StreamEvent<V>) => boolean,
): Promise<Newest<V>> {
  for (;;) {
    const { renumbered, nextSeq: end } = window
    const found: number[] = []
    let at = end
    while (renumbered === window.renumbered) {
      at = searchDown(window, at, count, matches, found)
      if (at <= window.firstSeq || found.length >= count) {
        const seqs = found.filter((seq) => seq >= window.firstSeq).reverse()
        const events = seqs.map((seq) => window.at(seq) as StreamEvent<V>)
        return { events, seq: seqs[0] ?? Math.max(end, window.firstSeq) }
      }
      await SCANS.next()
    }
    // The window was renumbered: the sequence numbers found so far are void.
  }
}

/** Searches until the turn's budget is used up. All from the returned sequence number on has been searched. */
function searchDown<V>(
  window: Window<V>,
  from: number,
  count: number,
  matches: (event: StreamEvent<V>) => boolean,
  found: number[],
): number {
  let at = from
  SCANS.begin()
  try {
    while (at > window.firstSeq && found.length < count) {
      at--
      if (matches(window.at(at) as StreamEvent<V>)) found.push(at)
      if (SCANS.isUsedUp()) break
    }
    return at
  } finally {
    SCANS.end()
  }
}
