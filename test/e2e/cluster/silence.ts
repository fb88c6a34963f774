import type { Placed } from '../../kit/java-clients.ts'

/** The longest time between two arrivals in one partition that touches the window, in ms. */
export function longestSilence(arrivals: readonly Placed[], [from, to]: readonly [number, number]): number {
  const last = new Map<number, number>()
  let longest = 0
  for (const { partition, at } of arrivals) {
    const before = last.get(partition)
    if (before !== undefined && at >= from && before <= to) longest = Math.max(longest, at - before)
    last.set(partition, at)
  }
  for (const before of last.values()) longest = Math.max(longest, to - before)
  return longest
}

/** The longest time from when the log had a record to when it came, in ms. */
export function longestDelay(arrivals: readonly Placed[], acked: readonly Placed[]): number {
  const since = new Map(acked.map(({ partition, offset, at }) => [`${partition} ${offset}`, at]))
  let longest = 0
  for (const { partition, offset, at } of arrivals) {
    longest = Math.max(longest, at - (since.get(`${partition} ${offset}`) ?? at))
  }
  return longest
}

/** Whether something came in the second before a moment. */
export function flowing(arrivals: readonly Placed[], withinMs = 1_000): (at: number) => boolean {
  const times = arrivals.map(({ at }) => at).sort((a, b) => a - b)
  return (at) => {
    let [low, high] = [0, times.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if ((times[middle] as number) <= at) low = middle + 1
      else high = middle
    }
    const latest = times[low - 1]
    return latest !== undefined && at - latest <= withinMs
  }
}
