import { byId, setText } from './page.ts'

/** Minimum interval of spoken summaries: more often, a screen reader would never be silent. */
const EVERY_MS = 60_000

export class Announcer {
  readonly #host = byId('announcer')
  #saidAt = Number.NEGATIVE_INFINITY
  #status = ''

  /** Says a change of the connection at once, and figures once a minute. */
  tell(status: string, figures: () => string, now: number): void {
    const isNews = status !== this.#status && this.#status !== ''
    this.#status = status
    if (isNews && status !== 'Reconnecting') setText(this.#host, `Connection: ${status}`)
    if (now - this.#saidAt < EVERY_MS || status !== 'Live') return
    this.#saidAt = now
    setText(this.#host, figures())
  }
}
