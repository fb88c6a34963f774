import type { TopicReport } from './topic-report.ts'

/** As `StreamSockets.drain` does: a second for each stream at most. */
const DRAIN_STREAM_MS = 1_000

export interface RestartSources {
  readonly streams: number
  /** Streams of hand-written subscriptions: they have no cursor. */
  readonly withoutCursor: number
  readonly drainMs: number
  readonly isLeaving: boolean
  /** The log is in this process, and goes with it. */
  readonly isEmbedded: boolean
  readonly replaying: number
  /** Of them, those that read what is older than the window. */
  readonly readingLog: number
  readonly topics: readonly TopicReport[]
}

/**
 * Whether this instance can be restarted, as far as it knows: it cannot know whether another one is ready, and whether
 * that one reads the same topics. `blockers` speak against it, `notes` say what it costs.
 */
export interface RestartReport {
  readonly verdict: 'safe if another instance is ready' | 'wait'
  readonly blockers: readonly string[]
  readonly notes: readonly string[]
  /** Streams that come back on other instances, and how long their ends are spread. */
  readonly streams: number
  readonly drainSeconds: number
}

export function reportRestart(sources: RestartSources): RestartReport {
  const { streams, withoutCursor, drainMs, isLeaving, isEmbedded, replaying, readingLog, topics } = sources
  const blockers: string[] = []
  const notes: string[] = []
  const drainSeconds = Math.round(Math.min(drainMs, streams * DRAIN_STREAM_MS) / 100) / 10
  if (isLeaving) blockers.push('It is shutting down already: wait until it has gone')
  if (isEmbedded) blockers.push('Its log is in this process: events, cursors and decisions are lost with it')
  if (withoutCursor > 0)
    blockers.push(
      `${withoutCursor} streams of hand-written subscriptions have no cursor: they miss what comes meanwhile`,
    )
  for (const topic of topics) {
    if (topic.state !== 'ready' && topic.isRequired)
      blockers.push(`Topic "${topic.name}" is not read here: a new instance may not become ready either`)
    else if (topic.state !== 'ready') notes.push(`Topic "${topic.name}" is not read here, and is optional`)
  }
  if (streams > 0) notes.push(`${streams} streams come back on other instances, over ${drainSeconds} s`)
  if (replaying > 0) notes.push(`${replaying} replays begin again on other instances, from where their clients are`)
  if (readingLog > 0)
    notes.push(`${readingLog} of them read what is older than the window: Kafka has to retain it until they are back`)
  const verdict = blockers.length > 0 ? 'wait' : 'safe if another instance is ready'
  return { verdict, blockers, notes, streams, drainSeconds }
}
