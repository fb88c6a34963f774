import type { LiveSalesSubscription, Region } from '../gql/graphql.ts'

type Change = LiveSalesSubscription['regionSales']
type Row = NonNullable<Change['row']>

const MINUTE_MS = 60_000
/** Fewest points of a sparkline: fewer show no course. */
const FEWEST_MINUTES = 5

export interface Figures {
  /** Of the last sixty seconds, estimated from the present minute and the one before. */
  readonly perMinute: number
  /** The same, EUR. */
  readonly salesPerMinute: number
  /** Of all rows: the last hour, exactly as the gateway tells it. */
  readonly orders: number
  readonly sales: number
  /** Orders of each minute, oldest first, from the first that the table has on; the last one is under way. */
  readonly minutes: readonly number[]
}

/** The table `regionSales`, as its stream tells it: docs/tables.md. */
export class Sales {
  readonly #rows = new Map<string, Row>()
  /** All rows are there: until then the figures would be too low. */
  isReady = false

  take({ op, key, row }: Change): void {
    switch (op) {
      case 'RESET':
        this.#rows.clear()
        this.isReady = false
        return
      case 'READY':
        this.isReady = true
        return
      case 'REMOVE':
        this.#rows.delete(key ?? '')
        return
      default:
        if (row) this.#rows.set(key ?? '', row)
    }
  }

  /** @param now by the clock of the gateway, ms since the epoch; @param most how many minutes there are to show. */
  figures(region: Region, now: number, most: number): Figures {
    const present = now - (now % MINUTE_MS)
    const count = Math.min(most, Math.max(FEWEST_MINUTES, this.#minutesSince(present)))
    const minutes = new Array<number>(count).fill(0)
    let [orders, sales, before, salesNow, salesBefore] = [0, 0, 0, 0, 0]
    for (const row of this.#rows.values()) {
      if (row.region !== region) continue
      const euros = Number(row.sales.amount)
      orders += row.orders
      sales += euros
      // A row of a future minute (the page's clock is behind) counts as the present one.
      const age = Math.max(0, Math.round((present - Date.parse(row.minute)) / MINUTE_MS))
      if (age < count) minutes[count - 1 - age]! += row.orders
      if (age === 0) salesNow += euros
      if (age !== 1) continue
      before += row.orders
      salesBefore += euros
    }
    const left = 1 - (now - present) / MINUTE_MS
    return {
      perMinute: minutes[count - 1]! + before * left,
      salesPerMinute: salesNow + salesBefore * left,
      orders,
      sales,
      minutes,
    }
  }

  /** Of all regions, so that their lines begin at one moment. */
  #minutesSince(present: number): number {
    let oldest = present
    for (const { minute } of this.#rows.values()) oldest = Math.min(oldest, Date.parse(minute))
    return Math.round((present - oldest) / MINUTE_MS) + 1
  }
}
