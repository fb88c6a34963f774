import { plural } from './format.ts'
import type { Notes } from './notes.ts'

/** Somebody who looks away for less needs no word. ms */
const WORTH_A_NOTE_MS = 30_000

/** What came while nobody looked. */
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
