import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client'
import type { Admission } from '../admission/admission.ts'
import type { Engine } from '../delivery/engine.ts'
import { CLOSE_REASONS } from '../delivery/subscriber.ts'
import type { Feed } from '../streams/feed.ts'
import type { Readiness, Streams } from '../streams/streams.ts'
import type { AnswerBudget } from '../transport/answer-budget.ts'
import type { SingleConnections } from '../transport/single-connections.ts'
import type { StreamSockets } from '../transport/stream-sockets.ts'
import type { Capacity } from './capacity.ts'

/** Delays of the event loop that matter to a stream are longer than this. */
const EVENT_LOOP_PRECISION_MS = 50

export interface MetricsSources {
  readonly instance: string
  readonly readiness: () => Readiness
  readonly isLeaving: () => boolean
  readonly streams: Streams
  readonly engine: Engine
  readonly admission: Admission
  readonly answers: AnswerBudget
  /** Streams of hand-written subscriptions. */
  readonly pulling: () => number
  readonly sockets: StreamSockets
  readonly single: SingleConnections
  readonly capacity: Capacity
}

/**
 * Everything that /metrics tells, read from where it is counted at the moment of the scrape: the hot path counts in
 * plain numbers.
 */
export function createMetrics(sources: MetricsSources): Registry {
  const { instance, readiness, isLeaving, streams, engine, admission, answers, pulling, sockets, single, capacity } =
    sources
  const registry = new Registry()
  registry.setDefaultLabels({ instance })
  // The event loop's delay is watched by a timer of its own, which would be most of what an idle gateway does.
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: EVENT_LOOP_PRECISION_MS })

  const counter = (name: string, help: string, read: () => number): void => {
    const metric: Counter = new Counter({
      name: `sluice_${name}`,
      help,
      registers: [registry],
      collect() {
        metric.reset()
        metric.inc(read())
      },
    })
  }
  const gauge = (name: string, help: string, read: () => number): void => {
    const metric: Gauge = new Gauge({
      name: `sluice_${name}`,
      help,
      registers: [registry],
      collect: () => metric.set(read()),
    })
  }
  const perFeed = (kind: 'counter' | 'gauge', name: string, help: string, labels: string[], read: ReadFeed): void => {
    const options = { name: `sluice_${name}`, help, labelNames: ['topic', ...labels], registers: [registry] }
    const collect = (): void => {
      metric.reset()
      for (const feed of streams.feeds) {
        for (const [values, value] of read(feed)) metric.inc({ topic: feed.topic.name, ...values }, value)
      }
    }
    const metric: Counter | Gauge =
      kind === 'counter' ? new Counter({ ...options, collect }) : new Gauge({ ...options, collect })
  }

  perFeed('counter', 'events_total', 'Events decoded.', [], (feed) => [[{}, feed.events]])
  perFeed(
    'counter',
    'decode_failures_total',
    'Records that are no event of their topic, by reason.',
    ['reason'],
    (feed) => [...feed.poison.failures].map(([reason, count]) => [{ reason }, count]),
  )
  perFeed('counter', 'dead_letters_total', 'Dead letters, by what became of them.', ['outcome'], (feed) =>
    Object.entries(feed.poison.deadLetters).map(([outcome, count]) => [{ outcome }, count]),
  )
  perFeed(
    'gauge',
    'lag_records',
    'Offsets between what was read and the newest, by partition.',
    ['partition'],
    (feed) =>
      feed.head.map((next, partition) => [
        { partition: String(partition) },
        Math.max(0, (feed.ends[partition] ?? 0) - next),
      ]),
  )
  perFeed('gauge', 'window_bytes', 'Estimated bytes of the events in the window.', [], (feed) => [
    [{}, feed.window.bytes],
  ])
  perFeed('gauge', 'window_events', 'Events in the window.', [], (feed) => [
    [{}, feed.window.nextSeq - feed.window.firstSeq],
  ])

  gauge('ready', 'Whether /readyz says yes.', () => (readiness().ready ? 1 : 0))
  gauge('draining', 'Whether the gateway ends its streams to shut down.', () => (isLeaving() ? 1 : 0))
  gauge('groups', 'Groups of equal subscriptions.', () => engine.groups)
  gauge('subscribers', 'Subscriptions that run.', () => engine.subscribers + pulling())
  gauge('streams', 'Open streams.', () => sockets.size)
  gauge('single_streams', 'Open streams that carry several operations.', () => single.open)
  gauge('reserved_streams', 'Streams that are reserved, and not open yet.', () => single.reserved)
  gauge('streams_limit', 'Open streams beyond which newcomers are refused.', () => sockets.maxStreams)
  counter('refused_streams_total', 'Streams refused because there were too many.', () => sockets.stats.refused)
  counter('cut_streams_total', 'Streams that took no more bytes when they were to end.', () => sockets.stats.cut)
  gauge('lagging_subscribers', 'Subscriptions that wait for their sockets.', () => engine.lagging)
  gauge('frame_log_bytes', 'Bytes of frames kept for lagging subscribers.', () => engine.budget.used)
  gauge('answer_bytes', 'Bytes of answers and results that clients have not taken.', () => answers.used)
  counter(
    'refused_answers_total',
    'Operations that were not executed because of unread answers.',
    () => answers.stats.refused,
  )
  counter('cut_answers_total', 'Answers that clients did not take, and that were given up.', () => answers.stats.cut)
  gauge('operation_bytes', 'Estimated bytes of the documents and operations of subscriptions.', () => engine.held.used)
  gauge('document_cache_bytes', 'Estimated bytes of cached documents and operations.', () => admission.cacheBytes)
  counter('executions_total', 'Events executed: once for each group that they match.', () => engine.stats.executions)
  counter(
    'bodies_total',
    'Results serialized: once for groups that differ only in their filter.',
    () => engine.stats.bodies,
  )
  counter('compiled_operations_total', 'Operations compiled because they are busy.', () => engine.stats.compiled)
  counter('frames_total', 'Frames made: once for each group.', () => engine.stats.frames)
  counter('flushes_total', 'Flushes: each writes what is new to every live subscriber.', () => engine.stats.flushes)
  counter('deliveries_total', 'Frames given to subscribers.', () => engine.stats.deliveries)
  counter(
    'writes_total',
    'Writes to sockets; deliveries / writes is how well frames coalesce.',
    () => engine.stats.writes,
  )
  counter('sent_bytes_total', 'Bytes given to sockets.', () => engine.stats.bytes)
  gauge('replaying_waiting', 'Replays that wait for their turn.', () => engine.replaysWaiting)
  gauge(
    'history_bytes',
    'Bytes of frames rendered again for those who missed them.',
    () => engine.history.calculatedSize,
  )
  counter('replayed_events_total', 'Events of the past given to subscribers.', () => engine.stats.replayedEvents)
  counter(
    'replay_wait_seconds_total',
    'What replays waited for their first turn, together.',
    () => engine.stats.replayWaitMs / 1000,
  )
  counter('gaps_total', 'Gaps told to subscribers that came back, by partition.', () => engine.stats.gaps)
  const replays: Counter = new Counter({
    name: 'sluice_replays_total',
    help: 'Streams that started in the past; of them, those that needed the log; those that fell off their frame log.',
    labelNames: ['kind'],
    registers: [registry],
    collect() {
      replays.reset()
      replays.inc({ kind: 'started' }, engine.stats.replays.started)
      replays.inc({ kind: 'log' }, engine.stats.replays.log)
      replays.inc({ kind: 'fell_behind' }, engine.stats.replays.fellBehind)
    },
  })

  gauge('open_files', 'Open files, of which each connection is one.', () => capacity.openFiles)
  gauge('open_files_limit', 'Open files that this process may have.', () => capacity.openFilesLimit)
  gauge(
    'event_loop_utilization',
    'Part of the time in which the event loop did something, over the last seconds.',
    () => capacity.eventLoopUtilization,
  )
  const near: Gauge = new Gauge({
    name: 'sluice_near_limit',
    help: 'Whether 80 % of a limit is used, by limit.',
    labelNames: ['limit'],
    registers: [registry],
    collect() {
      for (const [limit, isNear] of capacity.near()) near.set({ limit }, isNear ? 1 : 0)
    },
  })

  const closes: Counter = new Counter({
    name: 'sluice_closes_total',
    help: 'Subscriptions that ended, by reason.',
    labelNames: ['reason'],
    registers: [registry],
    collect() {
      closes.reset()
      for (const reason of CLOSE_REASONS) closes.inc({ reason }, engine.stats.closes[reason] ?? 0)
    },
  })
  return registry
}

type ReadFeed = (feed: Feed<unknown>) => Iterable<readonly [Record<string, string>, number]>
