import { setTimeout as delay } from 'node:timers/promises'
import type { Logger } from 'pino'
import { MAX_PARTITIONS, UNKNOWN } from './cursor/vector.ts'
import type { Gap, Positions } from './event.ts'
import { Feed } from './feed/feed.ts'
import type { WindowLimits } from './feed/window.ts'
import type { Batch, FaultPlace, Reader, ReaderState, Sink, Source } from './source/port.ts'
import type { Topic } from './topic/topic.ts'

export interface StreamsOptions {
  // biome-ignore lint/suspicious/noExplicitAny: topics of different events stand side by side here
  readonly topics: readonly Topic<any, any>[]
  readonly source: Source
  readonly sink?: Sink | undefined
  /** Identity of an embedded log. */
  readonly epoch?: number | undefined
  readonly limits: WindowLimits
  /** Version in which cursors are written. */
  readonly cursorVersion?: number
  readonly log: Logger
}

/** Exponential backoff with jitter, between attempts to reach the log. */
const RETRY_FIRST_MS = 200
const RETRY_LAST_MS = 5_000
/** A decoded event takes more memory than this. It bounds the number of records that are read to fill a window. */
const SMALLEST_EVENT_BYTES = 256
/** Period of eviction by age, for topics without new events. */
const EVICT_INTERVAL_MS = 10_000

const LOST_BATCH = 'A batch could not be taken'

export type Readiness =
  | { readonly ready: true }
  /** `isFilling`: the reader is connected, and the windows are not full yet. */
  | { readonly ready: false; readonly reason: string; readonly isFilling?: true }

/** All topics of this process, fed by one live reader. */
export class Streams implements Reader {
  readonly #feeds = new Map<string, Feed<unknown>>()
  readonly #options: StreamsOptions
  readonly #stop = new AbortController()
  #state: ReaderState = { kind: 'waiting', reason: 'The reader has not been started' }
  #running: Promise<void> = Promise.resolve()
  #caughtUp = false
  /** Set when a topic has more partitions than a cursor can name: the reason, for `/readyz`. */
  #outgrown: string | undefined

  constructor(options: StreamsOptions) {
    this.#options = options
    for (const topic of options.topics)
      this.#feeds.set(topic.name, new Feed(topic as Topic, { ...options, signal: this.#stop.signal }))
  }

  get feeds(): Iterable<Feed<unknown>> {
    return this.#feeds.values()
  }

  /** The feed of a topic that this process serves. */
  feed<V>(topic: Topic<V>): Feed<V> {
    const feed = this.#feeds.get(topic.name)
    if (!feed) throw new Error(`The topic "${topic.name}" is not among those that this gateway serves`)
    return feed as unknown as Feed<V>
  }

