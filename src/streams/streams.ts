import type { Logger } from 'pino'
import { Feed } from './feed/feed.ts'
import type { WindowLimits } from './feed/window.ts'
import type { Sink, Source } from './source/port.ts'
import { Table } from './table/table.ts'
import type { Topic } from './topic/topic.ts'
import { TopicReading, type TopicState } from './topic-reading.ts'

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
  /** Size limit of a record's value. */
  readonly maxEventBytes?: number
  readonly log: Logger
}

/** Period of eviction by age, for topics without new events. */
const EVICT_INTERVAL_MS = 10_000
/** How often the log is asked for the ends of all topics, together. */
const ENDS_INTERVAL_MS = 5_000

export type Readiness =
  /** `notes`: what is wrong with optional topics, and what slows down others. */
  | { readonly ready: true; readonly notes?: readonly string[] }
  /** `isFilling`: all that is missing is that windows are filled. */
  | { readonly ready: false; readonly reason: string; readonly isFilling?: boolean }

/** All topics of this process, each with its own reader. */
export class Streams {
  readonly #readings = new Map<string, TopicReading>()
  readonly #stop = new AbortController()
  #running: Promise<unknown> = Promise.resolve()

  constructor(options: StreamsOptions) {
    const { source, limits, log, maxEventBytes } = options
    const { signal } = this.#stop
    for (const topic of options.topics) {
      const feed = new Feed(topic as Topic, { ...options, signal })
      const table = topic.table && new Table({ feed, limits: topic.table, source, maxEventBytes, log, signal })
      this.#readings.set(topic.name, new TopicReading({ feed, table, source, limits, log }))
    }
  }

  get feeds(): Iterable<Feed<unknown>> {
    return [...this.#readings.values()].map(({ feed }) => feed)
  }

  /** By topic, whether it can be read. */
  get states(): ReadonlyMap<string, TopicState> {
    return new Map([...this.#readings].map(([name, { state }]) => [name, state]))
  }

  /** The feed of a topic that this process serves. */
  feed<V, I>(topic: Topic<V, I>): Feed<V, I> {
    return this.#readingOf(topic).feed as unknown as Feed<V, I>
  }

  /** The table of a topic that this process serves. @throws TypeError for a topic that is none. */
  table<V, I>(topic: Topic<V, I>): Table<V> {
    const { table } = this.#readingOf(topic)
    if (!table) throw new TypeError(`The topic "${topic.name}" is not defined as a table`)
    return table as unknown as Table<V>
  }

  get tables(): Iterable<Table> {
    return [...this.#readings.values()].flatMap(({ table }) => table ?? [])
  }

  /** Starts reading, and retries indefinitely. `readiness` reports the progress. */
  start(): void {
    const evictor = setInterval(() => {
      for (const { feed, table } of this.#readings.values()) {
        void feed.evict()
        table?.evict()
      }
    }, EVICT_INTERVAL_MS)
    const asking = setInterval(() => {
      for (const reading of this.#readings.values()) void reading.askEnds()
    }, ENDS_INTERVAL_MS)
    const running = [...this.#readings.values()].map((reading) => reading.run(this.#stop.signal))
    this.#running = Promise.all(running).finally(() => {
      clearInterval(evictor)
      clearInterval(asking)
    })
  }

  /**
   * Whether new streams can be served: every required topic is read, and its window is full. While one waits, open
   * streams wait with it, and new streams are directed to other instances.
   */
  readiness(): Readiness {
    const notes: string[] = []
    const missing: string[] = []
    let isFilling = true
    for (const { feed, state } of this.#readings.values()) {
      const { name, isRequired } = feed.topic
      if (state.kind === 'ready') {
        if (state.note !== undefined) notes.push(`Topic "${name}": ${state.note}`)
        continue
      }
      const sentence = `Topic "${name}": ${state.reason}`
      if (isRequired) missing.push(sentence)
      else notes.push(`${sentence} (optional)`)
      if (isRequired && state.kind === 'waiting') isFilling = false
    }
    if (missing.length > 0) return { ready: false, reason: missing.join('; '), isFilling }
    return notes.length > 0 ? { ready: true, notes } : { ready: true }
  }

  /** Whether new streams of one topic can be served. */
  readinessOf<V>(topic: Topic<V>): Readiness {
    const { state } = this.#readingOf(topic)
    if (state.kind === 'ready') return { ready: true }
    return { ready: false, reason: `Topic "${topic.name}": ${state.reason}`, isFilling: state.kind === 'filling' }
  }

  async close(): Promise<void> {
    this.#stop.abort()
    await this.#running
  }

  #readingOf<V>(topic: Topic<V>): TopicReading {
    const reading = this.#readings.get(topic.name)
    if (!reading) throw new Error(`The topic "${topic.name}" is not among those that this gateway serves`)
    return reading
  }
}
