import type { Gap, StreamEvent } from './event.ts'
import type { Feed, Interest } from './feed.ts'
import { meets } from './interest-index.ts'
import type { StreamItem, Where } from './topic.ts'
import { WindowReader } from './window-reader.ts'

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
/** Calls of `next` that may wait at once; more of them is a mistake that must not grow a queue. */
const MAX_WAITING = 100

/**
 * A feed's events from now on, as an async iterator. Where the consumer is slow it is a position in the window, so it
 * keeps nothing; one so slow that the window has moved past it gets a gap for what it may have missed.
 */
export class Subscription<V> implements AsyncIterableIterator<StreamItem<V>, undefined>, Interest<V> {
  readonly onProgress?: () => void
  readonly #feed: Feed<V>
  readonly #where: Where<V>
  readonly #filter: ((value: V) => boolean) | undefined
  readonly #signal: AbortSignal | undefined
  readonly #remove: () => void
  readonly #gaps = new Map<number, Gap>()
  readonly #waiting: ((result: Result<V>) => void)[] = []
  /** Set while the consumer is behind. */
  #reader: WindowReader<V> | undefined
  #passed = false
  #done = false

  constructor(feed: Feed<V>, { where = {}, filter, progress = false, signal }: SubscribeOptions<V>) {
    this.#feed = feed
    this.#where = where
    this.#filter = filter
    this.#signal = signal
    if (progress) this.onProgress = () => this.#pass()
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
    if (this.#waiting.length >= MAX_WAITING) return Promise.reject(new RangeError('Too many calls of next() at once'))
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  return(): Promise<Result<V>> {
    this.#end()
    return Promise.resolve(DONE)
  }

  onEvent(event: StreamEvent<V>, seq: number): void {
    if (this.#waiting.length === 0) this.#reader ??= new WindowReader(this.#feed, event, seq)
    else if (this.#passes(event)) this.#resolve(event)
  }

  onGap(gap: Gap): void {
    if (this.#waiting.length > 0) {
      this.#resolve(gap)
      return
    }
    // Gaps of one partition follow each other: one from the first to the last says the same.
    const earlier = this.#gaps.get(gap.partition)
    const reason = earlier?.reason === 'truncation' ? earlier.reason : gap.reason
    this.#gaps.set(gap.partition, earlier ? { ...gap, from: earlier.from, reason } : gap)
  }

  #pass(): void {
    this.#passed = true
    if (this.#waiting.length > 0) {
      const progress = this.#takeProgress()
      if (progress) this.#resolve(progress)
    }
  }

  #takeGap(): Gap | undefined {
    for (const [partition, gap] of this.#gaps) {
      this.#gaps.delete(partition)
      return gap
    }
    return undefined
  }

  #takeUnread(): StreamEvent<V> | Gap | undefined {
    const item = this.#reader?.next((event) => meets(this.#where, event.value) && this.#passes(event))
    if (item === undefined) this.#reader = undefined
    return item
  }

  #takeProgress(): StreamItem<V> | undefined {
    if (!this.#passed) return undefined
    this.#passed = false
    const positions = new Map(this.#feed.head.map((offset, partition) => [partition, offset]))
    return { kind: 'progress', topic: this.#feed.topic.name, positions }
  }

  #passes(event: StreamEvent<V>): boolean {
    try {
      return this.#filter === undefined || this.#filter(event.value)
    } catch {
      // A filter is the caller's; for an event it cannot judge, it has not said yes.
      return false
    }
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
    this.#reader = undefined
    for (const resolve of this.#waiting.splice(0)) resolve(DONE)
  }
}
