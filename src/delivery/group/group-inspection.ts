import { type Explanation, explain } from '../../streams/filter/explain.ts'
import type { Group } from './group.ts'
import type { MemberState } from './member-state.ts'

/** What is to be known of a group by those who look into a running gateway: plain JSON. */
export interface GroupInspection {
  /** Equal for equal operations; null: it is not shared. */
  readonly key: string | null
  /** What its first client called the operation, and SHA-256 of the document: by either it can be blocked. */
  readonly operation: { readonly name: string | null; readonly hash: string | null }
  /** The field of the subscription. */
  readonly field: string
  readonly topic: string
  /** Members by state. None: the group lingers, for clients that come back. */
  readonly members: Readonly<Partial<Record<MemberState['kind'], number>>>
  /** Of them, those whose streams are compressed. */
  readonly compressed: number
  readonly filter: Explanation
  readonly events: { readonly asked: number; readonly taken: number }
  readonly frames: number
  readonly sentBytes: number
  /** Of its operation: groups that differ only in their filter share it. `cpuMs` and `waitMs` are of one execution. */
  readonly executions: {
    readonly count: number
    readonly cpuMs: number
    readonly waitMs: number
    readonly isCompiled: boolean
  }
}

export function inspectGroup(group: Group): GroupInspection {
  const { name, select } = group.stream
  const { cost, compiled } = group.renderer
  const members: Partial<Record<MemberState['kind'], number>> = {}
  let compressed = 0
  for (const { state, outlet } of group) {
    members[state.kind] = (members[state.kind] ?? 0) + 1
    if (outlet.isCompressed) compressed++
  }
  return {
    key: group.key ?? null,
    operation: {
      name: group.renderer.args.operation.name?.value ?? group.operation?.name ?? null,
      hash: group.operation?.hash ?? null,
    },
    field: name,
    topic: group.feed.topic.name,
    members,
    compressed,
    filter: select.explain ?? explain(select.selection),
    events: { ...group.flow.counts },
    frames: group.flushed,
    sentBytes: group.sentBytes,
    executions: {
      count: cost.executions,
      cpuMs: rounded(cost.cpuMs),
      waitMs: rounded(cost.waitMs),
      isCompiled: compiled !== undefined,
    },
  }
}

/** Microseconds are enough. */
function rounded(ms: number): number {
  return Math.round(ms * 1_000) / 1_000
}
