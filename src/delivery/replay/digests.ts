import type { StreamEvent } from '../../streams/event.ts'
import type { Feed } from '../../streams/feed/feed.ts'
import type { DigestCache } from '../throttle/throttles.ts'
import type { History } from './history.ts'

/** Events of the window in the smallest run, and runs in the next larger one. */
const SMALLEST = 16
const FACTOR = 8
/** Lengths of runs, the largest first. What is longer has few keys for its length. */
const SPANS = [8192, 1024, 128, SMALLEST]

/** Where the next run may begin. */
export function nextRun(seq: number): number {
  return seq - (seq % SMALLEST) + SMALLEST
}

interface DigestsOptions {
  readonly cache: DigestCache
  /** Key of the group. */
  readonly key: string
  readonly feed: Feed
  readonly history: History
  readonly selects: (event: StreamEvent) => boolean
  readonly keyOf: (event: StreamEvent) => unknown
}

/**
 * Of aligned runs of the window, the latest event of each key: made for the first member that needs it, and cached for
 * the others. What a member missed is then a few runs and their keys, however many events that was.
 */
export class Digests {
  readonly #options: DigestsOptions

  constructor(options: DigestsOptions) {
    this.#options = options
  }

  /**
   * The longest run that begins at `seq` and ends before `limit`: the sequence numbers of its events, ascending, and the
   * one after the run. Undefined: there is none. The window must hold the event at `seq`.
   */
  at(seq: number, limit: number): { readonly seqs: readonly number[]; readonly next: number } | undefined {
    const span = SPANS.find((each) => seq % each === 0 && seq + each <= limit)
    return span === undefined ? undefined : { seqs: this.#digest(seq, span), next: seq + span }
  }

  #digest(base: number, span: number): readonly number[] {
    const { cache, key } = this.#options
    const name = `${key}\n${base}+${span}`
    const known = cache.get(name)
    if (known) return known
    const made = [...this.#latest(span === SMALLEST ? this.#selected(base) : this.#ofParts(base, span)).values()]
    cache.set(name, made)
    return made
  }

  /** By key the last of these, in their order. */
  #latest(seqs: Iterable<number>): Map<unknown, number> {
    const { feed, keyOf } = this.#options
    const latest = new Map<unknown, number>()
    for (const seq of seqs) {
      const key = keyOf(feed.window.at(seq) as StreamEvent)
      latest.delete(key)
      latest.set(key, seq)
    }
    return latest
  }

  *#selected(base: number): Generator<number> {
    const { feed, history, selects } = this.#options
    const end = base + SMALLEST
    for (let at = history.next(base, end); at < end; at = history.next(at + 1, end)) {
      if (selects(feed.window.at(at) as StreamEvent)) yield at
    }
  }

  *#ofParts(base: number, span: number): Generator<number> {
    const part = span / FACTOR
    for (let at = base; at < base + span; at += part) yield* this.#digest(at, part)
  }
}
