import { Counter, Gauge, type Registry } from 'prom-client'
import type { Counts } from '../admission/usage/counts.ts'
import { ShownUsage } from '../admission/usage/shown-usage.ts'
import type { Usage } from '../admission/usage/usage.ts'

/** Metrics of usage, by principal: those with the most traffic, and `other`. */
export function addUsage(registry: Registry, usage: Usage): void {
  const shown = new ShownUsage(usage)
  const counter = (name: string, help: string, read: (counts: Counts) => number): void => {
    const metric: Counter = new Counter({
      name: `sluice_principal_${name}`,
      help: `${help}, by principal: those with the most traffic, and "other".`,
      labelNames: ['principal'],
      registers: [registry],
      async collect() {
        const all = await shown.read()
        metric.reset()
        for (const { principal, counts } of all) metric.inc({ principal }, read(counts))
      },
    })
  }
  counter('opened_streams_total', 'Streams opened', ({ opened }) => opened)
  counter('stream_seconds_total', 'Time for which streams were open', ({ streamMs }) => streamMs / 1_000)
  counter('events_total', 'Results sent on streams', ({ events }) => events)
  counter('bytes_total', 'Bytes of streams, as they were sent', ({ bytes }) => bytes)
  counter('queries_total', 'Queries and mutations', ({ queries }) => queries)
  const streams: Gauge = new Gauge({
    name: 'sluice_principal_streams',
    help: 'Open streams, by principal: those with the most traffic, and "other".',
    labelNames: ['principal'],
    registers: [registry],
    async collect() {
      const all = await shown.read()
      streams.reset()
      for (const each of all) streams.inc({ principal: each.principal }, each.streams)
    },
  })
}
