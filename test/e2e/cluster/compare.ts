import type { Offsets } from '../../../deploy/kafka/administrator.ts'
import type { Placed } from '../../kit/java-clients.ts'
import type { Came, GapCame } from './clients.ts'

type Place = Pick<Placed, 'partition' | 'offset'>

/** What Kafka's own consumer has found in the log at the end of a fault. */
export interface Log {
  /** Where each order is that a client was to get, since the first fault. */
  readonly places: ReadonlyMap<string, Place>
  /** The first offset of each partition since the last fault; a partition that is not there is new. */
  readonly starts: Offsets
  /** Orders that were in the log, and are not any more: an unclean election has lost them. */
  readonly gone: ReadonlySet<string>
}

export interface Comparison {
  received: number
  /** Orders of the log that did not come, and no gap says that they are gone. */
  lost: number
  /** Orders that came again, and no gap says that reading goes back before them. */
  twice: number
  /** Orders that came after a later one of their partition. */
  disordered: number
  /** What came, and is not in the log. */
  unknown: number
  /** Orders that came, and were lost by an unclean election later. */
  gone: number
  readonly gaps: readonly GapCame[]
}

const keyOf = ({ partition, offset }: Place): string => `${partition} ${offset}`

/** What came to a client since the last fault, against the log. */
export function compare({ places, starts, gone }: Log, came: readonly Came[]): Comparison {
  const counts = { received: 0, lost: 0, twice: 0, disordered: 0, unknown: 0, gone: 0 }
  const gaps = came.filter((each) => each.kind === 'gap')
  const next = new Map(Object.entries(starts).map(([partition, offset]) => [Number(partition), offset]))
  const seen = new Set<string>()
  /** The same since reading went back the last time. */
  let seenNow = new Set<string>()
  for (const each of came) {
    if (each.kind === 'gap') {
      const { partition, to } = each
      if (to < (next.get(partition) ?? 0)) seenNow = new Set([...seenNow].filter((key) => !isFrom(key, partition, to)))
      next.set(partition, to)
      continue
    }
    counts.received++
    const place = places.get(each.name)
    if (!place) {
      if (gone.has(each.name)) counts.gone++
      else counts.unknown++
      continue
    }
    const key = keyOf(place)
    const wanted = next.get(place.partition) ?? 0
    if (seenNow.has(key)) counts.twice++
    else if (place.offset < wanted) {
      // One from before the last fault has come then already.
      if (place.offset < (starts[place.partition] ?? 0)) counts.twice++
      else counts.disordered++
    }
    next.set(place.partition, Math.max(wanted, place.offset + 1))
    seen.add(key)
    seenNow.add(key)
  }
  for (const place of places.values()) {
    const isOld = place.offset < (starts[place.partition] ?? 0)
    if (!isOld && !seen.has(keyOf(place)) && !gaps.some((gap) => isIn(gap, place))) counts.lost++
  }
  return { ...counts, gaps }
}

function isFrom(key: string, partition: number, offset: number): boolean {
  const [ofKey, at] = key.split(' ').map(Number) as [number, number]
  return ofKey === partition && at >= offset
}

function isIn({ partition, from, to }: GapCame, place: Place): boolean {
  return place.partition === partition && place.offset >= from && place.offset < to
}
