import { useEffect, useRef, useState, useSyncExternalStore } from 'react'
import type { DocumentInput, Operation, SluiceClient } from '../sluice-client.ts'
import type { Feed, FeedListeners } from './feed.ts'
import { findFeed, openFeed } from './feeds.ts'
import { operationKey } from './operation-key.ts'
import { useSluiceClient } from './provider.ts'
import type { FeedStatus, ViewKind } from './view.ts'

/** Variables that have none that must be given may be left out. */
// biome-ignore lint/complexity/noBannedTypes: it asks whether an object without properties would do
export type VariablesArgument<Variables> = {} extends Variables ? Variables | undefined : Variables

export interface HookOptions extends FeedListeners {
  /** True: no subscription, until it is false. */
  readonly skip?: boolean | undefined
}

const CONNECTING: FeedStatus = { state: { status: 'connecting' }, error: undefined, gaps: [] }
const SKIPPED: FeedStatus = { state: { status: 'ended', why: 'stopped' }, error: undefined, gaps: [] }

/** What `useSyncExternalStore` takes: a place of a component in a feed, which exists while the component is mounted. */
function createSeat<Snapshot>(
  client: SluiceClient,
  key: string | undefined,
  operation: Operation,
  kind: ViewKind<Snapshot>,
  listeners: () => FeedListeners,
) {
  const nothing = kind.make().snapshot(key === undefined ? SKIPPED : CONNECTING)
  let feed: Feed | undefined
  return {
    isFor: (ofClient: SluiceClient, ofKey: string | undefined, { key: ofKind }: ViewKind<Snapshot>) =>
      ofClient === client && ofKey === key && ofKind === kind.key,
    subscribe(changed: () => void): () => void {
      if (key === undefined) return () => {}
      feed = findFeed(client, key, kind) ?? openFeed(client, key, operation)
      return feed.join(kind, { changed, listeners })
    },
    snapshot(): Snapshot {
      if (key === undefined) return nothing
      const shown = feed ?? findFeed(client, key, kind)
      return shown?.has(kind) ? shown.snapshot(kind) : nothing
    },
    nothing: () => nothing,
  }
}

/**
 * What all hooks are made of. Nothing is subscribed while rendering, on a server, or by a component that is not mounted.
 * @param kind of one key as long as it is to be one view
 */
export function useView<Data, Variables, Snapshot>(
  document: DocumentInput<Data, Variables>,
  variables: VariablesArgument<Variables>,
  options: HookOptions,
  kind: ViewKind<Snapshot>,
): Snapshot {
  const client = useSluiceClient()
  const latest = useRef<FeedListeners>(options)
  useEffect(() => {
    latest.current = options
  })
  const key = options.skip ? undefined : operationKey(document, variables)
  const create = () => {
    const operation = { query: document, variables } as unknown as Operation
    return createSeat(client, key, operation, kind, () => latest.current)
  }
  let [seat, take] = useState(create)
  // Document, variables and kind are other objects at each render: their keys say whether they are the same.
  if (!seat.isFor(client, key, kind)) {
    seat = create()
    take(seat)
  }
  return useSyncExternalStore(seat.subscribe, seat.snapshot, seat.nothing)
}
