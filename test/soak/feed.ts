/** The one writer of the soak's log: it knows partition and offset of every record, so losses and duplicates are exact. */
import type { AppendedRecord, GatewayProcess } from './child.ts'
import type { HealthyClient } from './healthy.ts'
import {
  ATTACKED_REGION,
  BURST_PARTITIONS,
  HEALTHY_REGIONS,
  orderOf,
  PARTITIONS,
  type Region,
  SHARED_PARTITIONS,
} from './orders.ts'

/** Timestamps as logs have them: now, microseconds, nanoseconds, the least and the most, and before all. */
export const TIMESTAMPS = [
  Date.now() * 1000,
  2 ** 48,
  2 ** 48 - 1,
  Date.now() * 1e6,
  2 ** 53,
  2 ** 63,
  0,
  -1,
  8.64e15 + 1,
] as const

export class Feed {
  readonly #gateway: GatewayProcess
  readonly #next: number[] = Array.from({ length: PARTITIONS }, () => 0)
  /** Offsets of each region's orders, by partition; those of the attacked region are not kept. */
  readonly #produced = new Map<Region, number[][]>()
  #turn = 0
  /** One at a time, since each takes its offsets before it is made. */
  #bursts: Promise<void> = Promise.resolve()

  constructor(gateway: GatewayProcess) {
    this.#gateway = gateway
    for (const region of HEALTHY_REGIONS)
      this.#produced.set(
        region,
        Array.from({ length: PARTITIONS }, () => []),
      )
  }

  /** One order of each healthy region and of the attacked one, each in the next partition. */
  async tick(timestamp?: number): Promise<void> {
    const records = [...HEALTHY_REGIONS, ATTACKED_REGION].map((region) => this.#order(region, timestamp))
    await this.#gateway.ask({ op: 'append', records })
  }

  /** Orders of the attacked region, one after the other. */
  async orders(count: number): Promise<void> {
    const records = Array.from({ length: count }, () => this.#order(ATTACKED_REGION))
    await this.#gateway.ask({ op: 'append', records })
  }

  /** Records that are no orders: bytes as latin1 text. */
  async raw(values: readonly (string | null)[]): Promise<void> {
    const records = values.map((value) => {
      const partition = this.#turn++ % SHARED_PARTITIONS
      this.#next[partition] = (this.#next[partition] as number) + 1
      return { partition, value }
    })
    await this.#gateway.ask({ op: 'append', records })
  }

  /** So many orders of a region that nobody healthy looks at, as one batch. */
  burst(count: number, region: Region = 'SOUTH_AMERICA'): Promise<void> {
    this.#bursts = this.#bursts.then(() => this.#burst(count, region))
    return this.#bursts
  }

  async #burst(count: number, region: Region): Promise<void> {
    const partition = BURST_PARTITIONS[this.#turn++ % BURST_PARTITIONS.length] as number
    const from = this.#next[partition] as number
    this.#next[partition] = from + count
    await this.#gateway.ask({ op: 'burst', partition, from, count, region })
  }

  produced(region: Region): number {
    return (this.#produced.get(region) ?? []).reduce((sum, offsets) => sum + offsets.length, 0)
  }

  /** What is wrong with what a client got, which has been there from before the first tick. */
  judge(client: HealthyClient): { lost: number; twice: number; disordered: number; inGaps: number } {
    const verdict = { lost: 0, twice: 0, disordered: 0, inGaps: 0 }
    for (const [partition, offsets] of (this.#produced.get(client.region) ?? []).entries()) {
      const received = client.received[partition] ?? []
      const set = new Set(received)
      verdict.twice += received.length - set.size
      verdict.disordered += received.filter((offset, i) => offset < (received[i - 1] ?? -1)).length
      const gaps = client.gaps.filter((gap) => gap.partition === partition)
      for (const offset of offsets) {
        if (set.has(offset)) continue
        if (gaps.some(({ from, to }) => offset >= from && offset < to)) verdict.inGaps++
        else verdict.lost++
      }
    }
    return verdict
  }

  #order(region: Region, timestamp?: number): AppendedRecord {
    const partition = this.#turn++ % SHARED_PARTITIONS
    const offset = this.#next[partition] as number
    this.#next[partition] = offset + 1
    this.#produced.get(region)?.[partition]?.push(offset)
    const value = JSON.stringify(orderOf({ partition, offset, region, at: Date.now() }))
    return { partition, value, ...(timestamp !== undefined && { timestamp }) }
  }
}
