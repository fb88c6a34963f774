import type { ConnectionState, Gap, SluiceClient, SluiceSubscription } from '@sluice/client'
import type { MapOrderFragment } from '../gql/graphql.ts'
import type { View } from '../model/view.ts'
import { subscribeToOrders } from './orders.ts'
import type { PausableFetch } from './pausable-fetch.ts'

export interface SessionOptions {
  /** Its bodies can be left unread, by `pausable`. */
  readonly client: SluiceClient
  readonly pausable: PausableFetch
  /** Another client, for a subscription beside it. */
  readonly witnessClient: SluiceClient
  /** @param isPast one of those with which the view began. */
  onOrder(order: MapOrderFragment, isPast: boolean): void
  onGap(gap: Gap): void
  onEventError(): void
}

/** Callbacks of a temporary observer. */
export interface Watcher {
  order?(order: MapOrderFragment): void
  state?(state: ConnectionState): void
  caughtUp?(): void
}

/** The page's subscription to orders, whatever its view is at the moment. */
export class Session {
  readonly #options: SessionOptions
  readonly #watchers = new Set<Watcher>()
  #view: View = {}
  #subscription: SluiceSubscription | undefined
  #isPast = true
  state: ConnectionState = { status: 'connecting' }

  constructor(options: SessionOptions) {
    this.#options = options
  }

  /** What the view begins with has come: all else is new. */
  get hasBegun(): boolean {
    return !this.#isPast
  }

  get position(): string {
    return this.#subscription?.position ?? ''
  }

  get pausable(): PausableFetch {
    return this.#options.pausable
  }

  /** Subscribes to a view, in place of the one before. */
  open(view: View): void {
    const { client, onGap, onEventError } = this.#options
    const former = this.#subscription
    this.#subscription = undefined
    former?.unsubscribe()
    this.#view = view
    this.#isPast = true
    this.state = { status: 'connecting' }
    // Late callbacks of a former subscription are ignored.
    let own: SluiceSubscription | undefined
    const isCurrent = () => own === undefined || own === this.#subscription
    own = subscribeToOrders(client, view, {
      order: (order) => {
        if (isCurrent()) this.#take(order)
      },
      onState: (state) => {
        if (!isCurrent()) return
        this.state = this.#brokenSinceFirst(state)
        for (const watcher of this.#watchers) watcher.state?.(state)
      },
      onCaughtUp: () => {
        if (!isCurrent()) return
        this.#isPast = false
        for (const watcher of this.#watchers) watcher.caughtUp?.()
      },
      onGap,
      onEventError,
    })
    this.#subscription = own
  }

  reopen(): void {
    this.open(this.#view)
  }

  cut(): void {
    this.#subscription?.cut()
  }

  /** @returns what ends it. */
  watch(watcher: Watcher): () => void {
    this.#watchers.add(watcher)
    return () => void this.#watchers.delete(watcher)
  }

  /** A second subscription to the same view, by a connection of its own: what it gets from now on. */
  openWitness(watcher: Watcher): SluiceSubscription {
    const { order, state } = watcher
    const observer = { order: order ?? (() => {}), onGap() {}, onCaughtUp() {}, onEventError() {} }
    return subscribeToOrders(
      this.#options.witnessClient,
      this.#view,
      { ...observer, ...(state && { onState: state }) },
      0,
    )
  }

  /** Attempts that fail in a row are one interruption, which began with the first. */
  #brokenSinceFirst(state: ConnectionState): ConnectionState {
    const { state: former } = this
    if (state.status !== 'reconnecting' || former.status !== 'reconnecting') return state
    return { ...state, since: Math.min(state.since, former.since) }
  }

  #take(order: MapOrderFragment): void {
    this.#options.onOrder(order, this.#isPast)
    for (const watcher of this.#watchers) watcher.order?.(order)
  }
}
