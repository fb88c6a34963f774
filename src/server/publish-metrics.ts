import { Counter, Gauge, type Registry } from 'prom-client'
import type { Publisher } from '../streams/publish/publisher.ts'

/** Metrics of what clients publish. */
export function addPublishing(registry: Registry, publisher: Publisher): void {
  const counter: Counter = new Counter({
    name: 'sluice_published_total',
    help: 'Events that clients wanted to publish, by outcome.',
    labelNames: ['outcome'],
    registers: [registry],
    collect() {
      counter.reset()
      for (const [outcome, count] of Object.entries(publisher.counts)) counter.inc({ outcome }, count)
    },
  })
  const gauge: Gauge = new Gauge({
    name: 'sluice_publishing',
    help: 'Events of clients that wait until the log has acknowledged them.',
    registers: [registry],
    collect: () => gauge.set(publisher.pending),
  })
}
