import { REGIONS } from '../../src/streams/topics/orders.ts'
import { regionSalesKey } from '../../src/streams/topics/region-sales.ts'

const MINUTE_MS = 60_000
const START = Date.parse('2026-01-01T00:00:00.000Z')
/** There is no such row. */
export const NONE = -1

/** What a test wrote to a compacted topic, by partition and offset: of which row, and its number then. */
export class TableLog {
  readonly rows: number
  readonly #partitions: { readonly row: number; readonly orders: number }[][]
  #written = 0

  constructor(rows: number, partitions: number) {
    this.rows = rows
    this.#partitions = Array.from({ length: partitions }, () => [])
  }

  get written(): number {
    return this.#written
  }

  get ends(): number[] {
    return this.#partitions.map(({ length }) => length)
  }

  /** The next record of a row: its number so far, or a tombstone. */
  append(row: number, isRemoved: boolean) {
    const partition = row % this.#partitions.length
    const orders = isRemoved ? NONE : ++this.#written
    this.#partitions[partition]?.push({ row, orders })
    const [region, minute] = [regionOf(row), minuteOf(row)]
    const value = isRemoved ? null : JSON.stringify({ region, minute, orders, sales: `${orders}.00` })
    return { partition, key: regionSalesKey(region, minute), value }
  }

  /** By row its number at a position; `NONE` for one that is not there, or of another region. */
  at(positions: readonly number[], region: string | undefined): Int32Array {
    const numbers = new Int32Array(this.rows).fill(NONE)
    for (const [partition, records] of this.#partitions.entries()) {
      for (let offset = 0; offset < (positions[partition] ?? 0); offset++) {
        const { row, orders } = records[offset] as { row: number; orders: number }
        if (region === undefined || regionOf(row) === region) numbers[row] = orders
      }
    }
    return numbers
  }
}

function regionOf(row: number): string {
  return REGIONS[row % REGIONS.length] as string
}

function minuteOf(row: number): string {
  return new Date(START + Math.floor(row / REGIONS.length) * MINUTE_MS).toISOString()
}

/** The row of a key. */
export function rowOf(key: string): number {
  const [region = '', minute = ''] = key.split('/')
  return ((Date.parse(minute) - START) / MINUTE_MS) * REGIONS.length + REGIONS.indexOf(region as never)
}
