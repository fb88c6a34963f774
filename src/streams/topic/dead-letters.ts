import type { Logger } from 'pino'
import { RateLimit } from '../../errors/rate-limit.ts'
import type { RawRecord } from '../event.ts'
import type { Sink } from '../source/port.ts'
import type { DecodeFailure } from './decode.ts'
import type { Topic } from './topic.ts'

/**
 * Bound of the letters in flight, in number and in bytes of values: a topic of invalid records must not become a queue
 * in memory. Beyond it letters are dropped. A letter that exceeds it alone is sent alone.
 */
const MAX_IN_FLIGHT = 100
const MAX_IN_FLIGHT_BYTES = 16 * 1024 * 1024
/** Rate limit of warnings, for each kind and topic. A line has the number that was suppressed. */
const LOG_INTERVAL_MS = 10_000

/** The last record that was skipped for a reason. It says nothing of what was in it. */
export interface LastSkipped {
  readonly partition: number
  readonly offset: number
  /** When it was read, in ms since the epoch. */
  readonly at: number
  readonly detail: string
}

export interface FailureCounts {
  /** Counts by reason. */
  readonly failures: ReadonlyMap<DecodeFailure['reason'], number>
  readonly deadLetters: { sent: number; dropped: number }
}

/**
 * Handling of invalid records: they are counted, logged at a limited rate, and sent to the topic's dead-letter topic if
 * it has one. Several instances read the same record, and a restarted instance reads it again. A letter's key therefore
 * is its topic, partition and offset: a compacted dead-letter topic keeps one.
 */
export class DeadLetters implements FailureCounts {
  readonly failures = new Map<DecodeFailure['reason'], number>()
  readonly deadLetters = { sent: 0, dropped: 0 }
  readonly last = new Map<DecodeFailure['reason'], LastSkipped>()
  readonly #topic: Topic
  readonly #sink: Sink | undefined
  readonly #log: Logger
  #inFlight = 0
  #inFlightBytes = 0
  readonly #failureWarnings = new RateLimit(LOG_INTERVAL_MS)
  readonly #sinkWarnings = new RateLimit(LOG_INTERVAL_MS)

  constructor(topic: Topic, sink: Sink | undefined, log: Logger) {
    this.#topic = topic
    this.#sink = sink
    this.#log = log
  }

  take(record: RawRecord, failure: DecodeFailure): void {
    this.failures.set(failure.reason, (this.failures.get(failure.reason) ?? 0) + 1)
    const { partition, offset } = record
    this.last.set(failure.reason, { partition, offset, at: Date.now(), detail: failure.detail })
    this.#warn(record, failure)
    if (this.#topic.deadLetterTopic !== undefined && this.#sink) {
      void this.#send(this.#sink, this.#topic.deadLetterTopic, record, failure)
    }
  }

  async #send(sink: Sink, topic: string, record: RawRecord, failure: DecodeFailure): Promise<void> {
    const bytes = record.value?.length ?? 0
    const isFull = this.#inFlight >= MAX_IN_FLIGHT || this.#inFlightBytes + bytes > MAX_IN_FLIGHT_BYTES
    if (isFull && this.#inFlight > 0) {
      this.deadLetters.dropped++
      return
    }
    this.#inFlight++
    this.#inFlightBytes += bytes
    const key = `${this.#topic.name}:${record.partition}:${record.offset}`
    try {
      // Copied: the record's bytes are a slice of a whole fetch response, which a waiting letter would retain.
      // A tombstone's letter is empty: compaction would remove one that is null.
      const value = record.value === null ? Buffer.alloc(0) : Buffer.from(record.value)
      const headers = { reason: failure.reason, detail: failure.detail, timestamp: String(record.timestamp) }
      await sink.send(topic, [{ key, value, headers }])
      this.deadLetters.sent++
    } catch (error) {
      // The record is counted, and remains in its topic: reading continues.
      this.deadLetters.dropped++
      this.#sinkWarnings.tell((unlogged) =>
        this.#log.warn({ err: error, topic, key, unlogged }, 'A dead letter could not be sent'),
      )
    } finally {
      this.#inFlight--
      this.#inFlightBytes -= bytes
    }
  }

  #warn({ partition, offset }: RawRecord, { reason, detail }: DecodeFailure): void {
    this.#failureWarnings.tell((unlogged) =>
      this.#log.warn(
        { topic: this.#topic.name, partition, offset, reason, detail, unlogged },
        'A record is no event of its topic and was skipped',
      ),
    )
  }
}
