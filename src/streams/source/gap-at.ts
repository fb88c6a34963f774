import type { PartitionRange } from './port.ts'

/**
 * What is wrong with wanting `offset` of a partition that holds `range`; undefined if nothing is.
 *
 * After both reading goes on at the oldest there is. For `retention` that is what is left. Where the log ends before
 * the offset, it either lost its end (an unclean failover) or is another log of the same name (the topic was made
 * anew), which cannot be told apart by offsets: from the oldest on nothing is missed, at the price of events that come
 * twice, after a gap that announces them.
 */
export function gapAt(
  offset: number,
  range: PartitionRange,
): { readonly to: number; readonly reason: 'retention' | 'truncation' } | undefined {
  if (offset < range.earliest) return { to: range.earliest, reason: 'retention' }
  if (offset > range.next) return { to: range.earliest, reason: 'truncation' }
  return undefined
}
