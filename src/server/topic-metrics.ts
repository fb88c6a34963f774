import { Counter, Gauge, type Registry } from 'prom-client'
import type { Feed } from '../streams/feed/feed.ts'
import type { Streams } from '../streams/streams.ts'
import type { DecodeFailure } from '../streams/topic/decode.ts'
import type { TopicState } from '../streams/topic-reading.ts'

/** Of topics that are read, that are being read up to their end, and that wait: /readyz has the reason. */
const TOPIC_STATES: readonly TopicState['kind'][] = ['ready', 'filling', 'waiting']

const DECODE_REASONS: readonly DecodeFailure['reason'][] = ['too_large', 'codec', 'schema', 'tombstone']

type ReadFeed = (feed: Feed<unknown>) => Iterable<readonly [Record<string, string>, number]>

/** What is told of each topic. */
export function addTopics(registry: Registry, streams: Streams): void {
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
    // From the start, so that the first one makes a rate.
    ({ poison: { failures } }) => DECODE_REASONS.map((reason) => [{ reason }, failures.get(reason) ?? 0] as const),
  )
  perFeed('counter', 'tombstones_total', 'Records without a value that were skipped.', [], (feed) => [
    [{}, feed.tombstones],
  ])
  perFeed('counter', 'dead_letters_total', 'Dead letters, by what became of them.', ['outcome'], (feed) =>
    Object.entries(feed.poison.deadLetters).map(([outcome, count]) => [{ outcome }, count]),
  )
  perFeed(
    'counter',
    'stream_faults_total',
    'Exceptions caught where the topic is read; the log has them.',
    [],
    (feed) => [[{}, feed.faults.count]],
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
  perFeed(
    'gauge',
    'partition_idle_seconds',
    'Time since a partition last brought anything; with lag, it is stuck.',
    ['partition'],
    (feed) => feed.idleMs(Date.now()).map((ms, partition) => [{ partition: String(partition) }, ms / 1000]),
  )
  perFeed('gauge', 'topic_ready', 'Whether a topic can be read, and new streams of it are served.', [], (feed) => [
    [{}, streams.states.get(feed.topic.name)?.kind === 'ready' ? 1 : 0],
  ])
  perFeed(
    'gauge',
    'held_partitions',
    'Partitions whose records wait for what their codec needs, such as a schema of a registry.',
    [],
    (feed) => (feed.preparation ? [[{}, feed.preparation.held]] : []),
  )
  perFeed('gauge', 'topic_state', 'The state of a topic: 1 for the one that it is in.', ['state'], (feed) => {
    const state = streams.states.get(feed.topic.name)?.kind
    return TOPIC_STATES.map((each) => [{ state: each }, each === state ? 1 : 0] as const)
  })
  const perPartition =
    (offsets: (feed: Feed<unknown>) => Iterable<number>): ReadFeed =>
    (feed) =>
      Array.from(offsets(feed), (offset, partition) => [{ partition: String(partition) }, Math.max(0, offset)])
  perFeed(
    'gauge',
    'partition_next_offset',
    'The next offset that is read, by partition: it goes back where the log was truncated.',
    ['partition'],
    perPartition((feed) => feed.head),
  )
  perFeed(
    'gauge',
    'partition_end_offset',
    'The end of the log, as it was last asked, by partition.',
    ['partition'],
    perPartition((feed) => feed.ends),
  )
  perFeed('gauge', 'window_bytes', 'Estimated bytes of the events in the window.', [], (feed) => [
    [{}, feed.window.bytes],
  ])
  perFeed('gauge', 'past_bytes', 'Estimated bytes of older events that are cached for replays.', [], (feed) => [
    [{}, feed.pastBytes],
  ])
  perFeed('gauge', 'window_events', 'Events in the window.', [], (feed) => [
    [{}, feed.window.nextSeq - feed.window.firstSeq],
  ])
}
