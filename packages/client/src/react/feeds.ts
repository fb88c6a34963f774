import type { Operation, SluiceClient } from '../sluice-client.ts'
import { Feed } from './feed.ts'
import type { ViewKind } from './view.ts'

/** The feeds of each client by their operation's key: components that ask the same thing share one. */
const open = new WeakMap<SluiceClient, Map<string, Set<Feed>>>()

/** The feed that shows this already, or can. */
export function findFeed(client: SluiceClient, key: string, kind: ViewKind<unknown>): Feed | undefined {
  for (const feed of open.get(client)?.get(key) ?? []) if (feed.canShow(kind)) return feed
  return undefined
}

/** @throws what the client throws for a document or variables that cannot be sent */
export function openFeed(client: SluiceClient, key: string, operation: Operation): Feed {
  const byKey = open.get(client) ?? new Map<string, Set<Feed>>()
  open.set(client, byKey)
  const feeds = byKey.get(key) ?? new Set()
  byKey.set(key, feeds)
  const forget = () => {
    feeds.delete(feed)
    if (feeds.size === 0 && byKey.get(key) === feeds) byKey.delete(key)
  }
  const feed = new Feed(forget)
  feeds.add(feed)
  try {
    feed.start(client, operation)
  } catch (error) {
    forget()
    throw error
  }
  return feed
}
