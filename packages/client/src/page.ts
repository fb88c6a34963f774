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
  readonly #alarms = new Set<{ readonly due: number; readonly soonest: number; readonly ring: () => void }>()
  readonly #users = new Set<() => void>()
  readonly #wake = () => this.#ring('due')
  /** The network is back: a wait that no server asked for has lost its reason. */
  readonly #online = () => this.#ring('soonest')
  readonly #hide = () => {
    for (const onHide of this.#users) onHide()
  }

  readonly alarm: Alarm = (ms, ring, soonestMs = ms) => {
    const now = Date.now()
    const entry = { due: now + ms, soonest: now + soonestMs, ring }
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

  #ring(moment: 'due' | 'soonest'): void {
    const now = Date.now()
    for (const entry of [...this.#alarms]) if (entry[moment] <= now) entry.ring()
  }

  #listen(method: 'addEventListener' | 'removeEventListener'): void {
    const own = globalThis as Target & { document?: Target }
    own.document?.[method]?.('visibilitychange', this.#wake)
    own[method]?.('pageshow', this.#wake)
    own[method]?.('online', this.#online)
    own[method]?.('pagehide', this.#hide)
  }
}
