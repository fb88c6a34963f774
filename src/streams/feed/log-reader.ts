import { UNKNOWN, type Vector } from '../cursor/vector.ts'
import type { Gap, StreamEvent } from '../event.ts'
import { SCANS } from '../turn-budget.ts'
import type { ReadableFeed } from './feed-view.ts'
import type { Page } from './pages.ts'
import { Position } from './position.ts'

/**
 * Reads a topic from a position, event by event, for slow consumers and for those that start in the past. It reads from
 * the window, or from the log where the window has too little. It holds a position, and no events: the page that it
 * reads may be evicted, and is then fetched again.
 */
export class LogReader<V> {
  readonly #feed: ReadableFeed<V>
  readonly #position: Position<V>
  #gaps: Gap[] = []
  #page: WeakRef<Page<V>> | undefined
  #index = 0
  #closed = false

  constructor(feed: ReadableFeed<V>, position: Position<V> = Position.atHead(feed)) {
    this.#feed = feed
    this.#position = position
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
   * The next matching event, or the gap before it; undefined at the end. A promise, where the log has to be fetched, or
   * the search continues in a later turn of the event loop: call again when it is settled.
   */
  next(matches: (event: StreamEvent<V>) => boolean): StreamEvent<V> | Gap | undefined | Promise<void> {
    SCANS.begin()
    try {
      return this.#next(matches)
    } finally {
      SCANS.end()
    }
  }

  #next(matches: (event: StreamEvent<V>) => boolean): StreamEvent<V> | Gap | undefined | Promise<void> {
    const { window } = this.#feed
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
          break
        }
        case 'window':
          for (let { seq } = next; seq < window.nextSeq; seq++) {
            const event = window.at(seq) as StreamEvent<V>
            this.#position.moveTo(seq + 1)
            if (this.#position.take(event) && matches(event)) return event
            if (SCANS.isUsedUp()) return SCANS.next()
          }
      }
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
    }
  }

  #nextOfPage(matches: (event: StreamEvent<V>) => boolean): StreamEvent<V> | Promise<void> | undefined {
    // The log was recreated meanwhile: the page is of the former one.
    if (this.#position.isStale) this.#page = undefined
    const page = this.#page?.deref()
    if (!page) return undefined
    // Events that the feed has not passed yet arrive with the feed.
    const end = Math.min(page.next, this.#feed.head[page.partition] ?? 0)
    for (;;) {
      const event = page.events[this.#index]
      if (!event || event.offset >= end) break
      this.#index++
      if (this.#position.take(event) && matches(event)) return event
      if (SCANS.isUsedUp()) return SCANS.next()
    }
    this.#position.passPage(page, end)
    this.#page = undefined
    return undefined
  }
}
