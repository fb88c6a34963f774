import { UNKNOWN } from '../cursor/vector.ts'
import type { Gap } from '../event.ts'
import { type PartitionRange, type Source, SourceUnavailable } from '../source/port.ts'
import type { Preparation } from '../topic/preparation.ts'
import type { Topic } from '../topic/topic.ts'
import type { Heads } from './heads.ts'
import { type Page, Pages } from './pages.ts'
import { SinceCache } from './since-cache.ts'
import type { Window } from './window.ts'

/** Cache period of the log's offset ranges. */
const RANGES_MS = 1_000

export interface PastOptions<V> {
  readonly topic: Topic<V>
  readonly window: Window<V>
  readonly heads: Heads
  /** Without it, events older than the window are gaps. */
  readonly source: Source | undefined
  readonly signal: AbortSignal | undefined
  readonly maxEventBytes?: number | undefined
  readonly preparation?: Preparation | undefined
}

/** The part of a topic's log that is older than the window. */
export class Past<V> {
  readonly #options: PastOptions<V>
  readonly #pages: Pages<V> | undefined
  readonly #since = new SinceCache()
  #ranges: { readonly asked: number; readonly answer: Promise<readonly PartitionRange[]> } | undefined

  constructor(options: PastOptions<V>) {
    this.#options = options
    const { topic, heads, source, signal = new AbortController().signal, maxEventBytes, preparation } = options
    const headOf = (partition: number) => heads.of(partition)
    this.#pages = source && new Pages({ topic, source, signal, headOf, maxEventBytes, preparation })
  }

  /**
   * The page or gap of a partition at `offset`, which is older than the window. Retries while the log cannot be
   * reached, as long as `isWanted`. Undefined: it is no longer wanted.
   */
  page(partition: number, offset: number, isWanted: () => boolean): Page<V> | Gap | Promise<Page<V> | Gap | undefined> {
    if (this.#pages) return this.#pages.patiently(partition, offset, isWanted)
    const { topic, window } = this.#options
    const held = window.at(window.seqOf(partition, offset))
    if (held?.offset === offset) return { kind: 'page', partition, from: offset, next: offset + 1, events: [held] }
    const to = Math.min(held?.offset ?? Number.POSITIVE_INFINITY, window.floor(partition) ?? 0)
    return { kind: 'gap', topic: topic.name, partition, from: offset, to, reason: 'retention' }
  }

  /** Memory of the events that are cached. */
  get bytes(): number {
    return this.#pages?.bytes ?? 0
  }

  /** See `Pages`. */
  lookUpIn(page: Page<V>): void {
    this.#pages?.lookUpIn(page)
  }

  /** Prefetches a page, unless the window holds its events. */
  prefetch(partition: number, offset: number): void {
    if (offset < (this.#options.window.floor(partition) ?? 0)) this.#pages?.prefetch(partition, offset)
  }

  /** The log was truncated or recreated. */
  restart(): void {
    this.#pages?.restart()
    this.#since.clear()
  }

  /** The log's offset ranges, fetched at most once a second for all callers. @throws SourceUnavailable */
  ranges(): Promise<readonly PartitionRange[]> {
    const now = performance.now()
    if (!this.#ranges || now - this.#ranges.asked > RANGES_MS) {
      const { source } = this.#options
      this.#ranges = { asked: now, answer: source ? this.#askRanges(source) : Promise.resolve(this.#heldRanges()) }
    }
    return this.#ranges.answer
  }

  /**
   * The offsets of the first events whose timestamp is `timestamp` (ms), rounded down to the second, or later, by
   * partition; the end, where there are none. The log is asked at most once a second for each second.
   * @throws SourceUnavailable
   */
  async positionsAt(timestamp: number): Promise<readonly number[]> {
    const { source, topic, heads } = this.#options
    if (!source) return [...heads.next]
    return this.#since.get(timestamp, async (second) => {
      const offsets = await source.offsetsAt(topic.name, second)
      const positions = new Array<number>(Math.max(-1, ...offsets.keys()) + 1).fill(0)
      for (const [partition, offset] of offsets) positions[partition] = offset
      return positions
    })
  }

  async #askRanges(source: Source): Promise<readonly PartitionRange[]> {
    const { topic, heads } = this.#options
    const read = [...heads.next]
    const ranges = await source.ranges(topic.name)
    // A truncation that the live reader is still to find: until then, the past is that of the former log.
    if (ranges.some(({ partition, next }) => next < (read[partition] ?? UNKNOWN)))
      throw new SourceUnavailable(`The log of "${topic.name}" ends before what has been read of it`)
    return ranges
  }

  #heldRanges(): PartitionRange[] {
    const { heads, window } = this.#options
    return heads.next.map((next, partition) => ({ partition, earliest: window.floor(partition) ?? 0, next }))
  }
}
