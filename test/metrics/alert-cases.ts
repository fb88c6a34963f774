/** Series of promtool's tests: by the selector of a series its values, one a minute. */
type Series = Readonly<Record<string, string>>

/** When an alert fires, by the end of half an hour, and what does not make it. */
export interface AlertCase {
  readonly fires: Series
  /** Each by itself makes nothing fire. */
  readonly silent: readonly Series[]
}

/** `name{exported_instance="a", …}`, scraped from one target. */
const of = (name: string, labels = ''): string =>
  `${name}{instance="10.0.0.1:4001", exported_instance="a"${labels && `, ${labels}`}}`

/** A counter that stands still, and one that rises at the end, so often a minute. */
const STILL = '7x40'
const rising = (each: number): string => `0x25 ${each}+${each}x14`
/** A gauge that was set some minutes ago, and one that was set for a moment. */
const set = (value: number, otherwise = 0): string => `${otherwise}x15 ${value}x25`
const moment = (value: number, otherwise = 0): string => `${otherwise}x26 ${value} ${otherwise}x13`

const counted = (name: string, labels = '', each = 3): AlertCase => ({
  fires: { [of(name, labels)]: rising(each) },
  silent: [{ [of(name, labels)]: STILL }],
})

const flag = (name: string, bad: number, good: number, labels = ''): AlertCase => ({
  fires: { [of(name, labels)]: set(bad, good) },
  silent: [{ [of(name, labels)]: set(good, good) }, { [of(name, labels)]: moment(bad, good) }],
})

/** A histogram with so many values a minute in its first bucket, and so many beyond its last. */
function histogram(
  name: string,
  labels: string,
  bounds: readonly [string, string],
  fast: number,
  slow: number,
): Series {
  const [low, high] = bounds
  return {
    [of(`${name}_bucket`, `${labels}, le="${low}"`)]: `0+${fast}x40`,
    [of(`${name}_bucket`, `${labels}, le="${high}"`)]: `0+${fast}x40`,
    [of(`${name}_bucket`, `${labels}, le="+Inf"`)]: `0+${fast + slow}x40`,
  }
}

const AGE = ['1', '60'] as const
const RESOLVER = ['0.1', '10'] as const

