import { plural } from './format.ts'
import type { Notes } from './notes.ts'

/** Shortest absence that gets a note, ms. */
const WORTH_A_NOTE_MS = 30_000

/** Counts the orders that arrive while the page is hidden, and tells the count afterwards. */
export class Away {
  #since = 0
  #orders = 0

  constructor(notes: Notes) {
    document.addEventListener('visibilitychange', () => {
      if (document.hidden) {
        this.#since = performance.now()
        this.#orders = 0
        return
      }
      const awayMs = performance.now() - this.#since
      if (awayMs < WORTH_A_NOTE_MS || this.#orders === 0) return
      notes.say(
        `While you were away, ${plural(this.#orders, 'order')} came. They are counted, and not drawn one by one.`,
        '',
        'good',
      )
    })
  }

  count(): void {
    if (document.hidden) this.#orders++
  }
}
