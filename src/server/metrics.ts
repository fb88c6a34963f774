import type { Socket } from 'node:net'
import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client'
import type { Authentication } from '../admission/authentication/authentication.ts'
import type { ResolverTimes } from '../delivery/counts/resolver-times.ts'
import type { Engine } from '../delivery/engine.ts'
import { FAULT_PLACES } from '../errors/faults.ts'
import type { RefusalCounts } from '../errors/refusal-counts.ts'
import type { Publisher } from '../streams/publish/publisher.ts'
import type { Readiness, Streams } from '../streams/streams.ts'
import type { AnswerBudget } from '../transport/answer-budget.ts'
import type { Units } from '../transport/gzip/units.ts'
import type { SingleConnections } from '../transport/single/connections.ts'
import type { StreamCounts } from '../transport/stream-counts.ts'
import type { StreamSockets } from '../transport/stream-sockets.ts'
import { addAdmission, type GateSources } from './admission-metrics.ts'
import { addAuthentication } from './authentication-metrics.ts'
import { addBuild } from './build-metrics.ts'
import type { Capacity } from './capacity.ts'
import type { ConnectionLimit } from './connection-limit.ts'
import { addControl, type ControlSources } from './control-metrics.ts'
import { addDelivery } from './delivery-metrics.ts'
import { addPublishing } from './publish-metrics.ts'
import { addStreams } from './stream-metrics.ts'
import { addTables } from './table-metrics.ts'
import { addTopics } from './topic-metrics.ts'
import { addUsage } from './usage-metrics.ts'

/** Resolution of the event loop's delay: smaller delays do not matter to a stream. */
const EVENT_LOOP_PRECISION_MS = 50

/** Sums of metrics by type that are there, too. By Prometheus's rules their names are those of counters, which they are not. */
const NOT_COUNTERS = ['handles', 'requests', 'resources'].map((what) => `nodejs_active_${what}_total`)

export interface MetricsSources {
  readonly instance: string
  readonly readiness: () => Readiness
  readonly isLeaving: () => boolean
  readonly streams: Streams
  /** Time for which Kafka has throttled this instance, in ms. */
  readonly throttledMs: () => number
  readonly engine: Engine
  readonly gate: GateSources
  readonly authentication: Authentication
  readonly control: ControlSources
  readonly answers: AnswerBudget
  /** Number of streams of hand-written subscriptions. */
  readonly pulling: () => number
  readonly sockets: StreamSockets
  readonly units: Units
  readonly publisher: Publisher
  readonly single: SingleConnections
  readonly capacity: Capacity
  /** What is counted for metrics only. */
  readonly counts: {
    readonly streams: StreamCounts
    readonly refusals: RefusalCounts
    readonly times: ResolverTimes
  }
  /** Connections that are not streams, by port. */
  readonly connections: () => Readonly<Record<string, ConnectionLimit<Socket>>>
}

