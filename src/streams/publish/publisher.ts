import { SluiceError } from '../../errors/codes.ts'
import type { StreamEvent } from '../event.ts'
import type { Sink } from '../source/port.ts'
import type { Topic } from '../topic/topic.ts'
import { type Draft, draftOf } from './draft.ts'
import { type Identified, identify, recordHeaders } from './identified.ts'
import { PublishQueue } from './publish-queue.ts'
import { Repeats, type RepeatsOptions } from './repeats.ts'

/** What an event's value is made with. */
export interface Making {
  /** 32 hex digits, unique; the same for every repeat with one idempotency key. */
  readonly id: string
  readonly now: Date
}

export interface PublishRequest<V> {
  readonly topic: Topic<V>
  /** The field by which it is published. */
  readonly field: string
  /** Whoever publishes: an idempotency key is its own. */
  readonly principal: string
  readonly idempotencyKey?: string | undefined
  /** What the value is made of. A repeat with other arguments is refused. */
  readonly args: unknown
  readonly value: (making: Making) => unknown
  /** Whether the event may be published. @throws SluiceError */
  readonly demand?: (event: StreamEvent<V>) => void
}

export interface PublisherOptions extends RepeatsOptions {
  readonly sink: Sink
  /** The instance's name. */
  readonly origin: string
  readonly maxEventBytes?: number | undefined
  readonly timeoutMs?: number
}

/** A publication under way, for its repeats. */
interface Flight {
  readonly digest: string
  readonly result: Promise<StreamEvent<unknown>>
}

export type PublishOutcome = 'published' | 'repeated' | 'unconfirmed' | 'refused'

/** Publishes events of clients, each once for an idempotency key as far as this instance can know. */
export class Publisher {
  /** By outcome, since the start. */
  readonly counts: Record<PublishOutcome, number> = { published: 0, repeated: 0, unconfirmed: 0, refused: 0 }
  readonly #options: PublisherOptions
  readonly #queue: PublishQueue
  readonly #repeats: Repeats
  /** By id. As many as the queue has room for, and those that look up whether they are repeats. */
  readonly #flights = new Map<string, Flight>()

  constructor(options: PublisherOptions) {
    this.#options = options
    this.#queue = new PublishQueue(options.sink, options.timeoutMs)
    this.#repeats = new Repeats(options)
  }

  /** Events that wait for the log. */
  get pending(): number {
    return this.#queue.pending
  }

  /** Estimated heap bytes of what repeats are known by. */
  get bytes(): number {
    return this.#repeats.bytes
  }

  /** Before anything is done. @throws SluiceError `PUBLISH_BUSY` */
  demandRoom(): void {
    try {
      this.#queue.demandRoom()
      if (this.#flights.size >= MAX_FLIGHTS) throw new SluiceError('PUBLISH_BUSY')
    } catch (error) {
      this.counts.refused++
      throw error
    }
  }

  /**
   * Publishes an event, and resolves with it when the log has acknowledged it; with the one that was published before, for
   * a repeat.
   * @throws SluiceError `BAD_USER_INPUT` and what `demand` throws; `EVENT_TOO_LARGE`, `PUBLISH_BUSY`, `PUBLISH_FAILED`,
   * `NOT_READY`: it is not in the log; `PUBLISH_UNCONFIRMED`: it may be.
   */
  async publish<V>(request: PublishRequest<V>): Promise<StreamEvent<V>> {
    try {
      return await this.#publish(request)
    } catch (error) {
      const isOpen = error instanceof SluiceError && error.code === 'PUBLISH_UNCONFIRMED'
      this.counts[isOpen ? 'unconfirmed' : 'refused']++
      throw error
    }
  }

  async #publish<V>(request: PublishRequest<V>): Promise<StreamEvent<V>> {
    const { topic, field, principal, idempotencyKey: key, args, value, demand } = request
    const { origin, maxEventBytes: maxBytes } = this.#options
    const identified = identify({ topic: topic.name, principal, field, key, args })
    const now = new Date()
    const headers = recordHeaders(origin, key === undefined ? undefined : identified)
    const plain = await value({ id: identified.id, now })
    const draft = draftOf(topic, plain, { headers, timestamp: now.getTime(), maxBytes })
    demand?.(draft.event)
    if (key === undefined) return await this.#send(topic, draft)
    return await this.#once(topic, draft, identified)
  }

  /** Repeats that come while the first is under way share its outcome. */
  async #once<V>(topic: Topic<V>, draft: Draft<V>, identified: Identified): Promise<StreamEvent<V>> {
    const { id, digest } = identified
    const under = this.#flights.get(id)
    if (under) {
      if (under.digest !== digest) {
        throw new SluiceError('BAD_USER_INPUT', 'This idempotency key is in use for another input: take a new one')
      }
      const event = (await under.result) as StreamEvent<V>
      this.counts.repeated++
      return event
    }
    if (this.#flights.size >= MAX_FLIGHTS) throw new SluiceError('PUBLISH_BUSY')
    const ended = Promise.withResolvers<void>()
    const result = this.#first(topic, draft, identified, ended.resolve)
    this.#flights.set(id, { digest, result })
    // One that is not confirmed is kept until the sink knows: until then a repeat must not be sent.
    void Promise.allSettled([result, ended.promise]).then(() => this.#flights.delete(id))
    return await result
  }

  async #first<V>(
    topic: Topic<V>,
    draft: Draft<V>,
    identified: Identified,
    onSettled: () => void,
  ): Promise<StreamEvent<V>> {
    let isSent = false
    try {
      const known = await this.#repeats.find(topic, draft.event, identified)
      if (known) {
        this.counts.repeated++
        return known
      }
      const sending = this.#queue.send(topic.name, draft.record, draft.bytes)
      isSent = true
      const remember = () => this.#repeats.published(draft.event, identified, draft.bytes)
      void sending.settled.then(remember, () => {}).finally(onSettled)
      await sending.done
      this.counts.published++
      return draft.event
    } finally {
      if (!isSent) onSettled()
    }
  }

  async #send<V>(topic: Topic<V>, draft: Draft<V>): Promise<StreamEvent<V>> {
    await this.#queue.send(topic.name, draft.record, draft.bytes).done
    this.counts.published++
    return draft.event
  }
}

/** Publications with idempotency keys that are under way: twice those that are being sent. */
const MAX_FLIGHTS = 2_000
