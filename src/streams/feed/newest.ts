import type { StreamEvent } from '../event.ts'
import type { Lookups } from '../topic/topic.ts'
import { SCANS } from '../turn-budget.ts'
import { Candidates } from './candidates.ts'
import type { Window } from './window.ts'

/** Matching events, oldest first. */
export interface Newest<V> {
  readonly events: StreamEvent<V>[]
  /** Sequence number of the first of them in the window; its end, if there is none. */
  readonly seq: number
}

const NO_LOOKUPS: Lookups = { indexed: new Map(), ordered: new Map() }

/** The events that are searched for. */
interface Search<V> {
  readonly count: number
  readonly candidates: Candidates<V>
  readonly matches: (event: StreamEvent<V>) => boolean
}

/**
 * The newest `count` events of a window that meet the conditions of the candidates and match, or all if there are fewer:
 * of those that it held at the call, and still holds. The search looks only at candidates. It may take several turns of
 * the event loop. Rejects with what `matches` throws.
 */
export async function newest<V>(
  window: Window<V>,
  count: number,
  matches: (event: StreamEvent<V>) => boolean,
  candidates: Candidates<V> = new Candidates(NO_LOOKUPS),
): Promise<Newest<V>> {
  const search = { count, candidates, matches }
  for (;;) {
    const { renumbered, nextSeq: end } = window
    const found: number[] = []
    let at = end
    while (renumbered === window.renumbered) {
      at = searchDown(window, at, search, found)
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
  { count, candidates, matches }: Search<V>,
  found: number[],
): number {
  let at = from
  SCANS.begin()
  try {
    while (at > window.firstSeq && found.length < count) {
      at = candidates.previous(window.postings, at, window.firstSeq)
      const event = window.at(at)
      if (event && candidates.meets(event) && matches(event)) found.push(at)
      if (SCANS.isUsedUp()) break
    }
    return at
  } finally {
    SCANS.end()
  }
}
