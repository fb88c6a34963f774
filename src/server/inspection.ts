import type { Control } from '../admission/control/control.ts'
import type { ControlEntry } from '../admission/control/control-entry.ts'
import type { GroupInspection } from '../delivery/group/group.ts'
import type { Feed } from '../streams/feed/feed.ts'
import type { Streams } from '../streams/streams.ts'

/** Groups that are shown, if the request does not say how many. */
const SHOWN_GROUPS = 20
/** With more, one answer would take more than a share of a turn of the event loop. */
const MAX_SHOWN_GROUPS = 100

/** Decisions that are shown. */
const MAX_SHOWN_DECISIONS = 100

/** What an instance does at the moment, as plain JSON: for people and their tools. */
export interface Inspection {
  readonly topics: readonly TopicInspection[]
  readonly groups: { readonly count: number; readonly largest: readonly GroupInspection[] }
  readonly control: ControlInspection
}

interface TopicInspection {
  readonly name: string
  readonly state: string
  /** Why it cannot be read, or what is wrong nevertheless. */
  readonly note?: string
  /** By number, the next offset that is read, and the end of the log. */
  readonly partitions: readonly { readonly next: number; readonly end: number; readonly lag: number }[]
  readonly window: { readonly events: number; readonly bytes: number }
}

/** What is revoked and blocked: the latest decisions, with times in UTC. */
interface ControlInspection {
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

export interface InspectionSources {
  readonly control: Control
  readonly streams: Pick<Streams, 'feeds' | 'states'>
  readonly engine: {
    readonly groups: number
    largest(count: number): readonly { inspect(): GroupInspection }[]
  }
}

/** @throws RangeError that says what `groups` may be, if it is something else. */
export function inspect({ streams, engine, control }: InspectionSources, groups: string | null): Inspection {
  const count = groups === null ? SHOWN_GROUPS : Number(groups)
  if (!/^\d{1,9}$/.test(groups ?? '0') || count > MAX_SHOWN_GROUPS)
    throw new RangeError(`"groups" is a number of groups, from 0 to ${MAX_SHOWN_GROUPS}`)
  return {
    topics: Array.from(streams.feeds, (feed) => inspectTopic(feed, streams.states.get(feed.topic.name))),
    groups: { count: engine.groups, largest: engine.largest(count).map((group) => group.inspect()) },
    control: inspectControl(control),
  }
}

function inspectControl({ isKnown, list }: Control): ControlInspection {
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

type State = ReturnType<Streams['states']['get']>

function inspectTopic({ topic, head, ends, window }: Feed<unknown>, state: State): TopicInspection {
  const note = state && 'reason' in state ? state.reason : state && 'note' in state ? state.note : undefined
  return {
    name: topic.name,
    state: state?.kind ?? 'unknown',
    ...(note !== undefined && { note }),
    partitions: head.map((next, partition) => {
      const end = ends[partition] ?? next
      return { next, end, lag: Math.max(0, end - next) }
    }),
    window: { events: window.nextSeq - window.firstSeq, bytes: window.bytes },
  }
}
