import type { Logger } from 'pino'
import { decodeCursor, encodeCursor, type Fingerprint, storedTimestamp } from '../cursor/cursor.ts'
import type { Vector } from '../cursor/vector.ts'
import type { Gap, Positions, StreamEvent } from '../event.ts'
import type { Batch, PartitionRange, Sink, Source } from '../source/port.ts'
import { DeadLetters } from '../topic/dead-letters.ts'
import { TopicFaults } from '../topic/faults.ts'
import { Preparation } from '../topic/preparation.ts'
import type { Topic } from '../topic/topic.ts'
import type { Selection } from '../topic/where.ts'
import { SCANS } from '../turn-budget.ts'
import { Candidates } from './candidates.ts'
import type { Conditions } from './conditions.ts'
import { EventIterator, type SubscribeOptions } from './event-iterator.ts'
import type { FollowedFeed } from './feed-view.ts'
import { Heads } from './heads.ts'
import { Intake, type RecordFollower } from './intake.ts'
import { type Interest, Interests } from './interests.ts'
import { newest } from './newest.ts'
import type { Page } from './pages.ts'
import { Past } from './past.ts'
import { Position } from './position.ts'
import type { Rate } from './rate.ts'
import { Window, type WindowLimits } from './window.ts'

export type { Interest, RecordFollower }

export interface FeedOptions {
  readonly limits: WindowLimits
  readonly log: Logger
  /** The log for events older than the window. Without it, these are gaps. */
  readonly source?: Source | undefined
  /** Aborted when reading ends. */
  readonly signal?: AbortSignal
  /** The producer of dead letters, for a topic with a dead-letter topic. */
  readonly sink?: Sink | undefined
  /** Identity of an embedded log, for the cursors. */
  readonly epoch?: number | undefined
  /** Version in which cursors are written; if absent, the older of the two that are read. */
  readonly cursorVersion?: number | undefined
  /** Size limit of a record's value; see `MAX_EVENT_BYTES`. */
  readonly maxEventBytes?: number | undefined
}

/**
 * A topic's events in this process. It takes batches from the source, decodes each record once, keeps the window, and
 * notifies the interests whose selection an event meets. Its position is available as a cursor.
 */
export class Feed<V = unknown, I = V> implements FollowedFeed<V> {
  readonly topic: Topic<V>
  /** Identity of an embedded log, in stored form; absent for Kafka. */
  readonly epoch: number | undefined
  readonly window: Window<V>
  readonly poison: DeadLetters
  readonly faults: TopicFaults
  /** Of a topic whose codec fetches what it needs. */
  readonly preparation: Preparation | undefined
  readonly #options: FeedOptions
  readonly #interests: Interests<V>
  readonly #heads = new Heads()
  readonly #isWanted = (): boolean => this.#options.signal?.aborted !== true
  readonly #past: Past<V>
  readonly #intake: Intake<V>
  #cursor = ''
  /** `moves` of the heads when the cursor was encoded: the cache key of `#cursor`. */
  #cursorMoves = -1

