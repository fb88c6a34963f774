import type { Logger } from 'pino'
import { RateLimit } from '../../errors/rate-limit.ts'

/** Log lines are for people: one of a kind in this time, with the number left out since. */
const LOG_INTERVAL_MS = 10_000

interface Place {
  readonly partition?: number
  readonly offset?: number
}

/** Exceptions about one topic, caught where nothing else ends by them: each is counted, and logged now and then. */
export class TopicFaults {
  /** Since the start. */
  count = 0
  readonly #topic: string
  readonly #log: Logger
  readonly #limit = new RateLimit(LOG_INTERVAL_MS)

  constructor(topic: string, log: Logger) {
    this.#topic = topic
    this.#log = log
  }

  /** `message` is the kind. */
  report(error: unknown, message: string, { partition, offset }: Place = {}): void {
    this.count++
    this.#limit.tell((unlogged) => {
      this.#log.error({ err: error, topic: this.#topic, partition, offset, unlogged }, message)
    }, message)
  }
}
