/** The orders of the soak. Each says in its id where it is in the log and when it was produced. */
import type { OrderEvent, REGIONS } from '../../src/streams/topics/orders.ts'

export const PARTITIONS = 6
/** Only bursts go into these, which take a while to be made: nothing else waits behind them. */
export const BURST_PARTITIONS: readonly number[] = [4, 5]
export const SHARED_PARTITIONS = PARTITIONS - BURST_PARTITIONS.length
export type Region = (typeof REGIONS)[number]
/** Healthy clients look at these; attackers at the others, which also take what attacks produce. */
export const HEALTHY_REGIONS: readonly Region[] = ['EUROPE', 'ASIA', 'AFRICA']
export const ATTACKED_REGION: Region = 'OCEANIA'

export interface Place {
  readonly partition: number
  readonly offset: number
}

export interface Produced extends Place {
  readonly region: Region
  /** Milliseconds since the epoch. */
  readonly at: number
}

export function orderOf({ partition, offset, region, at }: Produced): OrderEvent {
  return {
    id: `${partition}.${offset}.${at}`,
    merchantId: `m_${offset % 50}`,
    region,
    country: 'NL',
    city: 'Amsterdam',
    lat: 52.37,
    lon: 4.9,
    amount: '129.90',
    currency: 'EUR',
    itemCount: 3,
    status: 'PLACED',
    placedAt: new Date(at).toISOString(),
  }
}

export function placeOf(id: string): Place & { readonly at: number } {
  const [partition = Number.NaN, offset = Number.NaN, at = Number.NaN] = id.split('.').map(Number)
  return { partition, offset, at }
}
