import type { DocumentInput } from '../sluice-client.ts'
import { TableRows, type TableSnapshot } from './table-rows.ts'
import { type HookOptions, useView, type VariablesArgument } from './use-view.ts'
import type { RootOf } from './view.ts'

/** More rows than a page shows; a topic may have a million. */
const DEFAULT_MAX = 10_000

export interface TableOptions extends HookOptions {
  /** Rows that are kept; `partial` says that there are more. Default: 10,000. */
  readonly max?: number | undefined
}

type RowOf<Change> = Change extends { readonly row?: infer Row } ? NonNullable<Row> : unknown

export type TableResult<Row> = TableSnapshot<Row>

/**
 * The rows of a table, as they are now: for a subscription whose items have `op`, `key` and `row`, all of which the
 * document has to select.
 * @throws RangeError for a `max` that is no number of rows
 */
export function useTable<Data, Variables>(
  document: DocumentInput<Data, Variables>,
  variables: VariablesArgument<Variables>,
  options: TableOptions = {},
): TableResult<RowOf<RootOf<Data>>> {
  const { max = DEFAULT_MAX } = options
  const kind = { key: `table ${max}`, make: () => new TableRows<RowOf<RootOf<Data>>>({ max }) }
  return useView(document, variables, options, kind)
}
