import { createEmbeddedLog, type EmbeddedLog } from '../../src/streams/source/embedded/embedded.ts'
import { type RawRequest, RawStream } from '../kit/raw-stream.ts'

/** Where a subscription is to begin, by every way in which that can be said, and what else is wished for. */
export interface Wishes {
  readonly header?: string
  /** `lastEventId` in the query. */
  readonly query?: string
  readonly extensions?: object
  readonly after?: string | null
  readonly since?: string
  readonly last?: number
  readonly region?: string
}

const OPERATION = `subscription ($region: Region!, $after: Cursor, $since: DateTime, $last: Int) {
  ordersByRegion(region: $region, after: $after, since: $since, last: $last) { id }
}`

/** A request for the orders of a region (Europe), from there. */
export function requestFor(wishes: Wishes, method: 'GET' | 'POST' = 'POST', query = OPERATION): RawRequest {
  const { header, query: inQuery, extensions, region = 'EUROPE', ...position } = wishes
  const variables = { region, ...position }
  const headers = { accept: 'text/event-stream', ...(header !== undefined && { 'last-event-id': header }) }
  const search = new URLSearchParams(inQuery === undefined ? {} : { lastEventId: inQuery })
  if (method === 'POST') return { method, search: `?${search}`, headers, body: { query, variables, extensions } }
  search.set('query', query)
  search.set('variables', JSON.stringify(variables))
  if (extensions) search.set('extensions', JSON.stringify(extensions))
  return { search: `?${search}`, headers }
}

/** Opens it, and waits for its first block. */
export async function resume(url: string, wishes: Wishes = {}, method: 'GET' | 'POST' = 'POST'): Promise<RawStream> {
  const stream = await RawStream.send(url, requestFor(wishes, method))
  await stream.untilBlocks(1)
  return stream
}

/** What has come: ids of orders, codes of errors, `caughtUp`. */
export function told(stream: RawStream): unknown[] {
  return stream.results.map((result) => {
    const { data, errors, extensions } = result as (typeof stream.results)[number] & { extensions?: object }
    if (errors) return errors[0]?.extensions?.code
    if (data) return (data.ordersByRegion as { id: string }).id
    return extensions && 'caughtUp' in extensions ? 'caughtUp' : 'position'
  })
}

/** The cursor behind the order with this id. */
export function cursorBehind(stream: RawStream, id: string): string {
  const block = stream.blocks.find(({ data }) => data?.includes(`"id":"${id}"`))
  if (block?.id === undefined) throw new Error(`No block of the stream has the order ${id}`)
  return block.id
}

/** An embedded log that counts what it is asked, and with which nothing else is changed. */
export function countedLog(partitions = 6): { readonly embedded: EmbeddedLog; readonly calls: () => number } {
  const log = createEmbeddedLog()
  log.createTopic('orders', partitions)
  log.createTopic('region-sales', partitions)
  let calls = 0
  const counted = <A extends unknown[], R>(act: (...args: A) => R) =>
    ((...args: A) => {
      calls++
      return act(...args)
    }) as (...args: A) => R
  const { source } = log
  const embedded = {
    ...log,
    source: {
      ...source,
      ranges: counted(source.ranges),
      offsetsAt: counted(source.offsetsAt),
      fetch: counted(source.fetch),
    },
  }
  return { embedded, calls: () => calls }
}
