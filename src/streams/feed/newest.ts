import type { StreamEvent } from '../event.ts'
import { SCANS } from '../turn-budget.ts'
import type { Window } from './window.ts'

/** Events that match, oldest of them first. */
export interface Newest<V> {
  readonly events: StreamEvent<V>[]
  /** Place of the first of them in the window; its end, if there is none. */
  readonly seq: number
}

/**
 * The newest `count` events of a window that match, or as many as there are: of what it held when it was asked, and
 * holds still. It may be searched in several turns of the event loop. Rejects with what `matches` throws.
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
    // Places from before say nothing of the window any more.
  }
}

/** Searches as far as the turn's budget goes: all from the place that it returns on has been looked at. */
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
