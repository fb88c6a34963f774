import type { Logger } from 'pino'
import { logError } from '../../errors/faults.ts'
import { RateLimit } from '../../errors/rate-limit.ts'
import type { OutgoingRecord, Sink } from '../../streams/source/port.ts'
import { type Counts, isNothing, subtract } from './counts.ts'
import type { Tally } from './tally.ts'
import type { Usage } from './usage.ts'

/** Records sent at once: some 120 KB. */
const RECORDS_PER_SEND = 500
/** Rate limit of warnings: while Kafka is away, every period fails. */
const LOG_INTERVAL_MS = 60_000
/** Longest wait for the last records at a shutdown. */
const CLOSE_MS = 5_000

export interface UsageRecordsOptions {
  readonly usage: Usage
  readonly sink: () => Sink
  readonly topic: string
  /** The instance's name. */
  readonly instance: string
  readonly intervalMs: number
  readonly log: Logger
  /** Milliseconds since the epoch. */
  readonly time?: () => number
}

interface Unsent {
  readonly tally: Tally
  readonly counts: Counts
  readonly record: OutgoingRecord
}

/**
 * Periodic records of each principal's usage, on a topic: for quotas and bills. What a record says is subtracted when
 * the log has acknowledged it. A record that was not is followed by one from the same moment on that has all of it: of
 * records with the same principal, instance and `from`, the one with the latest `to` counts.
 */
export class UsageRecords {
  readonly #options: UsageRecordsOptions
  readonly #time: () => number
  readonly #warnings = new RateLimit(LOG_INTERVAL_MS)
  readonly #timer: NodeJS.Timeout
  #sending: Promise<void> | undefined

  constructor(options: UsageRecordsOptions) {
    this.#options = options
    this.#time = options.time ?? Date.now
    this.#timer = setInterval(() => void this.send(), options.intervalMs)
    this.#timer.unref()
  }

  /** Sends what was used since the last records; not twice at a time. Never rejects. */
  send(): Promise<void> {
    this.#sending ??= this.#send()
      .catch((error: unknown) => this.#warn(error))
      .finally(() => {
        this.#sending = undefined
      })
    return this.#sending
  }

  /** The last records, once no stream is open any more. */
  async close(): Promise<void> {
    clearInterval(this.#timer)
    const { promise: late, resolve } = Promise.withResolvers<void>()
    const timer = setTimeout(() => {
      this.#warn(new Error(`The last records were not taken within ${CLOSE_MS} ms`))
      resolve()
    }, CLOSE_MS)
    // What is being sent may have been read before the last stream ended.
    const last = (this.#sending ?? Promise.resolve()).then(() => this.send())
    await Promise.race([last, late])
    clearTimeout(timer)
  }

  async #send(): Promise<void> {
    const { usage, sink, topic } = this.#options
    await usage.measure()
    const to = this.#time()
    let batch: Unsent[] = []
    const flush = async (): Promise<void> => {
      if (batch.length === 0) return
      await sink().send(
        topic,
        batch.map(({ record }) => record),
      )
      for (const { tally, counts } of batch) {
        subtract(tally.unsent, counts)
        tally.unsentSince = to
      }
      batch = []
    }
    // As they are now: while records are sent, the map may move entries to its end, which would be visited again.
    for (const tally of [...usage.all()]) {
      if (tally.streams === 0 && isNothing(tally.unsent)) {
        tally.unsentSince = to
        continue
      }
      batch.push(this.#unsentOf(tally, to))
      if (batch.length === RECORDS_PER_SEND) await flush()
    }
    await flush()
  }

  #unsentOf(tally: Tally, to: number): Unsent {
    const counts = { ...tally.unsent }
    const { opened, streamMs, events, bytes, queries } = counts
    const value = {
      principal: tally.id,
      kind: tally.kind,
      instance: this.#options.instance,
      from: new Date(tally.unsentSince).toISOString(),
      to: new Date(to).toISOString(),
      streams: tally.streams,
      opened,
      streamSeconds: streamMs / 1_000,
      events,
      bytes,
      queries,
    }
    return { tally, counts, record: { key: tally.id, value: JSON.stringify(value), timestamp: to } }
  }

  #warn(error: unknown): void {
    const { log, topic } = this.#options
    this.#warnings.tell((unlogged) =>
      logError(log, error, { topic, unlogged }, 'Usage could not be sent: the next records have it', 'warn'),
    )
  }
}
