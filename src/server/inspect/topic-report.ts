import type { Feed } from '../../streams/feed/feed.ts'
import type { LastSkipped } from '../../streams/topic/dead-letters.ts'
import type { TopicState } from '../../streams/topic-reading.ts'

export interface TopicReport {
  readonly name: string
  readonly state: string
  /** Why it cannot be read, or what is wrong nevertheless. */
  readonly note?: string
  /** Without it an instance is not ready. */
  readonly isRequired: boolean
  readonly eventsPerSecond: number
  /** Records of all partitions that are still to be read. */
  readonly lag: number
  /** By number, the next offset that is read, the end of the log, and the time since the position last moved. */
  readonly partitions: readonly Partition[]
  readonly window: {
    readonly events: number
    readonly bytes: number
    readonly maxBytes: number
    /** Timestamp of the oldest event; null: there is none. */
    readonly since: string | null
  }
  /** By reason: records that are no events of the topic, and the last of each. */
  readonly skipped: Readonly<Record<string, Skipped>>
  readonly deadLetters: { readonly sent: number; readonly dropped: number }
}

interface Partition {
  readonly next: number
  readonly end: number
  readonly lag: number
  readonly idleSeconds: number
}

interface Skipped {
  readonly count: number
  readonly last: {
    readonly partition: number
    readonly offset: number
    readonly at: string
    readonly detail: string
  } | null
}

export function reportTopic(feed: Feed<unknown>, state: TopicState | undefined, maxBytes: number): TopicReport {
  const { topic, head, ends, window, poison } = feed
  const note = state && 'reason' in state ? state.reason : state && 'note' in state ? state.note : undefined
  const idle = feed.idleMs(Date.now())
  const partitions = head.map((next, partition) => {
    const end = ends[partition] ?? next
    return { next, end, lag: Math.max(0, end - next), idleSeconds: Math.round((idle[partition] ?? 0) / 100) / 10 }
  })
  const oldest = window.at(window.firstSeq)?.timestamp
  return {
    name: topic.name,
    state: state?.kind ?? 'unknown',
    ...(note !== undefined && { note }),
    isRequired: topic.isRequired,
    eventsPerSecond: Math.round(feed.rate.perSecond(Date.now()) * 10) / 10,
    lag: partitions.reduce((sum, { lag }) => sum + lag, 0),
    partitions,
    window: {
      events: window.nextSeq - window.firstSeq,
      bytes: window.bytes,
      maxBytes,
      since: oldest === undefined ? null : timeText(oldest),
    },
    skipped: skippedOf(feed),
    deadLetters: { ...poison.deadLetters },
  }
}

function skippedOf({ poison, tombstones, lastTombstone }: Feed<unknown>): Record<string, Skipped> {
  const skipped: Record<string, Skipped> = {}
  for (const [reason, count] of poison.failures) skipped[reason] = { count, last: lastOf(poison.last.get(reason)) }
  if (tombstones === 0) return skipped
  const last = lastTombstone && { ...lastTombstone, detail: 'It has no value: a deletion' }
  return { ...skipped, tombstone_skipped: { count: tombstones, last: lastOf(last) } }
}

function lastOf(last: LastSkipped | undefined): Skipped['last'] {
  if (!last) return null
  const { partition, offset, at, detail } = last
  return { partition, offset, at: timeText(at), detail }
}

/** A record's timestamp may be anything. */
function timeText(ms: number): string {
  return Math.abs(ms) <= MAX_TIME_MS ? new Date(ms).toISOString() : String(ms)
}

/** The last moment that has a date. */
const MAX_TIME_MS = 8_640_000_000_000_000
