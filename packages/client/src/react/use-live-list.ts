import type { DocumentInput } from '../sluice-client.ts'
import { LiveList, type LiveListSnapshot } from './live-list.ts'
import { type HookOptions, useView, type VariablesArgument } from './use-view.ts'
import type { RootOf } from './view.ts'

/** As many as a list on a page is read. */
const DEFAULT_MAX = 100

export interface LiveListOptions<Item> extends HookOptions {
  /** The field that tells items apart: an item whose key is there takes its place, at the top. */
  readonly by: keyof Item & string
  /** Items that are kept, the newest. Default: 100. */
  readonly max?: number | undefined
}

export type LiveListResult<Item> = LiveListSnapshot<Item>

/**
 * The newest events of a subscription as a list, one item for each key. It is rendered at most once a frame, however
 * many events come.
 * @throws RangeError for a `max` that is no number of items
 */
export function useLiveList<Data, Variables>(
  document: DocumentInput<Data, Variables>,
  variables: VariablesArgument<Variables>,
  options: LiveListOptions<RootOf<Data>>,
): LiveListResult<RootOf<Data>> {
  const { by, max = DEFAULT_MAX } = options
  const kind = { key: `list ${max} ${by}`, make: () => new LiveList<RootOf<Data>>({ by, max }) }
  return useView(document, variables, options, kind)
}
