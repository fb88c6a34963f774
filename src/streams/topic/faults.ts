import type { Logger } from 'pino'
import { RateLimit } from '../../errors/rate-limit.ts'

/** Rate limit of log lines, for each kind. A line has the number that was suppressed. */
const LOG_INTERVAL_MS = 10_000

interface Place {
  readonly partition?: number
  readonly offset?: number
}

/** Contained exceptions of one topic: each is counted, and logged at a limited rate. */
export class TopicFaults {
  /** Count since the start. */
  count = 0
  readonly #topic: string
  readonly #log: Logger
  readonly #limit = new RateLimit(LOG_INTERVAL_MS)

  constructor(topic: string, log: Logger) {
    this.#topic = topic
    this.#log = log
  }

  /** `message` is the kind, for the rate limit. */
  report(error: unknown, message: string, { partition, offset }: Place = {}): void {
    this.count++
    this.#limit.tell((unlogged) => {
      this.#log.error({ err: error, topic: this.#topic, partition, offset, unlogged }, message)
    }, message)
  }
}
