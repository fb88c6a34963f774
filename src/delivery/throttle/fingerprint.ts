import type { Fingerprint } from '../../streams/cursor/cursor.ts'
import type { Vector } from '../../streams/cursor/vector.ts'
import type { Feed } from '../../streams/feed/feed.ts'

/** An event of the window just before a position, for its cursor: that of this partition, if the window has one. */
export function fingerprintOf({ window }: Feed, position: Vector, partition: number): Fingerprint | undefined {
  const seq = window.lastBefore(partition, window.seqOf(partition, position[partition] ?? 0))
  return seq === undefined ? undefined : window.at(seq)
}
