import type { PartitionRange } from './port.ts'

/**
 * The gap at `offset` of a partition that holds `range`; undefined if there is none.
 * In both cases reading continues at the oldest retained offset. `retention`: the records before it were deleted.
 * `truncation`: the log ends before the offset. Either it lost its end (an unclean leader election), or the topic was
 * recreated under the same name; offsets cannot distinguish these. Reading from the oldest offset misses nothing.
 * Events may be delivered twice, after a gap that announces them.
 */
export function gapAt(
  offset: number,
  range: PartitionRange,
): { readonly to: number; readonly reason: 'retention' | 'truncation' } | undefined {
  if (offset < range.earliest) return { to: range.earliest, reason: 'retention' }
  if (offset > range.next) return { to: range.earliest, reason: 'truncation' }
  return undefined
}
