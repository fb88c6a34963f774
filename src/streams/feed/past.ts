import type { Gap } from '../event.ts'
import type { PartitionRange, Source } from '../source/port.ts'
import type { Topic } from '../topic/topic.ts'
import type { Heads } from './heads.ts'
import { type Page, Pages } from './pages.ts'
import type { Window } from './window.ts'

/** What the log holds is asked for this often at most. */
const RANGES_MS = 1_000

export interface PastOptions<V> {
  readonly topic: Topic<V>
  readonly window: Window<V>
  readonly heads: Heads
  /** Without it, what is older than the window is gone. */
  readonly source: Source | undefined
  readonly signal: AbortSignal | undefined
}

/** What the log of a topic holds beside what is in the window. */
export class Past<V> {
  readonly #options: PastOptions<V>
  readonly #pages: Pages<V> | undefined
  #ranges: { readonly asked: number; readonly answer: Promise<readonly PartitionRange[]> } | undefined

  constructor(options: PastOptions<V>) {
    this.#options = options
    const { topic, source, signal = new AbortController().signal } = options
    this.#pages = source && new Pages(topic, source, signal)
  }

  /**
   * What there is of a partition at `offset`, which is older than the window. Keeps trying while the log cannot be
   * reached, for as long as it is wanted; undefined: it is not any more.
   */
  page(partition: number, offset: number, isWanted: () => boolean): Page<V> | Gap | Promise<Page<V> | Gap | undefined> {
    if (this.#pages) return this.#pages.patiently(partition, offset, isWanted)
    const { topic, window } = this.#options
    const held = window.at(window.seqOf(partition, offset))
    if (held?.offset === offset) return { kind: 'page', partition, from: offset, next: offset + 1, events: [held] }
    const to = Math.min(held?.offset ?? Number.POSITIVE_INFINITY, window.floor(partition) ?? 0)
    return { kind: 'gap', topic: topic.name, partition, from: offset, to, reason: 'retention' }
  }

  /** Has a page ready soon, if the window does not have what is in it. */
  prefetch(partition: number, offset: number): void {
    if (offset < (this.#options.window.floor(partition) ?? 0)) this.#pages?.prefetch(partition, offset)
  }

  /** The log was truncated or replaced. */
  restart(): void {
    this.#pages?.restart()
  }

  /** What the log holds now. Asked of it at most once a second, however many want to know. @throws SourceUnavailable */
  ranges(): Promise<readonly PartitionRange[]> {
    const now = performance.now()
    if (!this.#ranges || now - this.#ranges.asked > RANGES_MS) {
      const { source, topic } = this.#options
      this.#ranges = { asked: now, answer: source?.ranges(topic.name) ?? Promise.resolve(this.#heldRanges()) }
    }
    return this.#ranges.answer
  }

  /**
   * Where the first events are whose timestamp is `timestamp` (ms) or later, by partition; where there are none, the
   * end. @throws SourceUnavailable
   */
  async positionsAt(timestamp: number): Promise<number[]> {
    const { source, topic, heads } = this.#options
    if (!source) return [...heads.next]
    const offsets = await source.offsetsAt(topic.name, timestamp)
    const positions = new Array<number>(Math.max(-1, ...offsets.keys()) + 1).fill(0)
    for (const [partition, offset] of offsets) positions[partition] = offset
    return positions
  }

  #heldRanges(): PartitionRange[] {
    const { heads, window } = this.#options
    return heads.next.map((next, partition) => ({ partition, earliest: window.floor(partition) ?? 0, next }))
  }
}
