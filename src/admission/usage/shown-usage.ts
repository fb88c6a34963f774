import { add, type Counts, noCounts } from './counts.ts'
import type { Tally } from './tally.ts'
import type { Usage } from './usage.ts'

/** Limit of principals with a name of their own in metrics: each is a time series of every metric. */
const MAX_SHOWN = 100
/** Stands for all others. */
const OTHER = 'other'
/** Names that a principal's own could be taken for. */
const RESERVED = new Set([OTHER, 'anonymous'])

export interface Shown {
  readonly principal: string
  readonly streams: number
  readonly counts: Counts
}

/**
 * Usage for metrics: the principals with the most traffic by name, and all others together. What a principal used while
 * it was among the others stays with those, so that no counter goes back.
 */
export class ShownUsage {
  readonly #usage: Usage
  readonly #maxShown: number
  readonly #other = noCounts()
  #reading: Promise<readonly Shown[]> | undefined

  constructor(usage: Usage, maxShown = MAX_SHOWN) {
    this.#usage = usage
    this.#maxShown = maxShown
  }

  /** All metrics of a scrape get the same. */
  read(): Promise<readonly Shown[]> {
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined
    })
    return this.#reading
  }

  async #read(): Promise<readonly Shown[]> {
    const usage = this.#usage
    await usage.measure()
    const shown = largest(usage.all(), this.#maxShown)
    let streams = 0
    for (const tally of usage.all()) {
      const isShown = shown.has(tally)
      if (!isShown) streams += tally.streams
      take(tally.unread, isShown ? tally.shown : this.#other)
    }
    take(usage.evicted, this.#other)
    const named = [...shown].map((tally) => ({
      principal: labelOf(tally),
      streams: tally.streams,
      counts: { ...tally.shown },
    }))
    return [...named, { principal: OTHER, streams, counts: { ...this.#other } }]
  }
}

/** The tallies with the most traffic, of at most so many. */
function largest(tallies: Iterable<Tally>, count: number): ReadonlySet<Tally> {
  const found: Tally[] = []
  for (const tally of tallies) {
    if (tally.kind === 'other' || (found.length === count && tally.traffic <= (found.at(-1)?.traffic ?? 0))) continue
    const place = found.findIndex(({ traffic }) => traffic < tally.traffic)
    found.splice(place < 0 ? found.length : place, 0, tally)
    if (found.length > count) found.pop()
  }
  return new Set(found)
}

function take(from: Counts, to: Counts): void {
  add(to, from)
  Object.assign(from, noCounts())
}

function labelOf({ kind, id }: Tally): string {
  return kind !== 'anonymous' && RESERVED.has(id) ? `${kind}:${id}` : id
}
