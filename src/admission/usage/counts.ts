/** What a principal has used. */
export interface Counts {
  /** Streams that it opened. */
  opened: number
  /** Time for which its streams were open, in whole milliseconds: sums of them are exact. */
  streamMs: number
  /** Results that it was sent on streams. */
  events: number
  /** Bytes of streams, as they were sent. */
  bytes: number
  /** Queries and mutations. */
  queries: number
}

export const COUNTS = ['opened', 'streamMs', 'events', 'bytes', 'queries'] as const satisfies (keyof Counts)[]

export function noCounts(): Counts {
  return { opened: 0, streamMs: 0, events: 0, bytes: 0, queries: 0 }
}

export function add(counts: Counts, more: Counts): void {
  for (const name of COUNTS) counts[name] += more[name]
}

export function subtract(counts: Counts, less: Counts): void {
  for (const name of COUNTS) counts[name] -= less[name]
}

export function isNothing(counts: Counts): boolean {
  return COUNTS.every((name) => counts[name] === 0)
}
