import type { Alarm } from './retry.ts'

type Event = 'visibilitychange' | 'pageshow' | 'online' | 'pagehide'
interface Target {
  addEventListener?(event: Event, listener: () => void): void
  removeEventListener?(event: Event, listener: () => void): void
}

/**
 * The page that a client runs in, if it runs in one. Browsers slow down the timers of hidden tabs and stop them while the
 * computer sleeps: when the page wakes up, alarms ring that are due by the clock. It is listened to while it is used.
 */
export class Page {
  readonly #alarms = new Set<{ readonly due: number; readonly ring: () => void }>()
  readonly #users = new Set<() => void>()
  readonly #wake = () => {
    const now = Date.now()
    for (const { due, ring } of [...this.#alarms]) if (due <= now) ring()
  }
  readonly #hide = () => {
    for (const onHide of this.#users) onHide()
  }

  readonly alarm: Alarm = (ms, ring) => {
    const entry = { due: Date.now() + ms, ring }
    this.#alarms.add(entry)
    const timer = setTimeout(ring, ms)
    return () => {
      clearTimeout(timer)
      this.#alarms.delete(entry)
    }
  }

  /** @param onHide called when the page may be about to go. @returns what ends the use */
  use(onHide: () => void): () => void {
    if (this.#users.size === 0) this.#listen('addEventListener')
    this.#users.add(onHide)
    return () => {
      if (this.#users.delete(onHide) && this.#users.size === 0) this.#listen('removeEventListener')
    }
  }

  #listen(method: 'addEventListener' | 'removeEventListener'): void {
    const own = globalThis as Target & { document?: Target }
    own.document?.[method]?.('visibilitychange', this.#wake)
    own[method]?.('pageshow', this.#wake)
    own[method]?.('online', this.#wake)
    own[method]?.('pagehide', this.#hide)
  }
}
