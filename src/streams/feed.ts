import type { Logger } from 'pino'
import { encodeCursor, UNKNOWN, type Vector, type Witness } from './cursor.ts'
import { DeadLetters } from './dead-letters.ts'
import { decode } from './decode.ts'
import type { Gap, Positions, StreamEvent } from './event.ts'
import { InterestIndex } from './interest-index.ts'
import type { Batch, PartitionRange, Sink } from './port.ts'
import { Rate } from './rate.ts'
import { type SubscribeOptions, Subscription } from './subscription.ts'
import type { Topic, Where } from './topic.ts'
import { Window, type WindowLimits } from './window.ts'

/** Somebody who wants to be told of the events that meet a `where`. Called synchronously, in the feed's order. */
export interface Interest<V> {
  /** `seq` is the event's place in the window. */
  onEvent(event: StreamEvent<V>, seq: number): void
  onGap(gap: Gap): void
  /** A batch has been passed, whether or not any of it matched. */
  onProgress?(): void
}

export interface FeedOptions {
  readonly limits: WindowLimits
  readonly log: Logger
  /** Where dead letters go, for a topic that has a dead-letter topic. */
  readonly sink?: Sink | undefined
  /** Identity of an embedded log, for the cursors. */
  readonly epoch?: number | undefined
}

/**
 * A topic, alive in this process: takes what the source reads, decodes each record once, keeps the window, and tells
 * those whose `where` an event meets. It knows the position it has reached, and names it as a cursor.
 */
export class Feed<V = unknown> {
  readonly topic: Topic<V>
  readonly window: Window<V>
  readonly poison: DeadLetters
  readonly rate = new Rate()
  /** Events decoded since the start. */
  events = 0
  readonly #options: FeedOptions
  readonly #index = new InterestIndex<V, Interest<V>>()
  readonly #interests = new Set<Interest<V>>()
  /** Those of them that want to hear of progress: few, so that a batch need not ask everybody. */
  #progressListeners = 0
  readonly #head: number[] = []
  readonly #ends: number[] = []
  readonly #targets: number[] = []
  /** The event right before the head, where the last thing that was passed was an event. */
  #witness: Witness | undefined
  #cursor: string | undefined

  constructor(topic: Topic<V>, options: FeedOptions) {
    this.topic = topic
    this.#options = options
    this.window = new Window(options.limits)
    this.poison = new DeadLetters(topic, options.sink, options.log)
  }

  /** How many want to be told of events. */
  get interests(): number {
    return this.#interests.size
  }

  /** Next wanted offset of each partition: what this instance has passed. */
  get head(): Vector {
    return this.#head
  }

  /** End of each partition, as the source last saw it. */
  get ends(): Vector {
    return this.#ends
  }

  /** The position after everything passed so far. Encoded once, however many ask. */
  get cursor(): string {
    this.#cursor ??= this.cursorAt(this.#head, this.#witness)
    return this.#cursor
  }

  /** Some other position; `witness` is the event just before it, where that is known. */
  cursorAt(positions: Vector, witness?: Witness): string {
    return encodeCursor(this.topic.name, {
      positions,
      epoch: this.#options.epoch,
      witness: witness && { partition: witness.partition, timestamp: witness.timestamp },
    })
  }

  /** Offsets still to pass before this feed has seen all that was there when it started; 0: ready. */
  get behind(): number {
    if (this.#targets.length === 0) return Number.POSITIVE_INFINITY
    return this.#targets.reduce((sum, target, partition) => sum + Math.max(0, target - this.#headOf(partition)), 0)
  }

  /** Where reading is going to start, and what has to be passed to be ready. Once, before the first batch. */
  begin(ranges: readonly PartitionRange[], from: Positions): void {
    for (const { partition, next } of ranges) {
      const start = from.get(partition) ?? 0
      this.#know(partition)
      this.#head[partition] = start
      this.#ends[partition] = next
      this.#targets[partition] = next
      this.window.setFloor(partition, start)
    }
    this.#cursor = undefined
  }

  onBatch({ partition, records, nextOffset, endOffset }: Batch): void {
    const now = Date.now()
    this.#know(partition)
    this.#ends[partition] = endOffset
    for (const record of records) {
      const event = decode(this.topic, record)
      this.#move(partition, record.offset + 1)
      if (!('kind' in event)) {
        this.poison.take(record, event)
        continue
      }
      this.events++
      this.#witness = { partition, timestamp: event.timestamp }
      const seq = this.window.push(event, now)
      if (this.#index.size === 0) continue
      this.#index.match(event.value, (interest) => {
        try {
          interest.onEvent(event, seq)
        } catch (error) {
          this.#report(error)
        }
      })
    }
    this.rate.count(now, records.length)
    if (nextOffset > this.#headOf(partition)) this.#move(partition, nextOffset)
    if (this.#progressListeners > 0) this.#tellAll((interest) => interest.onProgress?.())
  }

  onGap(gap: Gap): void {
    this.#know(gap.partition)
    this.#move(gap.partition, gap.to)
    if (gap.reason === 'truncation') this.window.restart(gap.partition, gap.to)
    else this.window.setFloor(gap.partition, gap.to)
    this.#options.log.error({ ...gap }, 'Records are gone that were still to be read')
    this.#tellAll((interest) => interest.onGap(gap))
  }

  /**
   * Tells `interest` of every event from now on that meets `where`, and of every gap. Returns how to stop.
   * @throws SluiceError `BAD_USER_INPUT` for a `where` with too many combinations.
   */
  add(where: Where<V>, interest: Interest<V>): () => void {
    const remove = this.#index.add(where, interest)
    const removeFromGaps = this.addToGaps(interest)
    return () => {
      remove()
      removeFromGaps()
    }
  }

  /** Tells `interest` of gaps (and progress) only: for who reads the events from the window later. */
  addToGaps(interest: Interest<V>): () => void {
    this.#interests.add(interest)
    if (interest.onProgress) this.#progressListeners++
    return () => {
      if (this.#interests.delete(interest) && interest.onProgress) this.#progressListeners--
    }
  }

  /** The topic's events from now on, for whoever likes to pull them. */
  subscribe(options: SubscribeOptions<V> = {}): Subscription<V> {
    return new Subscription(this, options)
  }

  #tellAll(call: (interest: Interest<V>) => void): void {
    for (const interest of this.#interests) {
      try {
        call(interest)
      } catch (error) {
        this.#report(error)
      }
    }
  }

  /** Somebody's mistake must stop neither the reader nor anybody else's events. */
  #report(error: unknown): void {
    this.#options.log.error({ err: error, topic: this.topic.name }, 'A subscriber failed to take an event')
  }

  #know(partition: number): void {
    while (this.#head.length <= partition) {
      this.window.setFloor(this.#head.length, 0)
      this.#head.push(UNKNOWN)
      this.#ends.push(0)
    }
  }

  #headOf(partition: number): number {
    return this.#head[partition] ?? UNKNOWN
  }

  #move(partition: number, offset: number): void {
    this.#head[partition] = offset
    this.#cursor = undefined
    if (this.#witness?.partition === partition) this.#witness = undefined
  }
}
