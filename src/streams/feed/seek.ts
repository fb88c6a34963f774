/**
 * Galloping search: index in an ascending list of the first number that is `seq` or more, or its length. It costs the
 * logarithm of the distance to `from`, where the last search ended.
 */
export function seek(list: readonly number[], seq: number, from = 0): number {
  let low = Math.min(from, list.length)
  let high = list.length
  let step = 1
  if (low > 0 && (list[low - 1] as number) >= seq) {
    high = low - 1
    for (; high >= step && (list[high - step] as number) >= seq; step *= 2) high -= step
    low = Math.max(0, high - step + 1)
  } else {
    for (; low + step <= high && (list[low + step - 1] as number) < seq; step *= 2) low += step
    high = Math.min(high, low + step)
  }
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((list[middle] as number) >= seq) high = middle
    else low = middle + 1
  }
  return low
}
