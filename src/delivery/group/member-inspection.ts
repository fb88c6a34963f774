import type { Vector } from '../../streams/cursor/vector.ts'
import type { ReplayInspection } from '../replay/replay-inspection.ts'
import type { Group } from './group.ts'
import { fullSinceOf, type MemberState, replayOf } from './member-state.ts'
import type { Subscriber } from './subscriber.ts'

/** What is to be known of a member that is not live: plain JSON. */
export interface MemberInspection {
  readonly requestId: string | null
  readonly principal: string | null
  readonly address: string | null
  readonly operation: { readonly name: string | null; readonly hash: string | null }
  readonly field: string
  readonly topic: string
  readonly state: MemberState['kind']
  /** Time for which its socket has taken nothing more, in ms; null: it takes what it is written. */
  readonly fullMs: number | null
  /** `ms`: age of the next event that it is to be written; null: that is not known. */
  readonly behind: { readonly frames: number; readonly bytes: number; readonly ms: number | null }
  /** Results that it was written. */
  readonly events: number
  readonly replay: Replay | null
}

interface Replay {
  readonly from: Vector
  readonly at: Vector
  readonly reads: ReplayInspection['reads']
  /** Offsets from where it is to the head of the topic. */
  readonly offsetsBehind: number
  readonly ms: number
}

export function inspectMember(group: Group, member: Subscriber, now = performance.now()): MemberInspection {
  const { state, outlet, events } = member
  const { owner, unsent = 0 } = outlet
  const { log, feed, stream, renderer } = group
  const fullSince = fullSinceOf(state)
  const from = member.lagsAt
  const frames = from === undefined ? 0 : log.next - from
  const held = log.next - log.first
  const replay = replayOf(state)?.inspection
  const reached = from === undefined ? replay?.reached : timestampAt(group, from)
  return {
    requestId: owner?.requestId ?? null,
    principal: owner?.identity.principal.id ?? null,
    address: owner?.address ?? null,
    operation: {
      name: renderer.args.operation.name?.value ?? owner?.operation?.name ?? null,
      hash: owner?.operation?.hash ?? null,
    },
    field: stream.name,
    topic: feed.topic.name,
    state: state.kind,
    fullMs: fullSince === 0 ? null : Math.round(now - fullSince),
    behind: {
      frames,
      // An estimate of what is in the frame log, by the mean of its frames: to add them up would take long.
      bytes: unsent + (held === 0 ? 0 : Math.round((log.bytes / held) * Math.min(frames, held))),
      ms: reached === undefined ? null : Math.max(0, Math.round(Date.now() - reached)),
    },
    events,
    replay: replay ? inspected(replay, feed.head, now) : null,
  }
}

function inspected({ from, at, reads, startedAt }: ReplayInspection, head: Vector, now: number): Replay {
  const offsetsBehind = head.reduce((sum, next, partition) => sum + Math.max(0, next - (at[partition] ?? next)), 0)
  return { from, at, reads, offsetsBehind, ms: Math.round(now - startedAt) }
}

/** Of the event of a frame, if both are still held. */
function timestampAt({ log, feed }: Group, frame: number): number | undefined {
  const seq = log.at(Math.max(frame, log.first))?.seq
  return seq === undefined || seq < 0 ? undefined : feed.window.at(Math.floor(seq))?.timestamp
}