export const ALERT_CASES: Readonly<Record<string, AlertCase>> = {
  SluiceAbsent: { fires: { [of('up')]: '0x40' }, silent: [{ [of('sluice_build_info')]: '1x40' }] },
  SluiceNotReady: {
    fires: { [of('sluice_ready')]: set(0, 1), [of('sluice_draining')]: '0x40' },
    silent: [
      { [of('sluice_ready')]: '1x40', [of('sluice_draining')]: '0x40' },
      { [of('sluice_ready')]: set(0, 1), [of('sluice_draining')]: '1x40' },
      { [of('sluice_ready')]: moment(0, 1), [of('sluice_draining')]: '0x40' },
    ],
  },
  SluiceTopicWaits: {
    fires: { [of('sluice_topic_state', 'topic="orders", state="waiting"')]: set(1) },
    silent: [
      { [of('sluice_topic_state', 'topic="orders", state="waiting"')]: '0x40' },
      { [of('sluice_topic_state', 'topic="orders", state="filling"')]: set(1) },
    ],
  },
  SluiceRevocationsNotHeard: flag('sluice_control_ready', 0, 1),
  SluiceFull: counted('sluice_refused_streams_total'),
  SluiceInternalErrors: {
    ...counted('sluice_refusals_total', 'code="INTERNAL_SERVER_ERROR"'),
    silent: [{ [of('sluice_refusals_total', 'code="BAD_REQUEST"')]: rising(3) }],
  },
  SluiceEventsLate: {
    fires: histogram('sluice_event_age_seconds', 'topic="orders"', AGE, 90, 10),
    silent: [
      histogram('sluice_event_age_seconds', 'topic="orders"', AGE, 999, 1),
      histogram('sluice_event_age_seconds', 'topic="orders"', AGE, 0, 0),
    ],
  },
  SluiceEventsWithoutAge: {
    fires: { [of('sluice_events_without_age_total', 'timestamp="future"')]: '0+3x40' },
    silent: [{ [of('sluice_events_without_age_total', 'timestamp="future"')]: rising(3) }],
  },
  SluiceLag: {
    fires: {
      [of('sluice_lag_records', 'topic="orders", partition="0"')]: '0x5 0+1000x34',
      [of('sluice_lag_records', 'topic="orders", partition="1"')]: '0x40',
      [of('sluice_partition_end_offset', 'topic="orders", partition="0"')]: '0+6000x40',
    },
    silent: [
      {
        // Nine seconds of what is produced.
        [of('sluice_lag_records', 'topic="orders", partition="0"')]: '900x40',
        [of('sluice_partition_end_offset', 'topic="orders", partition="0"')]: '0+6000x40',
      },
      {
        // A log that was truncated: its end went back.
        [of('sluice_lag_records', 'topic="orders", partition="0"')]: '0x40',
        [of('sluice_partition_end_offset', 'topic="orders", partition="0"')]: '0+6000x20 0+6000x20',
      },
    ],
  },
  SluicePartitionStuck: {
    fires: {
      [of('sluice_lag_records', 'topic="orders", partition="0"')]: '0x15 5x25',
      [of('sluice_partition_idle_seconds', 'topic="orders", partition="0"')]: '0x15 0+60x25',
    },
    silent: [
      {
        [of('sluice_lag_records', 'topic="orders", partition="0"')]: '0x40',
        [of('sluice_partition_idle_seconds', 'topic="orders", partition="0"')]: '0+60x40',
      },
      {
        [of('sluice_lag_records', 'topic="orders", partition="0"')]: '5x40',
        [of('sluice_partition_idle_seconds', 'topic="orders", partition="0"')]: '3x40',
      },
    ],
  },
  SluiceGaps: counted('sluice_gaps_total'),
  SluiceReplaysWait: flag('sluice_replaying_waiting', 150, 20),
  SluiceTableRefused: flag('sluice_table_refused', 1, 0, 'topic="sales"'),
  SluicePublishFails: {
    fires: { [of('sluice_published_total', 'outcome="unconfirmed"')]: '0+3x40' },
    silent: [
      { [of('sluice_published_total', 'outcome="published"')]: '0+3x40' },
      { [of('sluice_published_total', 'outcome="refused"')]: '0x28 1x12' },
    ],
  },
  SluiceInvalidRecords: counted('sluice_decode_failures_total', 'topic="orders", reason="schema"'),
  SluiceDeadLettersLost: {
    ...counted('sluice_dead_letters_total', 'topic="orders", outcome="dropped"'),
    silent: [{ [of('sluice_dead_letters_total', 'topic="orders", outcome="sent"')]: rising(3) }],
  },
  SluiceKafkaThrottled: {
    fires: { [of('sluice_kafka_throttled_seconds_total')]: '0+20x40' },
    silent: [{ [of('sluice_kafka_throttled_seconds_total')]: '0+3x40' }],
  },
  SluiceStreamFaults: counted('sluice_stream_faults_total', 'topic="orders"'),
  SluiceFaults: counted('sluice_faults_total', 'place="flush"'),
  SluiceGroupsFail: counted('sluice_failed_groups_total'),
  SluiceStreamsFail: {
    ...counted('sluice_stream_ends_total', 'reason="failed"'),
    silent: [{ [of('sluice_stream_ends_total', 'reason="client"')]: rising(3) }],
  },
  SluiceResolverErrors: {
    // The first error of a field: there was no series before it.
    fires: { [of('sluice_resolver_errors_total', 'field="Order.customer"')]: '_x26 1x13' },
    silent: [
      { [of('sluice_resolver_errors_total', 'field="Order.customer"')]: STILL },
      { [of('sluice_resolver_errors_total', 'field="other"')]: '_x26 0x13' },
    ],
  },
  SluiceResolversSlow: {
    fires: histogram('sluice_resolver_seconds', 'field="Order.customer"', RESOLVER, 9, 1),
    silent: [histogram('sluice_resolver_seconds', 'field="Order.customer"', RESOLVER, 99, 1)],
  },
  SluiceClientsStall: {
    fires: { [of('sluice_stream_ends_total', 'reason="stalled"')]: rising(20), [of('sluice_streams')]: '1000x40' },
    silent: [
      { [of('sluice_stream_ends_total', 'reason="stalled"')]: rising(1), [of('sluice_streams')]: '9000x40' },
      { [of('sluice_stream_ends_total', 'reason="stalled"')]: STILL, [of('sluice_streams')]: '0x40' },
    ],
  },
  SluiceUnreadAnswers: counted('sluice_refused_answers_total'),
  SluiceClientAtItsLimits: {
    fires: { [of('sluice_limit_refusals_total', 'limit="principal_requests"')]: '0+120x40' },
    silent: [{ [of('sluice_limit_refusals_total', 'limit="principal_requests"')]: '0+30x40' }],
  },
  SluiceCredentialsRefused: {
    fires: { [of('sluice_refusals_total', 'code="UNAUTHENTICATED"')]: '0+120x40' },
    silent: [
      { [of('sluice_refusals_total', 'code="UNAUTHENTICATED"')]: '0+30x40' },
      { [of('sluice_refusals_total', 'code="BAD_REQUEST"')]: '0+120x40' },
    ],
  },
  SluiceKeysFileBroken: flag('sluice_api_keys_file_broken', 1, 0),
  SluiceIssuerUnavailable: {
    fires: {
      [of('sluice_jwks_fetches_total', 'outcome="failed"')]: '0+1x40',
      [of('sluice_jwks_fetches_total', 'outcome="fetched"')]: STILL,
    },
    silent: [
      {
        [of('sluice_jwks_fetches_total', 'outcome="failed"')]: '0+1x40',
        [of('sluice_jwks_fetches_total', 'outcome="fetched"')]: '0+1x40',
      },
    ],
  },
  SluiceNearLimit: flag('sluice_near_limit', 1, 0, 'limit="streams"'),
  SluiceEventLoopBusy: flag('nodejs_eventloop_lag_p99_seconds', 0.5, 0.05),
  SluiceThrottlesFull: {
    fires: { [of('sluice_throttle_early_total')]: '0+3x40' },
    silent: [{ [of('sluice_throttle_early_total')]: STILL }],
  },
}
