import type { ConnectionState, Gap } from '@sluice/client'
import { useSyncExternalStore } from 'react'

export interface Status {
  readonly state: ConnectionState['status']
  readonly gaps: readonly Gap[]
}

/** Gaps that the page shows. */
const MAX_GAPS = 5

let status: Status = { state: 'connecting', gaps: [] }
const readers = new Set<() => void>()

function become(change: Partial<Status>): void {
  status = { ...status, ...change }
  for (const changed of readers) changed()
}

/** Given to an adapter: what is told beside the results. The page has one subscription at a time. */
export const listeners = {
  onState: ({ status: state }: ConnectionState) => become({ state }),
  onGap: (gap: Gap) => become({ gaps: [...status.gaps, gap].slice(-MAX_GAPS) }),
}

export function useStatus(): Status {
  return useSyncExternalStore(
    (changed) => {
      readers.add(changed)
      return () => void readers.delete(changed)
    },
    () => status,
  )
}
