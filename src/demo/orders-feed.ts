import type { OrderEvent } from '../streams/topics/orders.ts'
import { amountText } from './amounts.ts'
import { chooseCustomer } from './customers.ts'
import { createFollowUps } from './follow-ups.ts'
import { createMerchantChoice, createMerchants } from './merchants.ts'
import { createOrderIds } from './order-ids.ts'
import { loadPlaces } from './places.ts'
import { createRandom } from './random.ts'
import { weighted } from './weighted.ts'

export interface OrderFeed {
  /**
   * The next event: a new order, or a later status of an earlier one. `now` is milliseconds since the epoch; a clock
   * that is set back is treated as unchanged.
   */
  next(now: number): OrderEvent
}

export interface OrderFeedOptions {
  /** An integer. With the same seed and the same times, the events are the same. */
  readonly seed: number
}

/** Any number: two feeds must not get each other's customers. */
const CUSTOMERS_SEED = 7_919

/** Limit of the items of an order. */
const MOST_ITEMS = 500

/** Orders from all over the world, as real as a demo needs them. Each property says where it comes from below. */
export function createOrderFeed({ seed }: OrderFeedOptions): OrderFeed {
  if (!Number.isSafeInteger(seed)) throw new RangeError(`A seed is an integer, not ${seed}`)
  const random = createRandom(seed)
  const nextId = createOrderIds(random)
  // A sequence of its own: everything else of a seed is what it was before orders had customers.
  const customers = createRandom(seed + CUSTOMERS_SEED)
  const followUps = createFollowUps(random)
  const places = loadPlaces()
  const choosePlace = weighted(places, (place) => place.population)
  const chooseMerchant = createMerchantChoice(createMerchants(places))
  let latest = 0

  const placed = (now: number): OrderEvent => {
    const place = choosePlace(random.float())
    const merchant = chooseMerchant(place, random)
    // A long tail (Pareto, exponent 1.6): two in three orders are of one item, one in a hundred of 18 or more.
    const itemCount = Math.min(MOST_ITEMS, Math.floor((1 - random.float()) ** (-1 / 1.6)))
    // Bulk discount, hence the exponent.
    const dollars = merchant.itemPrice * itemCount ** 0.7 * Math.exp(0.5 * random.normal())
    const customer = chooseCustomer(customers)
    return {
      id: nextId(now),
      merchantId: merchant.id,
      region: place.region,
      country: place.country,
      city: place.city,
      lat: place.lat,
      lon: place.lon,
      amount: amountText(dollars, place.currency),
      currency: place.currency,
      itemCount,
      status: 'PLACED',
      placedAt: new Date(now).toISOString(),
      ...(customer && { customer }),
    }
  }

  return {
    next(now) {
      latest = Math.max(latest, now)
      const followUp = followUps.take(latest)
      if (followUp) return followUp
      const order = placed(latest)
      followUps.add(order, latest)
      return order
    },
  }
}
