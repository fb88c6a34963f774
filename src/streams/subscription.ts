import type { Gap, Progress, StreamEvent } from './event.ts'
import type { Feed, Interest } from './feed.ts'
import { meets } from './interest-index.ts'
import type { StreamItem, Where } from './topic.ts'

export interface SubscribeOptions<V> {
  /** Equality on indexed properties, looked up. */
  readonly where?: Where<V>
  /** The rest of the filter, run on what the lookup found. One that throws does not match. */
  readonly filter?: (value: V) => boolean
  /** Also yield `Progress` when something was passed that does not match. */
  readonly progress?: boolean
  readonly signal?: AbortSignal
}

type Result<V> = IteratorResult<StreamItem<V>, undefined>
const DONE = { done: true, value: undefined } as const

/**
 * An async iterator over a feed that is a position in its window, and so keeps nothing however slow its consumer is.
 * A consumer so slow that the window has moved past it gets a gap for what it may have missed.
 */
export class Subscription<V> implements AsyncIterableIterator<StreamItem<V>, undefined>, Interest<V> {
  readonly #feed: Feed<V>
  readonly #where: Where<V>
  readonly #filter: ((value: V) => boolean) | undefined
  readonly onProgress?: () => void
  readonly #signal: AbortSignal | undefined
  readonly #remove: () => void
  readonly #gaps = new Map<number, Gap>()
  /** Next offset of each partition that this consumer has not been given or spared. */
  #seen: number[]
  /** The oldest event in the window that may be unread; undefined: nothing is. */
  #unread: number | undefined
  #waiting: ((result: Result<V>) => void)[] = []
  #passed = false
  #done = false

  constructor(feed: Feed<V>, { where = {}, filter, progress = false, signal }: SubscribeOptions<V>) {
    this.#feed = feed
    this.#where = where
    this.#filter = filter
    this.#signal = signal
    if (progress) this.onProgress = () => this.#pass()
    this.#seen = [...feed.head]
    this.#remove = feed.add(where, this)
    if (signal?.aborted) this.#end()
    else signal?.addEventListener('abort', this.#end)
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  next(): Promise<Result<V>> {
    if (this.#done) return Promise.resolve(DONE)
    const item = this.#takeGap() ?? this.#takeUnread() ?? this.#takeProgress()
    if (item) return Promise.resolve({ done: false, value: item })
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  return(): Promise<Result<V>> {
    this.#end()
    return Promise.resolve(DONE)
  }

  onEvent(event: StreamEvent<V>, seq: number): void {
    if (this.#waiting.length === 0) this.#unread ??= seq
    else if (this.#matches(event)) this.#give(event)
  }

  onGap(gap: Gap): void {
    if (this.#waiting.length > 0) {
      this.#seen[gap.partition] = gap.to
      this.#resolve(gap)
    } else {
      // Gaps of one partition follow each other: one gap from the first to the last says the same.
      const earlier = this.#gaps.get(gap.partition)
      this.#gaps.set(gap.partition, earlier ? { ...gap, from: earlier.from } : gap)
    }
  }

  #pass(): void {
    this.#passed = true
    if (this.#waiting.length > 0) {
      const progress = this.#takeProgress()
      if (progress) this.#resolve(progress)
    }
  }

  #takeUnread(): StreamEvent<V> | Gap | undefined {
    if (this.#unread === undefined) return undefined
    const { window } = this.#feed
    if (this.#unread < window.firstSeq) {
      const gap = this.#fallenOff()
      if (gap) return gap
    }
    for (let seq = Math.max(this.#unread, window.firstSeq); seq < window.nextSeq; seq++) {
      const event = window.at(seq) as StreamEvent<V>
      if (event.offset < (this.#seen[event.partition] ?? 0) || !meets(this.#where, event.value) || !this.#matches(event)) {
        continue
      }
      this.#unread = seq + 1 < window.nextSeq ? seq + 1 : undefined
      this.#seen[event.partition] = event.offset + 1
      return event
    }
    this.#unread = undefined
    this.#seen = [...this.#feed.head]
    return undefined
  }

  /** What the window has let go of since: one partition a call, until there is none left. */
  #fallenOff(): Gap | undefined {
    for (let partition = 0; partition < this.#feed.head.length; partition++) {
      const from = this.#seen[partition] ?? 0
      const to = this.#feed.window.floor(partition) ?? 0
      if (from >= to) continue
      this.#seen[partition] = to
      return { kind: 'gap', topic: this.#feed.topic.name, partition, from, to, reason: 'retention' }
    }
    return undefined
  }

  #takeGap(): Gap | undefined {
    for (const [partition, gap] of this.#gaps) {
      this.#gaps.delete(partition)
      this.#seen[partition] = gap.to
      return gap
    }
    return undefined
  }

  #takeProgress(): Progress | undefined {
    if (!this.#passed || this.#unread !== undefined) return undefined
    this.#passed = false
    const positions = new Map(this.#feed.head.map((offset, partition) => [partition, offset]))
    return { kind: 'progress', topic: this.#feed.topic.name, positions }
  }

  #matches(event: StreamEvent<V>): boolean {
    try {
      return this.#filter === undefined || this.#filter(event.value)
    } catch {
      // A filter is the caller's; for an event it cannot judge, it has not said yes.
      return false
    }
  }

  #give(event: StreamEvent<V>): void {
    this.#seen[event.partition] = event.offset + 1
    this.#resolve(event)
  }

  #resolve(item: StreamItem<V>): void {
    this.#waiting.shift()?.({ done: false, value: item })
  }

  readonly #end = (): void => {
    if (this.#done) return
    this.#done = true
    this.#signal?.removeEventListener('abort', this.#end)
    this.#remove()
    this.#gaps.clear()
    for (const resolve of this.#waiting.splice(0)) resolve(DONE)
  }
}
