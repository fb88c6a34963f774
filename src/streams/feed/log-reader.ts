import { UNKNOWN, type Vector } from '../cursor/vector.ts'
import type { Gap, StreamEvent } from '../event.ts'
import { SCANS } from '../turn-budget.ts'
import type { ReadableFeed } from './feed-view.ts'
import type { Page } from './pages.ts'
import { Position } from './position.ts'

/**
 * Reads a topic on from a position, event by event, for those who cannot take events as they come, or want earlier
 * ones: from the window, or from the log where the window has too little. It keeps its position, and no
 * events: the page that it is in may go, and is then read again.
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

  /** Next wanted offset of each partition: what has been read, or passed over because it does not match. */
  get vector(): Vector {
    return this.#position.vector
  }

  /** In the window: all before it has been read, and nothing from it on. Below it, while that cannot be said. */
  get seq(): number {
    const { seq, vector } = this.#position
    return this.#feed.window.endOf(vector) <= seq ? seq : UNKNOWN
  }

  get cursor(): string {
    return this.#position.cursor
  }

  /** Whether the feed has passed all that this has, so that it can be followed instead. */
  get isCovered(): boolean {
    return !this.#position.isStale && !this.#position.isAhead
  }

  /** Finds out whether the log ends before the position, which `next` then tells. @throws SourceUnavailable */
  async checkEnds(): Promise<void> {
    const ranges = await this.#feed.ranges()
    this.#gaps.push(...this.#position.passEnds(ranges))
  }

  /** The gaps that were found with the one just given: the position is behind all of them, so they are told together. */
  otherGaps(): Gap[] {
    return this.#gaps.splice(0)
  }

  /** Nothing more is wanted. */
  close(): void {
    this.#closed = true
    this.#page = undefined
  }

  /**
   * The next event that matches, or what is missing before it; undefined at the end of what there is. A promise, where
   * the log has to be asked, or the search goes on in a later turn of the event loop: call again when it is settled.
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
    // A page of a log that has been replaced meanwhile is none of this one.
    if (this.#position.isStale) this.#page = undefined
    const page = this.#page?.deref()
    if (!page) return undefined
    // What the feed has not passed yet is still to come with it.
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
