import type { MapOrderFragment } from '../gql/graphql.ts'

/** Newest orders by id, for a list: an order that shows again, with another status, moves to the top. */
export class RecentOrders {
  readonly #max: number
  /** In the order in which they came: the newest last. */
  readonly #byId = new Map<string, MapOrderFragment>()

  constructor(max: number) {
    this.#max = max
  }

  add(order: MapOrderFragment): void {
    this.#byId.delete(order.id)
    this.#byId.set(order.id, order)
    if (this.#byId.size <= this.#max) return
    for (const oldest of this.#byId.keys()) {
      this.#byId.delete(oldest)
      return
    }
  }

  clear(): void {
    this.#byId.clear()
  }

  /** Newest first. */
  list(): MapOrderFragment[] {
    return [...this.#byId.values()].reverse()
  }
}
