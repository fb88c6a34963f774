import { SluiceError } from '../../errors/codes.ts'
import { type NotAppended, type OutgoingRecord, type Sink, SourceUnavailable } from '../source/port.ts'

/** Events that wait, or are being sent: with the gateway's own answer to each, some megabytes. */
const MAX_PENDING = 1_000
const MAX_PENDING_BYTES = 16 * 1024 * 1024
/**
 * Small records go out together, since a sink sends one request at a time: at 5 ms for each, 20,000 a second. A record
 * that a broker refuses for its size is alone, so that the others of its request are not in doubt.
 */
const MAX_BATCH = 100
const MAX_TOGETHER_BYTES = 4 * 1024
/** A client is told within this time, under the 45 s after which a proxy gives up. A failover of a partition takes some seconds. */
const PUBLISH_TIMEOUT_MS = 10_000
/** When to try again: a broker that is slow takes some seconds to recover. */
const RETRY_AFTER_MS = 2_000

interface Waiting {
  readonly record: OutgoingRecord
  readonly bytes: number
  readonly settled: PromiseWithResolvers<void>
  /** Aborted: nobody waits for it any more, so that it is not sent. */
  isLate: boolean
}

/**
 * Sends the records of clients, in order for each topic, with bounds on what waits. A record whose time is over before it
 * was handed to the sink is not sent; one that was may still be appended.
 */
export class PublishQueue {
  readonly #sink: Sink
  readonly #timeoutMs: number
  readonly #topics = new Map<string, Waiting[]>()
  #pending = 0
  #bytes = 0

  constructor(sink: Sink, timeoutMs = PUBLISH_TIMEOUT_MS) {
    this.#sink = sink
    this.#timeoutMs = timeoutMs
  }

  /** Records that wait, or are being sent. */
  get pending(): number {
    return this.#pending
  }

  /** @throws SluiceError `PUBLISH_BUSY` where there is no room for one more. */
  demandRoom(bytes = 0): void {
    if (this.#pending < MAX_PENDING && this.#bytes + bytes <= MAX_PENDING_BYTES) return
    throw new SluiceError('PUBLISH_BUSY', undefined, {}, RETRY_AFTER_MS)
  }

  /**
   * Resolves when the log has acknowledged the record.
   * `settled` is that of the sink, which may be later: the record is then in the log after all, or certainly not.
   * @throws SluiceError `PUBLISH_BUSY`
   */
  send(topic: string, record: OutgoingRecord, bytes: number): { done: Promise<void>; settled: Promise<void> } {
    this.demandRoom(bytes)
    this.#pending++
    this.#bytes += bytes
    const waiting: Waiting = { record, bytes, settled: Promise.withResolvers(), isLate: false }
    const settled = waiting.settled.promise.finally(() => {
      this.#pending--
      this.#bytes -= bytes
    })
    settled.catch(() => {}) // told by `done`, or nobody waits for it any more
    const queue = this.#topics.get(topic)
    if (queue) queue.push(waiting)
    else {
      this.#topics.set(topic, [waiting])
      void this.#run(topic)
    }
    return { done: this.#within(waiting, settled, topic), settled }
  }

  async #within(waiting: Waiting, settled: Promise<void>, topic: string): Promise<void> {
    const late = Promise.withResolvers<never>()
    const timer = setTimeout(() => {
      waiting.isLate = true
      if (this.#drop(topic, waiting)) return
      late.reject(new SluiceError('PUBLISH_UNCONFIRMED'))
    }, this.#timeoutMs)
    try {
      await Promise.race([settled, late.promise])
    } catch (error) {
      throw publicError(error)
    } finally {
      clearTimeout(timer)
    }
  }

  /** Takes a record out that was not sent yet. */
  #drop(topic: string, waiting: Waiting): boolean {
    const queue = this.#topics.get(topic)
    const place = queue?.indexOf(waiting) ?? -1
    if (place < 0) return false
    queue?.splice(place, 1)
    waiting.settled.reject(new SourceUnavailable('Its turn did not come in time', { notAppended: 'unsent' }))
    return true
  }

  /** Sends what waits for a topic until nothing does. */
  async #run(topic: string): Promise<void> {
    const queue = this.#topics.get(topic) as Waiting[]
    while (queue.length > 0) {
      const batch = takeBatch(queue)
      try {
        await this.#sink.send(
          topic,
          batch.map(({ record }) => record),
        )
        for (const { settled } of batch) settled.resolve()
      } catch (error) {
        for (const { settled } of batch) settled.reject(error)
      }
    }
    this.#topics.delete(topic)
  }
}

/** The first record, and small ones after it. */
function takeBatch(queue: Waiting[]): Waiting[] {
  const large = queue.findIndex(({ bytes }) => bytes > MAX_TOGETHER_BYTES)
  return queue.splice(0, Math.min(MAX_BATCH, large < 0 ? queue.length : Math.max(1, large)))
}

const REFUSED: Readonly<Record<NotAppended, string>> = {
  unsent: 'The log cannot be reached: nothing was published',
  denied: 'This gateway may not write to the topic: nothing was published',
  unknown_topic: 'The topic does not exist: nothing was published',
  too_large: 'The event is larger than the topic takes',
}

/** What clients are told of a sink's failure: whether the event may be in the log all the same. */
function publicError(error: unknown): unknown {
  if (!(error instanceof SourceUnavailable)) return error
  const { notAppended } = error
  if (notAppended === undefined) return new SluiceError('PUBLISH_UNCONFIRMED')
  return new SluiceError(notAppended === 'too_large' ? 'EVENT_TOO_LARGE' : 'PUBLISH_FAILED', REFUSED[notAppended])
}
