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
  }

  /**
   * Gathers frames of unseen events until the write is large enough, or the page ends.
   * @returns whether the page ended; a promise: continue when it is settled.
   */
  read(position: Position, frames: OwnFrames): boolean | Promise<void> {
    const { events } = this.#page
    for (; this.#index < events.length; this.#index++) {
      const event = events[this.#index] as StreamEvent
      if (!position.wants(event)) continue
      if (frames.isEnough) return false
      const json = this.#history.jsonOfPage(this.#page, this.#index)
      if (json instanceof Promise) return json
      position.take(event)
      if (json !== null) frames.add(position.cursor, json)
    }
    position.passPage(this.#page)
    return true
  }
}
