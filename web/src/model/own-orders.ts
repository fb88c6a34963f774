import type { MapOrderFragment } from '../gql/graphql.ts'

/** Limit of remembered own orders. */
const MAX_OWN = 200
/** Limit of remembered drawing times: the stream may deliver an order before the mutation is answered. */
const MAX_DRAWN = 1_000

/** One's own orders: when each was sent, and when it was seen. Times by `performance.now`, ms. */
export class OwnOrders {
  readonly ids = new Set<string>()
  readonly #waiting = new Map<string, number>()
  readonly #drawnAt = new Map<string, number>()

  /** The answer has come. @returns how long it took until it was drawn, if it was, ms. */
  placed({ id }: MapOrderFragment, sentAt: number): number | undefined {
    keep(this.ids, MAX_OWN)
    this.ids.add(id)
    const drawnAt = this.#drawnAt.get(id)
    if (drawnAt !== undefined) return drawnAt - sentAt
    keep(this.#waiting, MAX_OWN)
    this.#waiting.set(id, sentAt)
    return undefined
  }

  /** @returns how long it took, if it is one's own and its answer has come, ms. */
  drawn({ id }: MapOrderFragment, at: number): number | undefined {
    keep(this.#drawnAt, MAX_DRAWN)
    this.#drawnAt.set(id, at)
    const sentAt = this.#waiting.get(id)
    if (sentAt === undefined) return undefined
    this.#waiting.delete(id)
    return at - sentAt
  }
}

/** Makes room for one more, of the oldest. */
function keep(all: Set<string> | Map<string, number>, max: number): void {
  if (all.size < max) return
  for (const oldest of all.keys()) {
    all.delete(oldest)
    return
  }
}
