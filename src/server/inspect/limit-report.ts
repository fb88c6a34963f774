export interface LimitReport {
  readonly name: string
  readonly used: number
  /** Null: there is none. */
  readonly limit: number | null
  /** Part of it that is used, 0 to 1. */
  readonly share: number
  /** Whether 80 % or more of it was used at the last checks. */
  readonly isNear: boolean
}

export function reportLimits(
  limits: Iterable<{ readonly name: string; readonly used: number; readonly limit: number; readonly isNear: boolean }>,
): LimitReport[] {
  return Array.from(limits, ({ name, used, limit, isNear }) => {
    // Without a control group the limit of memory is larger than any machine's.
    const isLimited = limit <= Number.MAX_SAFE_INTEGER
    const share = isLimited && limit > 0 ? Math.round((used / limit) * 1_000) / 1_000 : 0
    return { name, used, limit: isLimited ? limit : null, share, isNear }
  })
}
