import type { Logger } from 'pino'
import { logError } from '../faults.ts'
import { decodeCursor, encodeCursor, fingerprint, type Witness } from './cursor.ts'
import { DeadLetters } from './dead-letters.ts'
import { decode } from './decode.ts'
import type { Gap, Positions, StreamEvent } from './event.ts'
import { InterestIndex } from './interest-index.ts'
import { type Page, Pages } from './pages.ts'
import type { Batch, PartitionRange, Sink, Source } from './port.ts'
import { Position } from './position.ts'
import { Rate } from './rate.ts'
import { type SubscribeOptions, Subscription } from './subscription.ts'
import type { Topic, Where } from './topic.ts'
import { UNKNOWN, type Vector } from './vector.ts'
import { Window, type WindowLimits } from './window.ts'

/** Somebody who wants to be told of the events that meet a `where`. Called synchronously, in the feed's order. */
export interface Interest<V> {
  /** `seq` is the event's place in the window. */
  onEvent(event: StreamEvent<V>, seq: number): void
  onGap(gap: Gap): void
  /** A batch has been passed, whether or not any of it matched. */
  onProgress?(): void
  /**
   * A call threw, at this place of the topic: it has missed something, so it is told nothing any more. It says so to
   * those whom it serves. Must not throw.
   */
  failed(error: unknown, at: { readonly partition: number; readonly offset: number }): void
}

export interface FeedOptions {
  readonly limits: WindowLimits
  readonly log: Logger
  /** Where to read what is older than the window; without it, that is gone. */
  readonly source?: Source | undefined
  /** Aborted when nothing is to be read any more. */
  readonly signal?: AbortSignal
  /** Where dead letters go, for a topic that has a dead-letter topic. */
  readonly sink?: Sink | undefined
  /** Identity of an embedded log, for the cursors. */
  readonly epoch?: number | undefined
  /** In which version cursors are written: the older of the two that are read, if absent. */
  readonly cursorVersion?: number | undefined
}

type Found<V> = Page<V> | Gap

/** What the log holds is asked for this often at most. */
const RANGES_MS = 1_000

/**
 * A topic, alive in this process: takes what the source reads, decodes each record once, keeps the window, and tells
 * those whose `where` an event meets. It knows the position it has reached, and names it as a cursor.
 */
export class Feed<V = unknown> {
  readonly topic: Topic<V>
  /** Identity of an embedded log, as its cursors have it; absent for Kafka. */
  readonly epoch: number | undefined
  readonly window: Window<V>
  readonly poison: DeadLetters
  readonly rate = new Rate()
  /** Events decoded since the start. */
  events = 0
  readonly #options: FeedOptions
  readonly #index = new InterestIndex<V, Interest<V>>()
  /** With how to remove each. */
  readonly #interests = new Map<Interest<V>, () => void>()
  /** Those of them that want to hear of progress: few, so that a batch need not ask everybody. */
  #progressListeners = 0
  readonly #head: number[] = []
  readonly #ends: number[] = []
  readonly #targets: number[] = []
  /** The event that was passed last. */
  #witness: Witness | undefined
  #cursor: string | undefined
  readonly #pages: Pages<V> | undefined
  #isFilled = false
  #ranges: { readonly asked: number; readonly answer: Promise<readonly PartitionRange[]> } | undefined