  /** Starts reading, and retries indefinitely. `readiness` reports the progress. */
  start(): void {
    const evictor = setInterval(() => {
      for (const feed of this.#feeds.values()) void feed.evict()
    }, EVICT_INTERVAL_MS)
    this.#running = this.#run(this.#stop.signal).finally(() => clearInterval(evictor))
  }

  /**
   * Ready once every record has been read that was in the log at the start: the windows are full then. While the log is
   * lost later, open streams wait for it, and new streams are directed to other instances.
   */
  readiness(): Readiness {
    if (this.#state.kind === 'waiting') return { ready: false, reason: this.#state.reason }
    if (this.#outgrown !== undefined) return { ready: false, reason: this.#outgrown }
    if (this.#caughtUp) return { ready: true }
    for (const feed of this.#feeds.values()) {
      if (!feed.isFilled) {
        const reason = `Filling the window of "${feed.topic.name}": ${feed.behind} offsets to go`
        return { ready: false, reason, isFilling: true }
      }
    }
    this.#caughtUp = true
    return { ready: true }
  }

  async close(): Promise<void> {
    this.#stop.abort()
    await this.#running
  }

  onBatch(batch: Batch): Promise<void> | undefined {
    const feed = this.#isServed(batch) ? this.#feeds.get(batch.topic) : undefined
    try {
      return feed?.onBatch(batch)?.catch((error) => feed.faults.report(error, LOST_BATCH, batch))
    } catch (error) {
      feed?.faults.report(error, LOST_BATCH, batch)
      return undefined
    }
  }

  onGap(gap: Gap): void {
    const feed = this.#isServed(gap) ? this.#feeds.get(gap.topic) : undefined
    try {
      feed?.onGap(gap)
    } catch (error) {
      feed?.faults.report(error, 'A gap could not be taken', gap)
    }
  }

  onFault(error: unknown, place?: FaultPlace): void {
    const feeds = place === undefined ? this.#feeds.values() : [this.#feeds.get(place.topic)]
    for (const feed of feeds) feed?.faults.report(error, 'The reader made a mistake, and goes on', place)
  }

  onState(state: ReaderState): void {
    if (state.kind === 'reading' && this.#state.kind === 'waiting') this.#options.log.info('Reading')
    this.#state = state
  }

  /**
   * Open streams continue on the partitions that they were opened with. New streams are refused: their cursors could
   * not name the new partition, so that its events could be lost silently.
   */
  #isServed({ topic, partition }: { readonly topic: string; readonly partition: number }): boolean {
    if (partition < MAX_PARTITIONS) return true
    if (this.#outgrown === undefined) {
      this.#outgrown = `The topic "${topic}" has grown beyond ${MAX_PARTITIONS} partitions`
      this.#options.log.error({ topic, partition }, this.#outgrown)
    }
    return false
  }

  /**
   * A reader that fails, against the port's contract, is replaced by one that resumes at the positions of the feeds.
   */
  async #run(signal: AbortSignal): Promise<void> {
    let from = await this.#startPositions(signal)
    for (let wait = RETRY_FIRST_MS; from && !signal.aborted; wait = Math.min(wait * 2, RETRY_LAST_MS)) {
      try {
        await this.#options.source.read(from, this, signal)
        if (signal.aborted) return
        throw new Error('It ended by itself')
      } catch (error) {
        this.onFault(error)
        this.#state = { kind: 'waiting', reason: `The reader failed: ${messageOf(error)}` }
      }
      await delay(wait * (0.5 + Math.random()), undefined, { signal }).catch(() => {})
      from = new Map([...this.#feeds.values()].map((feed) => [feed.topic.name, headOf(feed)]))
    }
  }

  async #startPositions(signal: AbortSignal): Promise<Map<string, Positions> | undefined> {
    for (let wait = RETRY_FIRST_MS; !signal.aborted; wait = Math.min(wait * 2, RETRY_LAST_MS)) {
      try {
        const from = new Map<string, Positions>()
        for (const feed of this.#feeds.values()) from.set(feed.topic.name, await this.#begin(feed))
        return from
      } catch (error) {
        const reason = messageOf(error)
        if (this.#state.kind !== 'waiting' || this.#state.reason !== reason)
          this.#options.log.warn({ reason }, 'Not reading yet')
        this.#state = { kind: 'waiting', reason }
      }
      // The wait was aborted: the loop's condition handles it.
      await delay(wait * (0.5 + Math.random()), undefined, { signal }).catch(() => {})
    }
    return undefined
  }

  /** Start offsets: far enough back to fill the window, and no further. */
  async #begin(feed: Feed<unknown>): Promise<Positions> {
    const { source, limits } = this.#options
    const ranges = await source.ranges(feed.topic.name)
    if (ranges.length > MAX_PARTITIONS) {
      throw new Error(`The topic "${feed.topic.name}" has ${ranges.length} partitions, more than ${MAX_PARTITIONS}`)
    }
    const young = await source.offsetsAt(feed.topic.name, Date.now() - limits.maxAgeMs)
    const enough = Math.ceil(limits.maxBytes / SMALLEST_EVENT_BYTES)
    const from = new Map<number, number>()
    for (const { partition, earliest, next } of ranges) {
      from.set(partition, Math.max(earliest, next - enough, Math.min(young.get(partition) ?? earliest, next)))
    }
    feed.begin(ranges, from)
    return from
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

function headOf({ head }: Feed<unknown>): Positions {
  return new Map([...head.entries()].filter(([, offset]) => offset !== UNKNOWN))
}