/** All metrics, read at the scrape from plain counters, so that the hot path only increments numbers. */
export function createMetrics(sources: MetricsSources): Registry {
  const { instance, readiness, isLeaving, streams, engine, gate, answers, pulling, sockets, single, capacity } = sources
  const registry = new Registry()
  // Not "instance": that is the target's, and Prometheus would rename it to this in any case.
  registry.setDefaultLabels({ exported_instance: instance })
  // The delay is measured by a timer, which would be most of the CPU time of an idle gateway: hence the resolution.
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: EVENT_LOOP_PRECISION_MS })
  for (const name of NOT_COUNTERS) registry.removeSingleMetric(name)

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
  addTopics(registry, streams)
  addTables(registry, streams)
  addPublishing(registry, sources.publisher)
  addControl(registry, sources.control)
  gauge('ready', 'Whether /readyz says yes.', () => (readiness().ready ? 1 : 0))
  counter(
    'kafka_throttled_seconds_total',
    'Time for which brokers have asked this instance to send no requests, since its quota was used up.',
    () => sources.throttledMs() / 1000,
  )
  gauge('draining', 'Whether the gateway ends its streams to shut down.', () => (isLeaving() ? 1 : 0))
  gauge('groups', 'Groups of equal subscriptions.', () => engine.groups)
  counter('failed_groups_total', 'Groups that could not go on.', () => engine.stats.failedGroups)
  gauge('subscribers', 'Subscriptions that run.', () => engine.subscribers + pulling())
  gauge('streams', 'Open streams.', () => sockets.size)
  gauge('single_streams', 'Open streams that carry several operations.', () => single.open)
  gauge('reserved_streams', 'Streams that are reserved, and not open yet.', () => single.reserved)
  gauge('streams_limit', 'Open streams beyond which new ones are refused.', () => sockets.maxStreams)
  counter('refused_streams_total', 'Streams refused because there were too many.', () => sockets.stats.refused)
  counter('cut_streams_total', 'Streams that took no more bytes when they were to end.', () => sockets.stats.cut)
  gauge('lagging_subscribers', 'Subscriptions that wait for their sockets.', () => engine.shared.lagging)
  gauge('frame_log_bytes', 'Bytes of frames kept for lagging subscribers.', () => engine.shared.budget.used)
  gauge('answer_bytes', 'Bytes of answers and results that clients have not taken.', () => answers.used)
  counter(
    'refused_answers_total',
    'Operations that were not executed because of unread answers.',
    () => answers.stats.refused,
  )
  counter('cut_answers_total', 'Answers that clients did not take, and that were given up.', () => answers.stats.cut)
  gauge('operation_bytes', 'Estimated bytes of the documents and operations of subscriptions.', () => engine.held.used)
  gauge('document_cache_bytes', 'Estimated bytes of cached documents and operations.', () => gate.admission.cacheBytes)
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
  counter('sent_bytes_total', 'Bytes written to subscribers, before compression.', () => engine.stats.bytes)
  counter(
    'throttled_events_total',
    'Events that throttled subscriptions were not shown: once for each group, and each client that came back.',
    () => engine.shared.throttles.stats.skipped,
  )
  counter(
    'throttle_early_total',
    'Keys of throttled subscriptions that were dropped for lack of room: their events went out early.',
    () => engine.shared.throttles.stats.early,
  )
  gauge(
    'throttle_bytes',
    'Estimated bytes of keys and events that throttles hold, and of what they cache.',
    () => engine.shared.throttles.bytes,
  )
  gauge('replaying_waiting', 'Replays that wait for their turn.', () => engine.shared.replaysWaiting)
  gauge(
    'history_bytes',
    'Bytes of frames rendered again for those who missed them.',
    () => engine.shared.history.calculatedSize,
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

  addAdmission(registry, gate, engine, sources.counts.refusals)
  addUsage(registry, gate.usage)
  addConnections(registry, sources.connections)
  addCodings(registry, sources)
  addAuthentication(registry, sources.authentication)
  addDelivery(
    registry,
    engine,
    sources.counts.times,
    Array.from(streams.feeds, ({ topic }) => topic.name),
  )
  addStreams(registry, sources.counts.streams, () => engine.stats.closes)
  addBuild(registry)

  const faults: Counter = new Counter({
    name: 'sluice_faults_total',
    help: 'What was thrown where only one thing ends by it, by place.',
    labelNames: ['place'],
    registers: [registry],
    collect() {
      faults.reset()
      for (const place of FAULT_PLACES) faults.inc({ place }, engine.shared.faults.counts[place] ?? 0)
    },
  })
  return registry
}

function addCodings(registry: Registry, { sockets, units }: MetricsSources): void {
  const registers = [registry]
  const bytes: Counter = new Counter({
    name: 'sluice_stream_bytes_total',
    help: 'Bytes of streams by content coding: plain, and as they were sent.',
    labelNames: ['coding', 'as'],
    registers,
    collect() {
      const { plainBytes, codedBytes } = units.stats
      const identity = sockets.stats.bytes - codedBytes
      bytes.reset()
      bytes.inc({ coding: 'identity', as: 'plain' }, identity)
      bytes.inc({ coding: 'identity', as: 'sent' }, identity)
      bytes.inc({ coding: 'gzip', as: 'plain' }, plainBytes)
      bytes.inc({ coding: 'gzip', as: 'sent' }, codedBytes)
    },
  })
  const compressed: Counter = new Counter({
    name: 'sluice_compressed_units_total',
    help: 'Writes that were compressed, once for all clients: alone, with the one before as history, or not at all.',
    labelNames: ['how'],
    registers,
    collect() {
      compressed.reset()
      for (const how of ['alone', 'history', 'stored'] as const) compressed.inc({ how }, units.stats[how])
    },
  })
}

function addConnections(registry: Registry, connections: MetricsSources['connections']): void {
  const registers = [registry]
  const gauge = (name: string, help: string, read: (limit: ConnectionLimit<Socket>) => number): void => {
    const metric: Gauge = new Gauge({
      name: `sluice_${name}`,
      help,
      labelNames: ['port'],
      registers,
      collect() {
        for (const [port, limit] of Object.entries(connections())) metric.set({ port }, read(limit))
      },
    })
  }
  gauge('connections', 'Connections that are no streams, by port.', (limit) => limit.size)
  gauge('connections_limit', 'Connections, apart from streams, that there may be, by port.', (limit) => limit.max)
  const ended: Counter = new Counter({
    name: 'sluice_refused_connections_total',
    help: 'Connections ended at a limit: by port, whether of their address or of all, and whether new or idle.',
    labelNames: ['port', 'reason', 'closed'],
    registers,
    collect() {
      ended.reset()
      for (const [port, limit] of Object.entries(connections())) {
        for (const [reason, byKind] of Object.entries(limit.ended)) {
          for (const [closed, count] of Object.entries(byKind)) ended.inc({ port, reason, closed }, count)
        }
      }
    },
  })
}
