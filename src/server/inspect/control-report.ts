import type { Control } from '../../admission/control/control.ts'
import type { ControlEntry } from '../../admission/control/control-entry.ts'

/** Decisions that are shown. */
const MAX_SHOWN_DECISIONS = 100

/** What is revoked and blocked: the latest decisions, with times in UTC. */
export interface ControlReport {
  /** False: revocations are being loaded, and nobody gets in. */
  readonly known: boolean
  readonly count: number
  readonly latest: readonly {
    readonly kind: string
    readonly value: string
    readonly at: string
    readonly until?: string
    readonly reason?: string
  }[]
}

export function reportControl({ isKnown, list }: Control): ControlReport {
  const shown: ControlEntry[] = []
  let count = 0
  // There may be 100,000: they are not sorted for the sake of a hundred.
  for (const entry of list) {
    count++
    const place = shown.findLastIndex(({ at }) => at >= entry.at) + 1
    if (place >= MAX_SHOWN_DECISIONS) continue
    shown.splice(place, 0, entry)
    if (shown.length > MAX_SHOWN_DECISIONS) shown.pop()
  }
  const latest = shown.map(({ kind, value, at, until, reason }) => ({
    kind,
    value,
    at: new Date(at).toISOString(),
    ...(until !== undefined && { until: new Date(until).toISOString() }),
    ...(reason !== undefined && { reason }),
  }))
  return { known: isKnown, count, latest }
}
