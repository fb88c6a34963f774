import type { Metric, Registry } from 'prom-client'
import type { PlainHistogram } from '../delivery/counts/plain-histogram.ts'

export interface HistogramOptions {
  readonly name: string
  readonly help: string
  readonly label: string
  readonly registry: Registry
  /** Histograms by the label's value. */
  readonly read: () => Iterable<readonly [value: string, histogram: PlainHistogram]>
}

/** A metric of histograms that are counted elsewhere, read at the scrape: prom-client's own counts each value by itself. */
export function addHistogram({ name, help, label, registry, read }: HistogramOptions): void {
  const get = async () => {
    const samples = [...read()].flatMap(([value, { bounds, counts, sum, count }]) => {
      const labels = { [label]: value }
      let total = 0
      const buckets = [...bounds, '+Inf'].map((le, i) => {
        total += counts[i] as number
        return { metricName: `${name}_bucket`, labels: { ...labels, le }, value: total }
      })
      return [
        ...buckets,
        { metricName: `${name}_sum`, labels, value: sum },
        { metricName: `${name}_count`, labels, value: count },
      ]
    })
    return { name, help, type: 'histogram', aggregator: 'sum', values: samples }
  }
  // All that a registry uses of a metric.
  registry.registerMetric({ name, help, get, reset: () => {} } as unknown as Metric)
}
