import type { StreamEvent } from '../../streams/event.ts'
import type { Page } from '../../streams/feed/pages.ts'
import type { Position } from '../../streams/feed/position.ts'
import type { OwnFrames } from '../frames/own-frames.ts'
import type { History } from './history.ts'

/** Reads a page of the log for one member. */
export class PageReader {
  readonly #page: Page
  readonly #history: History
  #index = 0

  constructor(page: Page, history: History) {
    this.#page = page
    this.#history = history
    history.open(page)
  }

  /**
   * Gathers frames of unseen events until the write is large enough, or the page ends.
   * @returns whether the page ended; a promise: continue when it is settled.
   */
  read(position: Position, frames: OwnFrames): boolean | Promise<void> {
    const { events } = this.#page
    for (; ; this.#index++) {
      const next = this.#history.nextInPage(this.#page, this.#index)
      // They are of one partition: the last of those that are passed stands for all of them.
      if (next > this.#index) position.take(events[next - 1] as StreamEvent)
      this.#index = next
      const event = events[next]
      if (!event) break
      if (!position.wants(event)) continue
      if (frames.isEnough) return false
      const json = this.#history.jsonOfPage(this.#page, next)
      if (json instanceof Promise) return json
      position.take(event)
      if (json !== null) frames.add(position.cursor, json)
    }
    position.passPage(this.#page)
    return true
  }
}
