/** The middle of some figures, and the quarter below and above. */
export interface Spread {
  readonly median: number
  readonly low: number
  readonly high: number
}

/** By linear interpolation between the two nearest. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  const at = (sorted.length - 1) * share
  const below = sorted[Math.floor(at)] ?? Number.NaN
  const above = sorted[Math.ceil(at)] ?? Number.NaN
  return below + (above - below) * (at - Math.floor(at))
}

export function spreadOf(values: readonly number[]): Spread {
  return { median: quantile(values, 0.5), low: quantile(values, 0.25), high: quantile(values, 0.75) }
}

/** Round by round: what was measured in the same minute is compared, so that a busy minute troubles both. */
export function paired(
  a: readonly number[],
  b: readonly number[],
  compare: (a: number, b: number) => number,
): number[] {
  return a.flatMap((value, round) => (b[round] === undefined ? [] : [compare(value, b[round])]))
}
