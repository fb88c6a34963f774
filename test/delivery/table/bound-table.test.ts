import { parse } from 'graphql'
import { expect, onTestFinished, test } from 'vitest'
import { z } from 'zod'
import { Engine, type Start } from '../../../src/delivery/engine.ts'
import { prepareOperation } from '../../../src/delivery/operation/operation.ts'
import { BY_ID } from '../../../src/protocol/event-stream.ts'
import { createBuilder } from '../../../src/schema/builder.ts'
import type { Context } from '../../../src/schema/context.ts'
import { Feed } from '../../../src/streams/feed/feed.ts'
import { Table } from '../../../src/streams/table/table.ts'
import { defineTopic } from '../../../src/streams/topic/topic.ts'
import { FakeOutlet, settle } from '../../kit/engine.ts'
import { batchOf, ROOMY } from '../../kit/feeds.ts'
import { startTestGateway } from '../../kit/gateway.ts'
import { silentLog } from '../../kit/log-lines.ts'
import { as, knowPrincipals } from '../../kit/principals.ts'
import { RawStream } from '../../kit/raw-stream.ts'

/** Rows of owners, with a state that changes all the time. */
const Item = z.object({ n: z.int(), owner: z.string(), state: z.string() })
const items = defineTopic('items', { schema: Item, index: ['owner', 'state'], table: true })

const builder = createBuilder()
builder.queryType({ fields: (t) => ({ ok: t.boolean({ resolve: () => true }) }) })
const Type = builder.objectRef<z.output<typeof Item>>('Item').implement({ fields: (t) => ({ n: t.exposeInt('n') }) })
builder.subscriptionType({
  fields: (t) => ({
    items: t.table({
      topic: items,
      type: Type,
      args: { state: t.arg.string() },
      where: ({ state }) => (state ? { state } : {}),
    }),
  }),
})
const schema = builder.toSchema()

type Rows = Readonly<Record<string, readonly [owner: string, state: string] | null>>

/** A table whose clients are bound to the owner `me`. */
function startTable() {
  const feed = new Feed(items, { limits: ROOMY, log: silentLog, epoch: 1 })
  const limits = items.table as NonNullable<typeof items.table>
  const table = new Table({ feed, limits, log: silentLog, signal: new AbortController().signal })
  table.begin()
  feed.begin([{ partition: 0, earliest: 0, next: 0 }], new Map([[0, 0]]))
  const engine = new Engine({
    feed: () => feed as never,
    table: () => table as never,
    heartbeatMs: 32_000,
    log: silentLog,
  })
  onTestFinished(() => engine.close())
  const streams = { feed: () => feed, table: () => table, feeds: [feed] } as unknown as Context['streams']
  const context: Context = { audience: { claims: { bounds: { owner: ['me'] } } }, streams }
  let n = 0
  return {
    table,
    feed,
    /** Of each key its owner and state; null removes it. */
    put(rows: Rows): void {
      const from = feed.head[0] as number
      const records = Object.entries(rows).map(([key, row], index) => ({
        partition: 0,
        offset: from + index,
        timestamp: Date.now(),
        key: Buffer.from(key),
        value: row && Buffer.from(JSON.stringify({ n: ++n, owner: row[0], state: row[1] })),
        headers: undefined,
      }))
      void feed.onBatch(batchOf(0, records))
    },
    open(start?: Start, query = 'subscription { items { op key } }', outlet = new FakeOutlet()): FakeOutlet {
      const operation = prepareOperation({
        schema,
        document: parse(query),
        operationName: undefined,
        variables: {},
        context,
      })
      if (!('args' in operation) || !operation.stream) throw new Error('It is no stream')
      engine.prepare(operation, operation.stream, { start }).start(outlet, BY_ID)
      return outlet
    },
    /** As graphql-js alone would read it. */
    read: (after?: string) => table.read({ ...boundSelect(context), after }),
  }
}

function boundSelect(context: Context) {
  const operation = prepareOperation({
    schema,
    document: parse('subscription { items { op } }'),
    operationName: undefined,
    variables: {},
    context,
  })
  if (!('args' in operation) || !operation.stream) throw new Error('It is no stream')
  return operation.stream.select as never as { selection: object; bounds: never }
}

function told({ results }: FakeOutlet): string[] {
  return results.map(({ data }) => {
    const { op, key } = (data as unknown as { items: { op: string; key: string | null } }).items
    return key === null ? op : `${op} ${key}`
  })
}

