import type { OutgoingRecord } from 'sluice'
import { type OrderEvent, REGIONS } from '../streams/topics/orders.ts'
import { type RegionSales, regionSalesKey } from '../streams/topics/region-sales.ts'
import { euroCents } from './amounts.ts'

const MINUTE_MS = 60_000
/** Rows of older minutes are removed. */
const KEPT_MINUTES = 60

interface Total {
  readonly region: OrderEvent['region']
  /** Start of the minute, in ms since the epoch. */
  readonly minute: number
  orders: number
  cents: bigint
}

/**
 * Running totals of orders by region and minute, of at most an hour. Only minutes from `from` on are counted, in ms since
 * the epoch: an earlier run of the feed may have told of the one before.
 */
export class RegionTotals {
  readonly #from: number
  /** By key. */
  readonly #totals = new Map<string, Total>()
  readonly #changed = new Set<string>()
  /** The minute up to which rows have been removed. */
  #removedBefore: number

  constructor(from: number) {
    this.#from = Math.ceil(from / MINUTE_MS) * MINUTE_MS
    // What an earlier run told of in the hour before is removed in its time.
    this.#removedBefore = this.#from - KEPT_MINUTES * MINUTE_MS
  }

  /** Counts an order that was placed; a later status of it is no order. */
  add({ status, region, placedAt, amount, currency }: OrderEvent): void {
    if (status !== 'PLACED') return
    const time = Date.parse(placedAt)
    const minute = time - (time % MINUTE_MS)
    if (minute < this.#from) return
    const key = keyOf(region, minute)
    let total = this.#totals.get(key)
    if (!total) {
      total = { region, minute, orders: 0, cents: 0n }
      this.#totals.set(key, total)
    }
    total.orders++
    total.cents += euroCents(amount, currency)
    this.#changed.add(key)
  }

  /** The records that say what has changed since the last call: totals, and tombstones of old minutes. */
  take(now: number): OutgoingRecord[] {
    const records: OutgoingRecord[] = []
    for (const key of this.#changed) {
      const total = this.#totals.get(key)
      if (total) records.push({ key, value: JSON.stringify(salesOf(total)) })
    }
    this.#changed.clear()
    const before = now - (now % MINUTE_MS) - (KEPT_MINUTES - 1) * MINUTE_MS
    for (; this.#removedBefore < before; this.#removedBefore += MINUTE_MS) {
      for (const region of REGIONS) {
        const key = keyOf(region, this.#removedBefore)
        this.#totals.delete(key)
        records.push({ key, value: null })
      }
    }
    return records
  }
}

function keyOf(region: string, minute: number): string {
  return regionSalesKey(region, new Date(minute).toISOString())
}

function salesOf({ region, minute, orders, cents }: Total): RegionSales {
  const whole = cents / 100n
  const sales = `${whole}.${String(cents % 100n).padStart(2, '0')}`
  return { region, minute: new Date(minute).toISOString(), orders, sales }
}
