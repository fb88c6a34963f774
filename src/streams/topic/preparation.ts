import { setTimeout as delay } from 'node:timers/promises'
import type { Logger } from 'pino'
import { RateLimit } from '../../errors/rate-limit.ts'
import type { RawRecord } from '../event.ts'
import { CodecUnavailable } from './codec.ts'
import { MAX_EVENT_BYTES } from './decode.ts'
import type { Topic } from './topic.ts'

/** Exponential backoff with jitter, between attempts to have what decoding needs. */
const RETRY_FIRST_MS = 200
const RETRY_LAST_MS = 10_000
/** An attempt that takes longer is told as a wait. */
const SLOW_MS = 1_000
/** Rate limit of warnings, for each place that waits. */
const LOG_INTERVAL_MS = 30_000
/** What a replay waits for is forgotten so long after its last attempt: nothing says when it is no longer wanted. */
const REPLAY_MS = 15_000
const SLOW = 'What its records need to be decoded has been asked for, and has not come yet'
const REPLAYS = 'A replay'

export interface HoldOptions {
  /** Where it waits, such as `Partition 3`. */
  readonly place: string
  /** The records that wait, at every attempt. */
  readonly records: () => readonly RawRecord[]
  readonly signal: AbortSignal
  /** Called after each failed attempt. True: it does not wait any longer. */
  readonly onFailed?: (error: CodecUnavailable) => Promise<boolean | undefined> | boolean | undefined
}

/**
 * What the codec of a topic fetches before it can decode. While that cannot be had, a partition is held: nothing of it
 * is skipped, and the others go on. It retries by itself. A topic whose codec needs nothing has none.
 */
export class Preparation {
  readonly #topic: Topic
  readonly #prepare: NonNullable<Topic['codec']['prepare']>
  readonly #log: Logger
  readonly #maxBytes: number
  readonly #warnings = new RateLimit(LOG_INTERVAL_MS)
  /** By place, the sentence that says why it waits. */
  readonly #held = new Map<string, string>()
  #replay: { readonly sentence: string; readonly until: number } | undefined

  private constructor(topic: Topic, prepare: NonNullable<Topic['codec']['prepare']>, log: Logger, maxBytes: number) {
    this.#topic = topic
    this.#prepare = prepare
    this.#log = log
    this.#maxBytes = maxBytes
  }

  static of(topic: Topic, log: Logger, maxBytes = MAX_EVENT_BYTES): Preparation | undefined {
    const { prepare } = topic.codec
    return prepare && new Preparation(topic, prepare, log, maxBytes)
  }

  /** Number of partitions, or other places, that wait. */
  get held(): number {
    return this.#held.size
  }

  /** For `/readyz`: what waits, and why; undefined: nothing does. */
  get note(): string | undefined {
    const first = this.#held.entries().next().value
    if (first) {
      const more = this.#held.size > 1 ? ` (and ${this.#held.size - 1} more)` : ''
      return `${first[0]}${more} is held: ${first[1]}`
    }
    const replay = this.#replay
    if (!replay || performance.now() > replay.until) return undefined
    return `${REPLAYS} waits: ${replay.sentence}`
  }

  /** One attempt. Undefined: the records can be decoded. @throws CodecUnavailable */
  attempt(records: readonly RawRecord[], signal: AbortSignal): Promise<void> | undefined {
    const values: Buffer[] = []
    const writtenAt: number[] = []
    for (const record of records) {
      const length = record.valueLength ?? record.value?.length ?? -1
      // What is too large, or has no value, is not decoded.
      if (length < 0 || length > this.#maxBytes) continue
      values.push(record.value as Buffer)
      writtenAt.push(record.timestamp)
    }
    if (values.length === 0) return undefined
    try {
      return this.#prepare(values, signal, writtenAt)?.catch((error) => Promise.reject(unavailable(error)))
    } catch (error) {
      return Promise.reject(unavailable(error))
    }
  }

  /** The number of records up to the first that cannot be decoded yet. */
  ready(records: readonly RawRecord[], signal: AbortSignal): number {
    const index = records.findIndex((record) => this.#isMissing(record, signal))
    return index < 0 ? records.length : index
  }

  /** The last record that cannot be decoded yet. */
  lastMissing(records: readonly RawRecord[], signal: AbortSignal): RawRecord | undefined {
    return records.findLast((record) => this.#isMissing(record, signal))
  }

  /** Waits until the records can be decoded, after a first attempt. Rejects with the signal's reason. */
  async hold(first: Promise<void> | undefined, { place, records, signal, onFailed }: HoldOptions): Promise<void> {
    let attempt = first
    const slow = setTimeout(() => this.#tell(place, SLOW), SLOW_MS)
    try {
      for (let wait = RETRY_FIRST_MS; attempt; wait = Math.min(wait * 2, RETRY_LAST_MS)) {
        const error = await attempt.then(
          () => undefined,
          (reason: CodecUnavailable) => reason,
        )
        clearTimeout(slow)
        signal.throwIfAborted()
        if (error) {
          this.#tell(place, error.message)
          if (await onFailed?.(error)) return
          await delay(wait * (0.5 + Math.random()), undefined, { signal }).catch(() => {})
          signal.throwIfAborted()
        }
        attempt = this.attempt(records(), signal)
      }
    } finally {
      clearTimeout(slow)
      if (this.#held.delete(place) && !signal.aborted) {
        this.#log.info({ topic: this.#topic.name, place }, 'Its records are decoded again')
      }
    }
  }

  /** A replay has to try again later. */
  tellReplay(sentence: string): void {
    this.#replay = { sentence, until: performance.now() + REPLAY_MS }
    this.#warn(REPLAYS, sentence)
  }

  #isMissing(record: RawRecord, signal: AbortSignal): boolean {
    const attempt = this.attempt([record], signal)
    // It is asked for again when the records are.
    attempt?.catch(() => {})
    return attempt !== undefined
  }

  #tell(place: string, sentence: string): void {
    this.#held.set(place, sentence)
    this.#warn(place, sentence)
  }

  #warn(place: string, reason: string): void {
    this.#warnings.tell((unlogged) => {
      this.#log.warn({ topic: this.#topic.name, place, reason, unlogged }, 'Records are held until they can be decoded')
    }, place)
  }
}

function unavailable(error: unknown): CodecUnavailable {
  if (error instanceof CodecUnavailable) return error
  const { message } = (error ?? {}) as Partial<Error>
  return new CodecUnavailable(`The codec could not prepare: ${message ?? 'no reason was given'}`, { cause: error })
}