test('of rows of others a bound client is told nothing: neither that they are, change, nor that they go', async () => {
  const { put, open } = startTable()
  put({ mine: ['me', 'a'], theirs: ['you', 'a'] })
  const [all, some] = [open(), open(undefined, 'subscription { items(state: "a") { op key } }')]
  await settle()
  put({ theirs: ['you', 'b'], mine: ['me', 'b'], other: ['you', 'a'] })
  put({ theirs: null, other: null, mine: null })
  await settle()
  expect(told(all)).toEqual(['RESET', 'ROW mine', 'READY', 'UPSERT mine', 'REMOVE mine'])
  expect(told(some)).toEqual(['RESET', 'ROW mine', 'READY', 'REMOVE mine'])
})

test('nor is a bound client that comes back, or has lagged', async () => {
  const { feed, put, open, read } = startTable()
  put({ mine: ['me', 'a'], gone: ['me', 'a'], given: ['me', 'a'], theirs: ['you', 'a'], old: ['you', 'a'] })
  const { cursor } = feed
  const lagging = open()
  await settle()
  lagging.full = true
  put({ theirs: ['you', 'b'], old: null, gone: null, given: ['you', 'a'], mine: ['me', 'b'] })
  // A key of theirs that begins again, and one that is of many owners.
  put({ old: ['you', 'c'], twice: ['you', 'a'] })
  put({ twice: ['him', 'a'] })
  put({ twice: null, given: ['you', 'c'] })
  const back = open({ after: cursor })
  await settle()
  await settle()
  const missed = ['REMOVE gone', 'UPSERT mine', 'REMOVE given']
  expect(told(back)).toEqual(missed)
  lagging.full = false
  lagging.listener?.drained()
  await settle()
  expect(
    told(lagging)
      .filter((each) => !/RESET|ROW|READY/.test(each))
      .sort(),
  ).toEqual([...missed].sort())
  const items = read(cursor)
  const pulled: string[] = []
  for (let count = 0; count < missed.length; count++) {
    const { value } = await items.next()
    pulled.push(`${value?.op} ${value?.key}`)
  }
  await items.return?.()
  expect(pulled).toEqual(missed)
})

test('a row that another owner has given is told, and as removed when it is given on', async () => {
  const { put, open } = startTable()
  put({ a: ['you', 'a'] })
  const outlet = open()
  await settle()
  put({ a: ['me', 'a'] })
  put({ a: ['you', 'a'] })
  put({ a: ['you', 'b'] })
  await settle()
  expect(told(outlet)).toEqual(['RESET', 'READY', 'UPSERT a', 'REMOVE a'])
})

test('who comes from before what an instance has loaded begins again: it does not know whose a removed row was', async () => {
  knowPrincipals({ partner: { bounds: { region: ['EUROPE'] } } })
  const one = await startTestGateway({ partitions: 1 })
  const row = (region: string, orders = 1) => ({
    key: `${region}/1`,
    value: JSON.stringify({ region, minute: '2026-11-27T10:15:00Z', orders, sales: '1.00' }),
    timestamp: Date.now(),
  })
  const send = (...records: { key: string; value: string | null }[]) => one.embedded.sink.send('region-sales', records)
  const query = 'subscription { regionSales { op key } }'
  await send(row('EUROPE'), row('ASIA'))
  const first = await RawStream.subscribe(one.graphql, query, { headers: as('partner') })
  await first.untilResults(3)
  const id = first.blocks.findLast((block) => block.id !== undefined && block.event === 'next')?.id ?? ''
  await send({ key: 'ASIA/1', value: null }, row('EUROPE', 2), row('OCEANIA'))
  await first.untilResults(4)
  const other = await startTestGateway({ partitions: 1, embedded: one.embedded })
  const ops = ({ results }: RawStream) =>
    results.map(({ data }) => {
      const item = data?.regionSales as { op: string; key: string | null } | undefined
      return `${item?.op} ${item?.key}`
    })
  expect(ops(first)).toEqual(['RESET null', 'ROW EUROPE/1', 'READY null', 'UPSERT EUROPE/1'])
  const headers = { ...as('partner'), 'last-event-id': id }
  const again = await RawStream.subscribe(other.graphql, query, { headers })
  await again.untilResults(3)
  expect(ops(again)).toEqual(['RESET null', 'ROW EUROPE/1', 'READY null'])
  const same = await RawStream.subscribe(one.graphql, query, { headers })
  await same.untilResults(1)
  expect(ops(same)).toEqual(['UPSERT EUROPE/1'])
  const rows = await RawStream.answer(one.graphql, {
    method: 'POST',
    headers: as('partner'),
    body: { query: '{ regionSales { region } }' },
  })
  expect(rows.json).toEqual({ data: { regionSales: [{ region: 'EUROPE' }] } })
})
