import type { Gap } from '@sluice/client'
import { plural } from './format.ts'
import { byId } from './page.ts'

/** Limit of notes shown at a time: the newest replace the oldest. */
const MAX_NOTES = 3

/** Dismissible messages over the map: gaps, failed events, own orders. */
export class Notes {
  readonly #host = byId('notes')
  gaps = 0
  eventErrors = 0

  gap(gap: Gap): void {
    this.gaps++
    const lost = gap.gaps.reduce((sum, { from, to }) => sum + Math.max(0, to - from), 0)
    const where = gap.gaps.map(({ partition, from, to }) => `partition ${partition}: ${from} to ${to - 1}`).join(', ')
    const what = lost > 0 ? `Up to ${plural(lost, 'order')} are gone` : 'Orders are gone'
    this.say(`${what} from ${gap.topic || 'the log'}, and the stream goes on.`, where)
  }

  eventError(): void {
    this.eventErrors++
    this.say(`${plural(this.eventErrors, 'order')} could not be shown: the gateway could not resolve them.`)
  }

  say(text: string, details = '', tone: 'good' | 'warn' = 'warn'): void {
    const note = document.createElement('p')
    note.append(text)
    note.dataset.tone = tone
    if (details) {
      const small = document.createElement('small')
      small.textContent = details
      note.append(small)
    }
    const close = document.createElement('button')
    close.type = 'button'
    close.textContent = '×'
    close.setAttribute('aria-label', 'Close this note')
    close.addEventListener('click', () => note.remove())
    note.append(close)
    this.#host.append(note)
    while (this.#host.childElementCount > MAX_NOTES) this.#host.firstElementChild?.remove()
  }
}
