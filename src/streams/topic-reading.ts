import { setTimeout as delay } from 'node:timers/promises'
import type { Logger } from 'pino'
import { MAX_PARTITIONS, UNKNOWN } from './cursor/vector.ts'
import type { Gap, Positions } from './event.ts'
import type { Feed } from './feed/feed.ts'
import type { WindowLimits } from './feed/window.ts'
import type { Batch, FaultPlace, Reader, ReaderState, Source } from './source/port.ts'
import type { Table } from './table/table.ts'

/**
 * Exponential backoff with jitter, between attempts to reach the log. An attempt itself takes seconds where a broker is
 * silent: a longer wait would only delay an instance that starts while leaders are elected.
 */
const RETRY_FIRST_MS = 200
const RETRY_LAST_MS = 1_500
const LOST_BATCH = 'A batch could not be taken'

export interface TopicReadingOptions {
  readonly feed: Feed<unknown>
  /** Of a topic that is one. */
  readonly table?: Table | undefined
  readonly source: Source
  readonly limits: WindowLimits
  readonly log: Logger
}

export type TopicState =
  | { readonly kind: 'ready'; readonly note?: string }
  /** The reader reads, and the window is not full yet. */
  | { readonly kind: 'filling'; readonly reason: string }
  | { readonly kind: 'waiting'; readonly reason: string }

/** The reading of one topic, from its start on: its window is filled, then its reader follows the log. */
export class TopicReading implements Reader {
  readonly feed: Feed<unknown>
  readonly table: Table | undefined
  readonly #options: TopicReadingOptions
  #state: ReaderState = { kind: 'waiting', reason: 'The reader has not been started' }
  /** Set when the topic has more partitions than a cursor can name. */
  #outgrown: string | undefined
  #isFilling = false
  /** The window has been filled once. */
  #hasBegun = false

  constructor(options: TopicReadingOptions) {
    this.#options = options
    this.feed = options.feed
    this.table = options.table
  }

  get state(): TopicState {
    const held = this.feed.preparation?.note
    if (this.#isFilling) {
      if (held !== undefined) return { kind: 'waiting', reason: held }
      const what = this.table?.state.kind === 'loading' ? 'table is being loaded' : 'window is being filled'
      return { kind: 'filling', reason: `Its ${what}` }
    }
    if (this.#state.kind === 'waiting') return this.#state
    if (this.#outgrown !== undefined) return { kind: 'waiting', reason: this.#outgrown }
    if (!this.feed.isFilled) {
      if (held !== undefined) return { kind: 'waiting', reason: held }
      return { kind: 'filling', reason: `${this.feed.behind} offsets to go` }
    }
    const table = this.table?.state
    if (table?.kind === 'loading') return { kind: 'filling', reason: 'Its table is being loaded' }
    // The other partitions are delivered, and the topic of an instance that is not ready would be every topic's.
    const notes = [this.#state.note, held, table?.kind === 'refused' ? table.reason : undefined].filter(Boolean)
    return { kind: 'ready', ...(notes.length > 0 && { note: notes.join('; ') }) }
  }

  /** Reads until the signal, and retries indefinitely. */
  async run(signal: AbortSignal): Promise<void> {
    let from = await this.#begin(signal)
    this.#hasBegun = true
    // A reader that fails, against the port's contract, is replaced by one that resumes at the feed's positions.
    for (let wait = RETRY_FIRST_MS; from && !signal.aborted; wait = Math.min(wait * 2, RETRY_LAST_MS)) {
      try {
        await this.#options.source.read(this.feed.topic.name, from, this, signal)
        if (signal.aborted) return
        throw new Error('It ended by itself')
      } catch (error) {
        this.onFault(error, { topic: this.feed.topic.name })
        this.onState({ kind: 'waiting', reason: `The reader failed: ${messageOf(error)}` })
      }
      await pause(wait, signal)
      from = headOf(this.feed)
    }
  }

  onBatch(batch: Batch): Promise<void> | undefined {
    if (!this.#isServed(batch)) return undefined
    const { faults } = this.feed
    try {
      return this.feed.onBatch(batch)?.catch((error) => faults.report(error, LOST_BATCH, batch))
    } catch (error) {
      faults.report(error, LOST_BATCH, batch)
      return undefined
    }
  }

  onGap(gap: Gap): void {
    if (!this.#isServed(gap)) return
    try {
      this.feed.onGap(gap)
    } catch (error) {
      this.feed.faults.report(error, 'A gap could not be taken', gap)
    }
  }

  onFault(error: unknown, place: FaultPlace): void {
    this.feed.faults.report(error, 'The reader made a mistake, and goes on', place)
  }

  onState(state: ReaderState): void {
    const before = this.#state
    this.#state = state
    const topic = this.feed.topic.name
    if (state.kind === 'reading') {
      if (before.kind === 'waiting') this.#options.log.info({ topic }, 'Reading')
      if (state.note !== undefined) this.#options.log.warn({ topic, reason: state.note }, 'Reading is slowed down')
    } else if (before.kind === 'reading' || before.reason !== state.reason) {
      this.#options.log.warn({ topic, reason: state.reason }, 'Not reading')
    }
  }

  /** Fills the window. Returns the positions to read from; undefined after the signal. */
  async #begin(signal: AbortSignal): Promise<Positions | undefined> {
    const { source, limits } = this.#options
    const { feed } = this
    const { name } = feed.topic
    for (let wait = RETRY_FIRST_MS; !signal.aborted; wait = Math.min(wait * 2, RETRY_LAST_MS)) {
      try {
        const [ranges, young] = await Promise.all([
          source.ranges(name),
          source.offsetsAt(name, Date.now() - limits.maxAgeMs),
        ])
        if (ranges.length > MAX_PARTITIONS) {
          throw new Error(`The topic "${name}" has ${ranges.length} partitions, more than ${MAX_PARTITIONS}`)
        }
        this.#isFilling = true
        await this.table?.load(ranges)
        await feed.fill(ranges, young, source)
        feed.aimAt(await source.ends(name))
        return headOf(feed)
      } catch (error) {
        if (signal.aborted) break
        this.onState({ kind: 'waiting', reason: messageOf(error) })
      } finally {
        this.#isFilling = false
      }
      await pause(wait, signal)
    }
    return undefined
  }

  /**
   * Asks the log for its ends: for the lag, which the reader cannot be trusted with. Without an answer the lag is the
   * last known: `/readyz` tells what is wrong.
   */
  async askEnds(): Promise<void> {
    if (!this.#hasBegun) return
    const ends = await this.#options.source.ends(this.feed.topic.name).catch(() => undefined)
    if (ends) this.feed.sawEnds(ends)
  }

  /**
   * Open streams continue on the partitions that they were opened with. New streams are refused: their cursors could
   * not name the new partition, so that its events could be lost silently.
   */
  #isServed({ topic, partition }: { readonly topic: string; readonly partition: number }): boolean {
    if (partition < MAX_PARTITIONS) return true
    if (this.#outgrown === undefined) {
      this.#outgrown = `The topic has grown beyond ${MAX_PARTITIONS} partitions`
      this.#options.log.error({ topic, partition }, this.#outgrown)
    }
    return false
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

function headOf({ head }: Feed<unknown>): Positions {
  return new Map([...head.entries()].filter(([, offset]) => offset !== UNKNOWN))
}

/** With jitter. An abort ends it: the caller looks at the signal. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms * (0.5 + Math.random()), undefined, { signal }).catch(() => {})
}
