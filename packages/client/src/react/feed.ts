import { contain } from '../listeners.ts'
import type { Gap, Operation, Result, SluiceClient, SluiceSubscription } from '../sluice-client.ts'
import { onNextFrame } from './next-frame.ts'
import type { FeedStatus, View, ViewKind } from './view.ts'

/** A page that shows gaps shows the newest ones; each may name as many partitions as its topic has. */
const MAX_GAPS = 20

/** What a component hears of each result as it comes, and not only before a frame. */
export interface FeedListeners {
  readonly onResult?: ((result: Result) => void) | undefined
  readonly onGap?: ((gap: Gap) => void) | undefined
  readonly onEventError?: ((result: Result) => void) | undefined
}

/** A component that shows a view. */
export interface Reader {
  changed(): void
  listeners(): FeedListeners
}

interface Shown<Snapshot> {
  readonly view: View<Snapshot>
  snapshot: Snapshot
}

/** One subscription and all that is shown of it. Views take results as they come, and are shown once a frame. */
export class Feed {
  #status: FeedStatus = { state: { status: 'connecting' }, error: undefined, gaps: [] }
  readonly #views = new Map<string, Shown<unknown>>()
  readonly #readers = new Set<Reader>()
  readonly #ended: () => void
  #subscription: SluiceSubscription | undefined
  #cancelFrame: (() => void) | undefined
  /** A view that comes later would miss what has passed. */
  #begun = false

  /** @param ended it is no longer one to join */
  constructor(ended: () => void) {
    this.#ended = ended
  }

  start(client: SluiceClient, operation: Operation): void {
    this.#subscription = client.subscribe<unknown, Record<string, unknown>>(operation, {
      next: (result) => {
        if (!result.data) return
        this.#begun = true
        for (const { view } of this.#views.values()) view.take(result)
        this.#tell(({ onResult }) => onResult?.(result))
      },
      onState: (state) => {
        const error = state.status === 'ended' ? state.error : undefined
        if (state.status === 'ended') this.#ended()
        this.#become({ state, error })
      },
      onGap: (gap) => {
        this.#become({ gaps: [...this.#status.gaps, gap].slice(-MAX_GAPS) })
        this.#tell(({ onGap }) => onGap?.(gap))
      },
      onEventError: (result) => {
        for (const { view } of this.#views.values()) view.take(result)
        this.#tell(({ onEventError }) => onEventError?.(result))
      },
      // The state has them.
      error: () => {},
      onCaughtUp: () => {},
    })
  }

  canShow({ key }: ViewKind<unknown>): boolean {
    return !this.#begun || this.#views.has(key)
  }

  has({ key }: ViewKind<unknown>): boolean {
    return this.#views.has(key)
  }

  snapshot<Snapshot>(kind: ViewKind<Snapshot>): Snapshot {
    return this.#shown(kind).snapshot
  }

  /** @returns what ends it. Who comes back in the same turn, as in React's strict mode, finds the feed as it was */
  join(kind: ViewKind<unknown>, reader: Reader): () => void {
    this.#shown(kind)
    this.#readers.add(reader)
    return () => {
      this.#readers.delete(reader)
      queueMicrotask(() => {
        if (this.#readers.size === 0) this.#stop()
      })
    }
  }

  #shown<Snapshot>({ key, make }: ViewKind<Snapshot>): Shown<Snapshot> {
    let shown = this.#views.get(key) as Shown<Snapshot> | undefined
    if (!shown) {
      const view = make()
      shown = { view, snapshot: view.snapshot(this.#status) }
      this.#views.set(key, shown)
    }
    return shown
  }

  #become(change: Partial<FeedStatus>): void {
    this.#status = { ...this.#status, ...change }
    this.#show()
  }

  #tell(what: (listeners: FeedListeners) => void): void {
    for (const reader of this.#readers) contain(() => what(reader.listeners()))
    this.#show()
  }

  #show(): void {
    this.#cancelFrame ??= onNextFrame(() => {
      this.#cancelFrame = undefined
      for (const shown of this.#views.values()) shown.snapshot = shown.view.snapshot(this.#status)
      for (const reader of this.#readers) reader.changed()
    })
  }

  #stop(): void {
    this.#ended()
    this.#subscription?.unsubscribe()
    this.#cancelFrame?.()
  }
}
