import type { Positions } from '../../event.ts'
import type { Reader, Source } from '../port.ts'
import { backoff, pause } from './backoff.ts'
import type { Cluster, Use } from './cluster.ts'
import { explain } from './failures.ts'
import { FetchLoop } from './fetch-loop.ts'
import type { LivePartition } from './live-partition.ts'
import { LiveTopic } from './live-topic.ts'
import { NearestReplicas } from './nearest-replicas.ts'
import type { Offsets } from './offsets.ts'
import { PositionChecks } from './position-checks.ts'

/** Refresh period of metadata: how late a new partition is found. None of its records is missed: it is read from 0. */
const METADATA_MAX_AGE_MS = 5_000
/** Shortest time between two refreshes. */
const METADATA_MIN_AGE_MS = 100
/** How often the topics' states are looked at. */
const LOOK_MS = 1_000
/** A look this late: the process was busy, or stopped, and its fetches with it. */
const LATE_LOOK_MS = 2_000

export interface LiveReaderOptions {
  readonly cluster: Cluster
  readonly offsets: Offsets
  readonly fetch: Source['fetch']
  readonly use: Use
  readonly rack: string
  readonly closed: AbortSignal
  readonly warn: (message: string, extra: object) => void
  readonly throttled: (ms: number) => void
}

/**
 * Reads every partition of its topics, without a consumer group: one fetch loop for each broker, and one loop that looks
 * up the leaders. Each topic is read by itself: what is wrong with one holds up no other.
 */
export class LiveReader {
  readonly #options: LiveReaderOptions
  readonly #topics = new Map<string, LiveTopic>()
  readonly #loops = new Map<number, { readonly loop: FetchLoop; readonly running: Promise<void> }>()
  readonly #nearest = new NearestReplicas()
  readonly #checks: PositionChecks
  #running: Promise<void> = Promise.resolve()
  #isRunning = false
  #wake: (() => void) | undefined
  #isAsked = false
  #lookedAt = 0

  constructor(options: LiveReaderOptions) {
    this.#options = options
    const { cluster, offsets, fetch, closed, warn } = options
    this.#checks = new PositionChecks({
      cluster,
      offsets,
      fetch,
      closed,
      warn,
      changed: this.#changed,
      lookUpSoon: this.#lookUpSoon,
    })
  }

  has(topic: string): boolean {
    return this.#topics.has(topic)
  }

  /** See `Source.read`. A topic is read once at a time. */
  async read(name: string, from: Positions, reader: Reader, signal: AbortSignal): Promise<void> {
    const over = AbortSignal.any([signal, this.#options.closed])
    const topic = new LiveTopic({
      name,
      from,
      reader,
      signal: over,
      recreated: (partition) => this.#checks.recreated(partition),
      compare: (partition) => this.#checks.compare(partition),
    })
    const ended = Promise.withResolvers<void>()
    over.addEventListener('abort', () => ended.resolve())
    if (over.aborted) return
    this.#topics.set(name, topic)
    topic.tell(Date.now())
    if (this.#isRunning) this.#lookUpSoon()
    else {
      this.#isRunning = true
      const before = this.#running
      this.#running = before.then(() => this.#run())
    }
    await ended.promise
    this.#topics.delete(name)
    if (this.#topics.size === 0) this.#wake?.()
    await topic.settled()
  }

  /** Resolves when nothing is read any more. */
  async ended(): Promise<void> {
    await this.#running
  }

  async #run(): Promise<void> {
    const timer = setInterval(this.#look, LOOK_MS)
    this.#lookedAt = Date.now()
    try {
      for (let failures = 0; this.#topics.size > 0; ) {
        this.#isAsked = false
        failures = (await this.#lookUp()) ? 0 : failures + 1
        await pause(METADATA_MIN_AGE_MS, this.#options.closed)
        const left = (failures > 0 ? backoff(failures - 1) : METADATA_MAX_AGE_MS) - METADATA_MIN_AGE_MS
        if (!this.#isAsked && left > 0) await this.#pause(left)
      }
    } finally {
      clearInterval(timer)
      this.#isRunning = false
      await this.#stopLoops()
    }
  }

  /** False: there is something left to be found out soon. */
  async #lookUp(): Promise<boolean> {
    const { cluster, closed, warn } = this.#options
    let isSettled = true
    try {
      await cluster.lookUp([...this.#topics.keys()])
      const now = Date.now()
      for (const topic of this.#topics.values()) {
        if (topic.update(cluster.topic(topic.name), now)) isSettled = false
      }
    } catch (error) {
      if (closed.aborted) return true
      isSettled = false
      const reason = explain(error as Error)
      for (const topic of this.#topics.values()) topic.failedSince(reason)
      warn('The leaders of the topics could not be looked up; trying again', { reason })
    }
    const unchecked = this.#all().filter(({ needsEpochCheck }) => needsEpochCheck)
    if (unchecked.length > 0) void this.#checks.epochs(unchecked)
    this.#changed()
    this.#look()
    return isSettled
  }

  readonly #lookUpSoon = (): void => {
    this.#isAsked = true
    this.#wake?.()
  }

  /** Each broker that partitions are read from has a loop. */
  readonly #changed = (): void => {
    for (const partition of this.#all()) {
      const nodeId = this.#nodeOf(partition)
      if (nodeId >= 0 && this.#isRunning && !this.#loops.has(nodeId)) this.#startLoop(nodeId)
    }
    for (const { loop } of this.#loops.values()) loop.wake()
  }

  readonly #look = (): void => {
    const now = Date.now()
    const isLate = now - this.#lookedAt > LATE_LOOK_MS
    this.#lookedAt = now
    for (const topic of this.#topics.values()) {
      if (isLate) topic.excuse(now)
      topic.tell(now)
    }
    for (const { loop } of this.#loops.values()) if (loop.isSlow(now)) this.#lookUpSoon()
  }

  #startLoop(nodeId: number): void {
    const { cluster, use, rack, throttled } = this.#options
    const loop = new FetchLoop({
      nodeId,
      use,
      cluster,
      nearest: this.#nearest,
      checks: this.#checks,
      rack,
      partitions: () => this.#all().filter((partition) => this.#nodeOf(partition) === nodeId),
      lookUpSoon: this.#lookUpSoon,
      changed: this.#changed,
      throttled,
    })
    this.#loops.set(nodeId, { loop, running: loop.run() })
  }

  async #stopLoops(): Promise<void> {
    const stopping = [...this.#loops.values()]
    this.#loops.clear()
    for (const { loop } of stopping) loop.stop()
    await Promise.all(stopping.map(({ running }) => running))
  }

  #all(): LivePartition[] {
    const all: LivePartition[] = []
    for (const topic of this.#topics.values()) {
      if (!topic.isRefused) for (const partition of topic.partitions.values()) all.push(partition)
    }
    return all
  }

  #nodeOf({ topic, partition, leader }: LivePartition): number {
    return leader < 0 ? leader : (this.#nearest.of(topic.name, partition) ?? leader)
  }

  async #pause(ms: number): Promise<void> {
    if (this.#topics.size === 0) return
    const asleep = new AbortController()
    this.#wake = () => asleep.abort()
    await pause(ms, asleep.signal)
    this.#wake = undefined
  }
}
