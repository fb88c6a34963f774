import { UNKNOWN, type Vector } from '../cursor/vector.ts'
import type { Gap, StreamEvent } from '../event.ts'
import type { Selection } from '../topic/where.ts'
import { LOOK_EVERY, SCANS } from '../turn-budget.ts'
import { Candidates } from './candidates.ts'
import type { Conditions } from './conditions.ts'
import type { ReadableFeed } from './feed-view.ts'
import type { Page } from './pages.ts'
import { Position } from './position.ts'

/**
 * Reads a topic from a position, event by event, for slow consumers and for those that start in the past. It reads from
 * the window, or from the log where the window has too little. Events that do not meet its `where` are passed together.
 * It holds a position, and no events: the page that it reads may be evicted, and is then fetched again.
 */
export class LogReader<V> {
  readonly #feed: ReadableFeed<V>
  readonly #position: Position<V>
  readonly #candidates: Candidates<V>
  #gaps: Gap[] = []
  #page: WeakRef<Page<V>> | undefined
  #index = 0
  #closed = false

  constructor(
    feed: ReadableFeed<V>,
    position: Position<V> = Position.atHead(feed),
    where: Selection<V> | Conditions<V> = {},
  ) {
    this.#feed = feed
    this.#position = position
    this.#candidates = new Candidates(feed.topic, where)
  }

  /** Next wanted offset of each partition: the events before it were read, or passed because they do not match. */
  get vector(): Vector {
    return this.#position.vector
  }

  /**
   * Sequence number in the window: all before it has been read, and nothing from it on. Below the window's first while
   * the reader reads from the log.
   */
  get seq(): number {
    const { seq, vector } = this.#position
    return this.#feed.window.endOf(vector) <= seq ? seq : UNKNOWN
  }

  get cursor(): string {
    return this.#position.cursor
  }

  /** Whether the feed's position covers this one, so that the consumer can follow the feed instead. */
  get isCovered(): boolean {
    return !this.#position.isStale && !this.#position.isAhead
  }

  /** Checks whether the log ends before the position. `next` then reports it. @throws SourceUnavailable */
  async checkEnds(): Promise<void> {
    const ranges = await this.#feed.ranges()
    this.#gaps.push(...this.#position.passEnds(ranges))
  }

  /** The gaps that were found together with the one just returned: the position is after all of them. */
  otherGaps(): Gap[] {
    return this.#gaps.splice(0)
  }

  /** Ends reading. */
  close(): void {
    this.#closed = true
    this.#page = undefined
  }

  /**
   * The next event that meets the `where` and matches, or the gap before it; undefined at the end. A promise, where the
   * log has to be fetched, or the search continues in a later turn of the event loop: call again when it is settled.
   */
  next(matches: (event: StreamEvent<V>) => boolean = () => true): StreamEvent<V> | Gap | undefined | Promise<void> {
    SCANS.begin()
    try {
      return this.#next(matches)
    } finally {
      SCANS.end()
    }
  }

  #next(matches: (event: StreamEvent<V>) => boolean): StreamEvent<V> | Gap | undefined | Promise<void> {
    for (;;) {
      const found = this.#gaps.shift() ?? this.#nextOfPage(matches)
      if (found !== undefined) return found
      const next = this.#position.next()
      switch (next.kind) {
        case 'gaps':
          this.#gaps = [...next.gaps]
          break
        case 'head':
          return undefined
        case 'log': {
          const page = this.#feed.page(next.partition, next.offset, () => !this.#closed)
          if (page instanceof Promise) return page.then((settled) => this.#open(settled))
          this.#open(page)
          // To make its postings takes as long as to look at all of its events.
          if (SCANS.isUsedUp(LOOK_EVERY)) return SCANS.next()
          break
        }
        case 'window': {
          const event = this.#nextOfWindow(next.seq, matches)
          if (event !== undefined) return event
        }
      }
    }
  }

  #nextOfWindow(from: number, matches: (event: StreamEvent<V>) => boolean): StreamEvent<V> | Promise<void> | undefined {
    const { window } = this.#feed
    const position = this.#position
    for (let at = from; ; at++) {
      at = this.#candidates.next(window.postings, at, window.nextSeq)
      position.passTo(at)
      if (at === window.nextSeq) return undefined
      const event = window.at(at) as StreamEvent<V>
      position.moveTo(at + 1)
      if (position.take(event) && this.#candidates.meets(event) && matches(event)) return event
      if (SCANS.isUsedUp()) return SCANS.next()
    }
  }

  #open(found: Page<V> | Gap | undefined): void {
    if (found?.kind === 'gap') {
      const gap = this.#position.passGap(found)
      if (gap) this.#gaps.push(gap)
    } else if (found) {
      this.#position.check(found)
      this.#page = this.#position.isStale ? undefined : new WeakRef(found)
      this.#index = 0
      if (this.#candidates.isNarrow) this.#feed.lookUpIn(found)
    }
  }

  #nextOfPage(matches: (event: StreamEvent<V>) => boolean): StreamEvent<V> | Promise<void> | undefined {
    // The log was recreated meanwhile: the page is of the former one.
    if (this.#position.isStale) this.#page = undefined
    const page = this.#page?.deref()
    if (!page) return undefined
    const { events, postings } = page
    while (this.#index < events.length) {
      const at = this.#candidates.next(postings, this.#index, events.length)
      // They are of one partition: the last of those that are passed stands for all of them.
      if (at > this.#index) this.#position.take(events[at - 1] as StreamEvent<V>)
      this.#index = at + 1
      if (at === events.length) break
      const event = events[at] as StreamEvent<V>
      if (this.#position.take(event) && this.#candidates.meets(event) && matches(event)) return event
      if (SCANS.isUsedUp()) return SCANS.next()
    }
    this.#position.passPage(page)
    this.#page = undefined
    return undefined
  }
}
