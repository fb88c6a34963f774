import type { StreamEvent } from '../../streams/event.ts'
import type { Page } from '../../streams/feed/pages.ts'
import type { Position } from '../../streams/feed/position.ts'
import type { OwnFrames } from '../frames/own-frames.ts'
import type { CatchUp } from './catch-up.ts'
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
   * Has unseen events conflated until there is enough to write, or the page ends.
   * @returns whether the page ended.
   */
  conflate(position: Position, catchUp: CatchUp): boolean {
    const { events } = this.#page
    while (!catchUp.isEnough) {
      const next = this.#passTo(position)
      const event = events[next]
      if (!event) {
        position.passPage(this.#page)
        return true
      }
      this.#index++
      if (position.take(event)) catchUp.offer(event, true)
    }
    return false
  }

  /**
   * Gathers frames of unseen events until the write is large enough, or the page ends.
   * @returns whether the page ended; a promise: continue when it is settled.
   */
  read(position: Position, frames: OwnFrames): boolean | Promise<void> {
    const { events } = this.#page
    for (; ; this.#index++) {
      const next = this.#passTo(position)
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

  /** The place of the next event that the group may select. */
  #passTo(position: Position): number {
    const next = this.#history.nextInPage(this.#page, this.#index)
    // They are of one partition: the last of those that are passed stands for all of them.
    if (next > this.#index) position.take(this.#page.events[next - 1] as StreamEvent)
    this.#index = next
    return next
  }
}
