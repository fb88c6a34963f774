import type { OrderEvent } from '../streams/topics/orders.ts'
import type { Random } from './random.ts'

/** What comes after a status, and how often; the rest of the orders stay as they are. Statuses only move forward. */
const NEXT: Readonly<
  Record<OrderEvent['status'], readonly { readonly status: OrderEvent['status']; readonly share: number }[]>
> = {
  PLACED: [
    { status: 'PAID', share: 0.27 },
    { status: 'CANCELLED', share: 0.03 },
  ],
  PAID: [
    { status: 'SHIPPED', share: 0.6 },
    { status: 'CANCELLED', share: 0.04 },
  ],
  SHIPPED: [],
  CANCELLED: [],
}

/** Half of all follow-ups are due within this time: soon enough for a person who watches a demo. */
const MEDIAN_DELAY_MS = 20_000

/**
 * Limit of the remembered orders that have a follow-up: about 5 MiB, or twenty seconds of some 1,200 orders a second.
 * Faster feeds reach it, and follow-ups are then early, so that the mix of statuses stays the same.
 */
const MAX_OPEN_ORDERS = 10_000

/**
 * Share of follow-ups among the events while any are due. It exceeds their arrival rate, so that they catch up after a
 * pause.
 */
const SHARE_OF_EVENTS = 0.5

/** The orders to which something will happen, earliest first. */
export interface FollowUps {
  /** Decides whether something follows on this event, and if so remembers it. `now` in ms. */
  add(order: OrderEvent, now: number): void
  /** The next event of an earlier order, if it is time for one. `now` in ms. */
  take(now: number): OrderEvent | undefined
}

interface Due {
  readonly at: number
  readonly order: OrderEvent
}

export function createFollowUps(random: Random, limit = MAX_OPEN_ORDERS): FollowUps {
  /** A binary heap: no entry is due before its parent, at (index - 1) >> 1. */
  const heap: Due[] = []

  const push = (due: Due) => {
    let index = heap.length
    for (; index > 0; ) {
      const parent = (index - 1) >> 1
      if (heap[parent]!.at <= due.at) break
      heap[index] = heap[parent]!
      index = parent
    }
    heap[index] = due
  }

  const pop = (): Due => {
    const first = heap[0]!
    const last = heap.pop()!
    if (heap.length > 0) {
      let index = 0
      for (;;) {
        let child = 2 * index + 1
        if (child >= heap.length) break
        if (child + 1 < heap.length && heap[child + 1]!.at < heap[child]!.at) child++
        if (heap[child]!.at >= last.at) break
        heap[index] = heap[child]!
        index = child
      }
      heap[index] = last
    }
    return first
  }

  const add = (order: OrderEvent, now: number) => {
    let at = random.float()
    for (const { status, share } of NEXT[order.status]) {
      if (at < share) {
        if (heap.length < limit)
          push({ at: now + MEDIAN_DELAY_MS * Math.exp(random.normal()), order: { ...order, status } })
        return
      }
      at -= share
    }
  }

  const take = (now: number) => {
    const first = heap[0]
    if (!first || (first.at > now && heap.length < limit) || random.float() >= SHARE_OF_EVENTS) return undefined
    const { order } = pop()
    add(order, now)
    return order
  }

  return { add, take }
}
