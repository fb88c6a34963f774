import { SluiceError } from '../../errors/codes.ts'
import type { StreamEvent } from '../event.ts'
import { Conditions } from '../feed/conditions.ts'
import { SCANS } from '../turn-budget.ts'
import type { Table } from './table.ts'
import type { TableReadOptions } from './table-iterator.ts'

/** Limit of the rows of one answer. A subscription has no such limit. */
const MAX_ROWS = 10_000

/**
 * The rows of a table at this moment, by their keys, in the order of code units. Throws what the test throws.
 * @throws SluiceError `RESULT_TOO_LARGE`
 */
export async function selectRows<V>(
  table: Table<V>,
  { selection = {}, test }: TableReadOptions<V>,
): Promise<StreamEvent<V>[]> {
  const { topic } = table.feed
  const conditions = new Conditions<V>(topic, selection)
  const rows = table.store.rows()
  const found: StreamEvent<V>[] = []
  for (let index = 0; index < rows.length; ) {
    if (index > 0) await SCANS.next()
    SCANS.begin()
    try {
      while (index < rows.length) {
        const event = rows[index++]?.event as StreamEvent<V>
        if (conditions.meets(event) && (!test || test(event))) found.push(event)
        if (found.length > MAX_ROWS) {
          throw new SluiceError(
            'RESULT_TOO_LARGE',
            `More than ${MAX_ROWS} rows of "${topic.name}" match: subscribe to them`,
          )
        }
        if (SCANS.isUsedUp()) break
      }
    } finally {
      SCANS.end()
    }
  }
  return found.sort((a, b) => ((a.key as string) < (b.key as string) ? -1 : 1))
}
