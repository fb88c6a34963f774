/** Maps a number in [0, 1) to one of the items, each as often as its share of all the weights. */
export type Weighted<T> = (at: number) => T

/** @throws RangeError when there is nothing to choose from. */
export function weighted<T>(items: readonly T[], weightOf: (item: T) => number): Weighted<T> {
  if (items.length === 0) throw new RangeError('There is nothing to choose from')
  const upTo = new Float64Array(items.length)
  let total = 0
  for (const [index, item] of items.entries()) upTo[index] = total += weightOf(item)

  return (at) => {
    const wanted = at * total
    let low = 0
    let high = items.length - 1
    while (low < high) {
      const middle = (low + high) >>> 1
      if (upTo[middle]! > wanted) high = middle
      else low = middle + 1
    }
    return items[low]!
  }
}

/** The items by a property of theirs, each lot with its own weights. */
export function weightedBy<T, K>(
  items: readonly T[],
  keyOf: (item: T) => K,
  weightOf: (item: T) => number,
): ReadonlyMap<K, Weighted<T>> {
  return new Map([...Map.groupBy(items, keyOf)].map(([key, lot]) => [key, weighted(lot, weightOf)]))
}