  constructor(topic: Topic<V>, options: FeedOptions) {
    this.topic = topic
    this.#options = options
    this.epoch = options.epoch === undefined ? undefined : storedTimestamp(options.epoch)
    topic.validator.prepare()
    this.window = new Window(options.limits, topic.indexed, topic.validator)
    this.poison = new DeadLetters(topic, options.sink, options.log)
    this.faults = new TopicFaults(topic.name, options.log)
    this.#interests = new Interests(this.faults, topic)
    const { source, signal, maxEventBytes, log } = options
    const preparation = Preparation.of(topic as Topic, log, maxEventBytes)
    this.preparation = preparation
    this.#past = new Past({
      topic,
      window: this.window,
      heads: this.#heads,
      source,
      signal,
      maxEventBytes,
      preparation,
    })
    this.#intake = new Intake(this, {
      heads: this.#heads,
      interests: this.#interests,
      past: this.#past,
      log,
      preparation,
      maxEventBytes,
      isWanted: this.#isWanted,
      signal: signal ?? new AbortController().signal,
    })
  }

  /** Events decoded since the start. */
  get events(): number {
    return this.#intake.events
  }

  /** Records without a value that were skipped. */
  get tombstones(): number {
    return this.#intake.tombstones
  }

  /** The last of them. */
  get lastTombstone(): Intake<V>['lastTombstone'] {
    return this.#intake.lastTombstone
  }

  get rate(): Rate {
    return this.#intake.rate
  }

  /** Number of registered interests. */
  get interests(): number {
    return this.#interests.size
  }

  /** Next wanted offset of each partition: the position of this instance. */
  get head(): Vector {
    return this.#heads.next
  }

  /** End offset of each partition, as last reported by the source. */
  get ends(): Vector {
    return this.#heads.ends
  }

  /** The position after everything passed so far. It is encoded once for each position. */
  get cursor(): string {
    const { moves, next } = this.#heads
    if (this.#cursorMoves !== moves) {
      this.#cursor = this.cursorAt(next, this.#intake.fingerprint)
      this.#cursorMoves = moves
    }
    return this.#cursor
  }

  /** The cursor of any position; `fingerprint` is an event just before it, where that is known. */
  cursorAt(positions: Vector, fingerprint?: Fingerprint): string {
    return encodeCursor(this.topic.name, { positions, epoch: this.epoch, fingerprint }, this.#options.cursorVersion)
  }

  /** Lag against the log at the start: offsets still to pass before the feed is filled. */
  get behind(): number {
    return this.#heads.behind
  }

  /** Ready: no lag against the start. */
  get isFilled(): boolean {
    return this.#intake.isFilled
  }

  /** By partition the time since its position last moved, in ms. */
  idleMs(now: number): number[] {
    return this.#heads.idleMs(now)
  }

  /** The log's end offsets, asked apart from the reader. */
  sawEnds(ends: Positions): void {
    for (const [partition, end] of ends) this.#heads.sawEnd(partition, end)
  }

  /** Sets the start offsets, and the end offsets that make the feed ready. Called once, before the first batch. */
  begin(ranges: readonly PartitionRange[], from: Positions): void {
    this.#intake.begin(ranges, from)
  }

  /** Reads the newest events of the log into the window, and begins after them. @throws SourceUnavailable */
  async fill(ranges: readonly PartitionRange[], young: Positions, source: Source): Promise<void> {
    await this.#intake.fill(source, ranges, young, this.#options.limits.maxBytes)
  }

  /** Sets the end offsets that make the feed ready. */
  aimAt(targets: Positions): void {
    this.#intake.aimAt(targets)
  }

  /** Registers the one follower of all records, before the first batch. */
  follow(follower: RecordFollower<V>): void {
    this.#intake.follower = follower
  }

  /** See `Intake`: the position moves with each record. */
  onBatch(batch: Batch): Promise<void> | undefined {
    return this.#intake.onBatch(batch)
  }

  onGap(gap: Gap): void {
    this.#intake.onGap(gap)
  }

  /** Eviction by age, for a topic without new events; in several turns if there is much to evict. */
  async evict(): Promise<void> {
    try {
      await SCANS.run(this.window.evicting(Date.now()), this.#isWanted, () => {})
    } catch (error) {
      this.faults.report(error, 'A window could not let go of old events')
    }
  }

  /**
   * Registers an interest: from now on it receives every event that meets the selection, and every gap. Returns how to
   * remove it.
   * @throws SluiceError `BAD_USER_INPUT` for a selection with too many combinations.
   */
  add(selection: Selection<V> | Conditions<V>, interest: Interest<V>): () => void {
    return this.#interests.add(selection, interest)
  }

  /** Registers an interest in gaps and progress only: for a reader that takes the events from the window later. */
  addToGaps(interest: Interest<V>): () => void {
    return this.#interests.addToGaps(interest)
  }

  /** The topic's events from now on, as an async iterator. */
  subscribe(options: SubscribeOptions<V, I> = {}): EventIterator<V> {
    return new EventIterator(this, options as unknown as SubscribeOptions<V>)
  }

  reportFailed(error: unknown): void {
    this.faults.report(error, 'A subscription failed')
  }

  /** See `Past`. */
  page(partition: number, offset: number, isWanted: () => boolean): Page<V> | Gap | Promise<Page<V> | Gap | undefined> {
    return this.#past.page(partition, offset, isWanted)
  }

  /** Memory of the events that are older than the window, and cached for replays. */
  get pastBytes(): number {
    return this.#past.bytes
  }

  lookUpIn(page: Page<V>): void {
    this.#past.lookUpIn(page)
  }

  prefetch(partition: number, offset: number): void {
    this.#past.prefetch(partition, offset)
  }

  ranges(): Promise<readonly PartitionRange[]> {
    return this.#past.ranges()
  }

  /** The position after a cursor. @throws SluiceError `CURSOR_INVALID` for text that is no cursor of this topic. */
  startAfter(cursor: string): Position<V> {
    return Position.after(this, decodeCursor(this.topic.name, cursor, this.head.length))
  }

  /**
   * The position of the first events whose timestamp is `timestamp` (ms), rounded down to the second, or later; the end,
   * where there are none.
   * @throws SourceUnavailable when the log cannot be reached.
   */
  async startSince(timestamp: number): Promise<Position<V>> {
    const { restarts } = this.window
    const positions = await this.#past.positionsAt(timestamp)
    return Position.after(this, { positions, epoch: this.epoch, fingerprint: undefined }, restarts)
  }

  /**
   * The position before the newest `count` events of the window that meet `where` and match, or before all of them if
   * there are fewer. Events that arrive during the search are after it. The search may take several turns of the event
   * loop. Rejects with what `matches` throws.
   */
  async findLast(
    count: number,
    matches: (event: StreamEvent<V>) => boolean,
    where: Selection<V> = {},
  ): Promise<Position<V>> {
    const { seq } = await newest(this.window, count, matches, new Candidates(this.topic, where))
    return new Position(this, this.window.vectorAt(seq, this.head), seq)
  }

  /** The newest `count` events of the window that meet `where` and match, oldest first. See `findLast`. */
  async newest(
    count: number,
    matches: (event: StreamEvent<V>) => boolean,
    where: Selection<V> = {},
  ): Promise<StreamEvent<V>[]> {
    return (await newest(this.window, count, matches, new Candidates(this.topic, where))).events
  }
}
