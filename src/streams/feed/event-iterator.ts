import type { EventRecord, Gap, StreamEvent, StreamItem } from '../event.ts'
import type { Selection } from '../topic/where.ts'
import { Conditions } from './conditions.ts'
import type { FollowedFeed } from './feed-view.ts'
import type { Interest } from './interests.ts'
import { LogReader } from './log-reader.ts'
import { BEYOND_END_MS, Position } from './position.ts'

export interface SubscribeOptions<V, I = V> {
  /** Conditions on indexed and ordered values, or several alternatives: an index lookup. */
  readonly where?: Selection<I>
  /** Predicate on the results of the lookup. One that throws does not match. */
  readonly filter?: (value: V, record: EventRecord) => boolean
  /** Start position (see `Feed.startAfter` and the others); now, if absent. */
  readonly from?: Position<V>
  /** Also yield `Progress` when records were passed that do not match. */
  readonly progress?: boolean
  readonly signal?: AbortSignal
}

type Result<V> = IteratorResult<StreamItem<V>, undefined>
interface Waiting<V> {
  readonly resolve: (result: Result<V>) => void
  readonly reject: (error: unknown) => void
}
const DONE = { done: true, value: undefined } as const
/** Limit of concurrent calls of `next`. More are a programming error, which must not grow a queue. */
const MAX_WAITING = 100

/**
 * A feed's events from a position on, as an async iterator. For a slow consumer, or an earlier start, it is a position
 * in the log and buffers no events. Events that are lost meanwhile are reported as a gap.
 */
export class EventIterator<V> implements AsyncIterableIterator<StreamItem<V>, undefined>, Interest<V> {
  readonly onProgress?: () => void
  readonly #feed: FollowedFeed<V>
  readonly #where: Conditions<V>
  readonly #filter: SubscribeOptions<V>['filter']
  readonly #signal: AbortSignal | undefined
  readonly #tellsProgress: boolean
  readonly #remove: () => void
  readonly #gaps = new Map<number, Gap>()
  readonly #waiting: Waiting<V>[] = []
  /** Set while it reads the past instead of following the feed. */
  #reader: LogReader<V> | undefined
  #isReading = false
  #endCheck: NodeJS.Timeout | undefined
  #passed = false
  #done = false
  /** The error that ended it, until a consumer has received it. */
  #failure: { readonly error: unknown } | undefined

  constructor(feed: FollowedFeed<V>, { where = {}, filter, from, progress = false, signal }: SubscribeOptions<V>) {
    this.#feed = feed
    this.#where = new Conditions(feed.topic, where)
    this.#filter = filter
    this.#signal = signal
    this.#tellsProgress = progress
    this.#reader = from && new LogReader(feed, from, this.#where)
    if (progress || from) this.onProgress = () => this.#pass()
    this.#remove = feed.add(this.#where, this)
    if (signal?.aborted) this.#end()
    else signal?.addEventListener('abort', this.#end)
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  next(): Promise<Result<V>> {
    if (this.#failure) {
      const { error } = this.#failure
      this.#failure = undefined
      return Promise.reject(error)
    }
    if (this.#done) return Promise.resolve(DONE)
    if (this.#waiting.length >= MAX_WAITING) return Promise.reject(new RangeError('Too many calls of next() at once'))
    const { promise, resolve, reject } = Promise.withResolvers<Result<V>>()
    this.#waiting.push({ resolve, reject })
    this.#contain(() => this.#pump())
    return promise
  }

  return(): Promise<Result<V>> {
    this.#end()
    this.#failure = undefined
    return Promise.resolve(DONE)
  }

  onEvent(event: StreamEvent<V>, seq: number): void {
    if (this.#reader) this.#pump()
    else if (this.#waiting.length === 0)
      this.#reader = new LogReader(this.#feed, Position.before(this.#feed, event, seq), this.#where)
    else if (this.#passes(event)) this.#resolve(event)
  }

  onGap(gap: Gap): void {
    // The reader finds the gap at its position.
    if (this.#reader) this.#pump()
    else if (this.#waiting.length > 0) this.#resolve(gap)
    else this.#keep(gap)
  }

  /** Ends the iterator: waiting calls are rejected, or else the next call is. */
  failed(error: unknown): void {
    if (this.#done) return
    this.#feed.reportFailed(error)
    const waiting = this.#waiting.splice(0)
    if (waiting.length === 0) this.#failure = { error }
    for (const { reject } of waiting) reject(error)
    this.#end()
  }

  #contain(act: () => void): void {
    try {
      act()
    } catch (error) {
      this.failed(error)
    }
  }

  #keep(gap: Gap): void {
    // Consecutive gaps of one partition are merged into one.
    const earlier = this.#gaps.get(gap.partition)
    const reason = earlier?.reason === 'truncation' ? earlier.reason : gap.reason
    this.#gaps.set(gap.partition, earlier ? { ...gap, from: earlier.from, reason } : gap)
  }

  #pass(): void {
    this.#passed = this.#tellsProgress
    this.#pump()
  }

  /** Settles waiting calls with the available items. */
  #pump(): void {
    while (this.#waiting.length > 0 && !this.#isReading && !this.#done) {
      const item = this.#takeGap() ?? this.#takeUnread() ?? this.#takeProgress()
      if (item === undefined) return
      if (!(item instanceof Promise)) {
        this.#resolve(item)
        continue
      }
      this.#isReading = true
      item
        .then(() => {
          this.#isReading = false
          this.#pump()
        })
        .catch((error: unknown) => this.failed(error))
    }
  }

  #takeGap(): Gap | undefined {
    for (const [partition, gap] of this.#gaps) {
      this.#gaps.delete(partition)
      return gap
    }
    return undefined
  }

  #takeUnread(): StreamEvent<V> | Gap | Promise<void> | undefined {
    const reader = this.#reader
    const item = reader?.next((event) => this.#passes(event))
    if (item !== undefined || !reader) return item
    if (reader.isCovered) this.#reader = undefined
    else this.#endCheck ??= setTimeout(() => this.#checkEnds(reader), BEYOND_END_MS).unref()
    return undefined
  }

  /** The position is beyond this instance's: the instance lags, or the log was truncated. */
  #checkEnds(reader: LogReader<V>): void {
    const again = (): void => {
      this.#endCheck = undefined
      this.#contain(() => this.#pump())
    }
    // While the log is unreachable, the check is retried.
    if (this.#done || reader !== this.#reader) this.#endCheck = undefined
    else void reader.checkEnds().then(again, again)
  }

  #takeProgress(): StreamItem<V> | undefined {
    if (!this.#passed || this.#reader) return undefined
    this.#passed = false
    const positions = new Map(this.#feed.head.map((offset, partition) => [partition, offset]))
    return { kind: 'progress', topic: this.#feed.topic.name, positions }
  }

  #passes(event: StreamEvent<V>): boolean {
    try {
      return this.#filter === undefined || this.#filter(event.value, event)
    } catch {
      // A filter that throws does not match.
      return false
    }
  }

  #resolve(item: StreamItem<V>): void {
    this.#waiting.shift()?.resolve({ done: false, value: item })
  }

  readonly #end = (): void => {
    if (this.#done) return
    this.#done = true
    this.#signal?.removeEventListener('abort', this.#end)
    this.#remove()
    this.#gaps.clear()
    clearTimeout(this.#endCheck)
    this.#reader?.close()
    this.#reader = undefined
    for (const { resolve } of this.#waiting.splice(0)) resolve(DONE)
  }
}
