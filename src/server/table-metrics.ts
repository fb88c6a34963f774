import { Gauge, type Registry } from 'prom-client'
import type { Streams } from '../streams/streams.ts'
import type { Table } from '../streams/table/table.ts'

/** Metrics of the tables, by topic. */
export function addTables(registry: Registry, streams: Streams): void {
  const gauge = (name: string, help: string, read: (table: Table) => number): void => {
    const metric: Gauge = new Gauge({
      name: `sluice_table_${name}`,
      help,
      labelNames: ['topic'],
      registers: [registry],
      collect() {
        for (const table of streams.tables) metric.set({ topic: table.feed.topic.name }, read(table))
      },
    })
  }
  gauge('rows', 'Rows of a table.', ({ store }) => store.size)
  gauge('marks', 'Removed rows that are remembered for clients that come back.', ({ store }) => store.marks)
  gauge('bytes', 'Estimated bytes of the rows of a table.', ({ store }) => store.bytes)
  gauge('refused', 'Whether a table is larger than its limits, and its fields are refused.', ({ state }) =>
    Number(state.kind === 'refused'),
  )
  gauge('loads', 'Number of times that a table was loaded.', ({ loads }) => loads)
}
