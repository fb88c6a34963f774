import { Counter, Gauge, type Registry } from 'prom-client'
import { WITHOUT_AGE } from '../delivery/counts/event-ages.ts'
import type { OperationWork } from '../delivery/counts/operation-counts.ts'
import type { ResolverTimes } from '../delivery/counts/resolver-times.ts'
import type { Engine } from '../delivery/engine.ts'
import { addHistogram } from './read-histogram.ts'

/** Metrics of how late events are delivered, of resolvers, and of operations by name. */
export function addDelivery(registry: Registry, engine: Engine, times: ResolverTimes, topics: Iterable<string>): void {
  const { ages, operations, errors } = engine.shared
  const registers = [registry]
  // From the start, so that the first events make a rate.
  for (const topic of topics) ages.of(topic)
  addHistogram({
    name: 'sluice_event_age_seconds',
    help: "Age of events when they were written to live subscribers, by their records' timestamps: each flush by its oldest.",
    label: 'topic',
    registry,
    read: () => ages.byTopic,
  })
  const without: Counter = new Counter({
    name: 'sluice_events_without_age_total',
    help: 'Events delivered whose age is unknown, once for each group: by what their timestamp is.',
    labelNames: ['timestamp'],
    registers,
    collect() {
      without.reset()
      for (const timestamp of WITHOUT_AGE) without.inc({ timestamp }, ages.without[timestamp])
    },
  })
  addHistogram({
    name: 'sluice_resolver_seconds',
    help: 'Time of resolvers, by field, of sampled executions.',
    label: 'field',
    registry,
    read: () => times.byField,
  })
  const failed: Counter = new Counter({
    name: 'sluice_resolver_errors_total',
    help: 'Unexpected errors of resolvers, by field; other: of a filter, or of no field that is known.',
    labelNames: ['field'],
    registers,
    collect() {
      failed.reset()
      for (const [field, count] of errors.counts) failed.inc({ field }, count)
    },
  })

  const byName = (
    kind: typeof Counter | typeof Gauge,
    name: string,
    help: string,
    read: (work: OperationWork) => number,
  ) => {
    const metric: Counter | Gauge = new kind({
      name: `sluice_${name}`,
      help: `${help}, by the operation's name.`,
      labelNames: ['operation'],
      registers,
      collect() {
        metric.reset()
        for (const work of operations) metric.inc({ operation: work.name }, read(work))
      },
    })
  }
  byName(
    Counter,
    'operations_total',
    'Subscriptions begun, and queries and mutations executed',
    ({ started }) => started,
  )
  byName(Gauge, 'operation_subscribers', 'Subscriptions that run', ({ running }) => running)
  byName(Counter, 'operation_executions_total', 'Events executed', ({ executions }) => executions)
  byName(Counter, 'operation_frames_total', 'Frames made, once for each group', ({ frames }) => frames)
  byName(Counter, 'operation_sent_bytes_total', 'Bytes of results written, before compression', ({ bytes }) => bytes)
}
