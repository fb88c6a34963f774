import { Counter, type Registry } from 'prom-client'
import { CLOSE_REASONS } from '../delivery/outlet.ts'
import type { StreamCounts } from '../transport/stream-counts.ts'

/** Metrics of the streams' beginnings and ends: what was opened, less all ends, is open. */
export function addStreams(
  registry: Registry,
  streams: StreamCounts,
  closes: () => Partial<Record<string, number>>,
): void {
  const registers = [registry]
  const opened: Counter = new Counter({
    name: 'sluice_streams_opened_total',
    help: 'Streams opened.',
    registers,
    collect() {
      opened.reset()
      opened.inc(streams.total)
    },
  })
  const byReason = (name: string, help: string, read: (reason: (typeof CLOSE_REASONS)[number]) => number): void => {
    const metric: Counter = new Counter({
      name: `sluice_${name}`,
      help,
      labelNames: ['reason'],
      registers,
      collect() {
        metric.reset()
        for (const reason of CLOSE_REASONS) metric.inc({ reason }, read(reason))
      },
    })
  }
  byReason('stream_ends_total', 'Streams that have ended, each once, by reason.', (reason) => streams.ends[reason])
  byReason(
    'closes_total',
    'Ended subscriptions, by reason: a stream in single connection mode carries several.',
    (reason) => closes()[reason] ?? 0,
  )
}