  constructor(topic: Topic<V>, options: FeedOptions) {
    this.topic = topic
    this.#options = options
    this.epoch = options.epoch === undefined ? undefined : fingerprint(options.epoch)
    this.window = new Window(options.limits)
    this.poison = new DeadLetters(topic, options.sink, options.log)
    const { source, signal = new AbortController().signal } = options
    this.#pages = source && new Pages(topic, source, signal)
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

  /** Some other position; `witness` is an event that was passed just before it, where that is known. */
  cursorAt(positions: Vector, witness?: Witness): string {
    return encodeCursor(this.topic.name, { positions, epoch: this.epoch, witness }, this.#options.cursorVersion)
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
    this.#isFilled = this.behind === 0
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
      this.#witness = event
      const seq = this.window.push(event, now)
      if (this.#index.size === 0) continue
      this.#index.match(event.value, (interest) => {
        try {
          interest.onEvent(event, seq)
        } catch (error) {
          this.#failed(interest, error, event)
        }
      })
    }
    this.rate.count(now, records.length)
    if (nextOffset > this.#headOf(partition)) this.#move(partition, nextOffset)
    if (!this.#isFilled && this.behind === 0) {
      this.#isFilled = true
      // As it was read, a partition at a time, it has an order of its own; by time it is near to other instances'.
      if (this.#interests.size === 0) this.window.sortByTime()
    }
    if (this.#progressListeners > 0)
      this.#tellAll((interest) => interest.onProgress?.(), { partition, offset: nextOffset })
  }

  onGap(gap: Gap): void {
    this.#know(gap.partition)
    this.#move(gap.partition, gap.to)
    if (gap.reason === 'truncation') {
      this.#witness = undefined
      this.#pages?.restart()
      this.window.restart(gap.partition, gap.to)
    } else this.window.setFloor(gap.partition, gap.to)
    this.#options.log.error({ ...gap }, 'Records are gone that were still to be read')
    this.#tellAll((interest) => interest.onGap(gap), { partition: gap.partition, offset: gap.from })
  }

  /**
   * Tells `interest` of every event from now on that meets `where`, and of every gap. Returns how to stop.
   * @throws SluiceError `BAD_USER_INPUT` for a `where` with too many combinations.
   */
  add(where: Where<V>, interest: Interest<V>): () => void {
    return this.#addToAll(interest, this.#index.add(where, interest))
  }

  /** Tells `interest` of gaps (and progress) only: for who reads the events from the window later. */
  addToGaps(interest: Interest<V>): () => void {
    return this.#addToAll(interest, () => {})
  }

  /** The topic's events from now on, for whoever likes to pull them. */
  subscribe(options: SubscribeOptions<V> = {}): Subscription<V> {
    return new Subscription(this, options)
  }

  /**
   * What the log has of a partition at `offset`, which is older than the window. Keeps trying while the log cannot be
   * reached, for as long as it is wanted; undefined: it is not any more.
   */
  page(partition: number, offset: number, isWanted: () => boolean): Found<V> | Promise<Found<V> | undefined> {
    if (this.#pages) return this.#pages.patiently(partition, offset, isWanted)
    const held = this.window.at(this.window.seqOf(partition, offset))
    if (held?.offset === offset) return { kind: 'page', partition, from: offset, next: offset + 1, events: [held] }
    const to = Math.min(held?.offset ?? Number.POSITIVE_INFINITY, this.window.floor(partition) ?? 0)
    return { kind: 'gap', topic: this.topic.name, partition, from: offset, to, reason: 'retention' }
  }

  /** Has a page ready soon, if the window does not have what is in it. */
  prefetch(partition: number, offset: number): void {
    if (offset < (this.window.floor(partition) ?? 0)) this.#pages?.prefetch(partition, offset)
  }

  /** Just after what a cursor names. @throws SluiceError `CURSOR_INVALID` for what is no cursor of this topic. */
  startAfter(cursor: string): Position<V> {
    return Position.after(this, decodeCursor(this.topic.name, cursor))
  }

  /**
   * Where the first events are whose timestamp is `timestamp` (ms) or later; where there are none, at the end.
   * @throws SourceUnavailable when the log cannot be reached.
   */
  async startSince(timestamp: number): Promise<Position<V>> {
    const { source } = this.#options
    if (!source) return Position.atHead(this)
    const offsets = await source.offsetsAt(this.topic.name, timestamp)
    const length = Math.max(-1, ...offsets.keys()) + 1
    return new Position(
      this,
      Array.from({ length }, (_, partition) => offsets.get(partition) ?? 0),
    )
  }

  /** Before the newest `count` events of the window that match, or as many as there are. */
  startLast(count: number, matches: (event: StreamEvent<V>) => boolean): Position<V> {
    let seq = this.window.nextSeq
    for (let at = seq - 1, found = 0; at >= this.window.firstSeq && found < count; at--) {
      if (!matches(this.window.at(at) as StreamEvent<V>)) continue
      found++
      seq = at
    }
    return new Position(this, this.window.vectorAt(seq, this.#head), seq)
  }

  /** What the log holds now. Asked of it at most once a second, however many want to know. @throws SourceUnavailable */
  ranges(): Promise<readonly PartitionRange[]> {
    const now = performance.now()
    if (!this.#ranges || now - this.#ranges.asked > RANGES_MS) {
      const answer = this.#options.source?.ranges(this.topic.name) ?? Promise.resolve(this.#heldRanges())
      this.#ranges = { asked: now, answer }
    }
    return this.#ranges.answer
  }

  #heldRanges(): PartitionRange[] {
    return this.#head.map((next, partition) => ({ partition, earliest: this.window.floor(partition) ?? 0, next }))
  }

  #addToAll(interest: Interest<V>, removeFromIndex: () => void): () => void {
    const remove = (): void => {
      removeFromIndex()
      if (this.#interests.get(interest) !== remove) return
      this.#interests.delete(interest)
      if (interest.onProgress) this.#progressListeners--
    }
    this.#interests.set(interest, remove)
    if (interest.onProgress) this.#progressListeners++
    return remove
  }

  #tellAll(call: (interest: Interest<V>) => void, at: { readonly partition: number; readonly offset: number }): void {
    for (const interest of this.#interests.keys()) {
      try {
        call(interest)
      } catch (error) {
        this.#failed(interest, error, at)
      }
    }
  }

  /** One's failure stops neither the reader nor anybody else's events. */
  #failed(
    interest: Interest<V>,
    error: unknown,
    { partition, offset }: { readonly partition: number; readonly offset: number },
  ): void {
    this.#interests.get(interest)?.()
    try {
      interest.failed(error, { partition, offset })
    } catch (failure) {
      logError(this.#options.log, failure, { topic: this.topic.name, partition, offset }, 'A subscriber could not fail')
    }
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
  }
}
