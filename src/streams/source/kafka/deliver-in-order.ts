import type { LivePartition } from './live-partition.ts'
import type { RecordSet } from './protocol/record-set.ts'

/** Records that were fetched from `offset` of a partition. */
export interface Fetched {
  readonly partition: LivePartition
  readonly offset: number
  /** See `LivePartition`. */
  readonly era: number
  readonly set: RecordSet
  readonly endOffset: number
}

/**
 * Delivers what was fetched: at once, or after what is being delivered of the partition. `wake` is called when it has
 * taken a while, and the partition may be fetched again.
 */
export function deliverInOrder(fetched: Fetched, wake: () => void): void {
  const { partition } = fetched
  const delivering = partition.delivering?.then(() => deliver(fetched)) ?? deliver(fetched)
  if (delivering === undefined) return
  const delivered = delivering.then(() => {
    if (partition.delivering === delivered) partition.delivering = undefined
    // Backpressure of our own is no stall of the broker.
    if (partition.answeredAt > 0) partition.answeredAt = Date.now()
    wake()
  })
  partition.delivering = delivered
}

/** Never throws or rejects. */
function deliver({ partition, offset, era, set, endOffset }: Fetched): Promise<void> | undefined {
  const delivered = () => {
    partition.pending--
    // What was fetched after it does not count either.
    if (partition.era === era && partition.offset !== set.nextOffset) partition.fetchOffset = partition.offset
  }
  try {
    const taken =
      partition.isCertain && partition.offset === offset && partition.era === era
        ? partition.topic.deliver(partition, set, endOffset)
        : undefined
    if (taken !== undefined) return taken.catch((error) => partition.topic.fault(error, partition)).then(delivered)
  } catch (error) {
    partition.topic.fault(error, partition)
  }
  delivered()
  return undefined
}
