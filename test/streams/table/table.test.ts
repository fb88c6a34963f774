import { expect, onTestFinished, test } from 'vitest'
import { z } from 'zod'
import { encodeCursor } from '../../../src/streams/cursor/cursor.ts'
import { createEmbeddedLog } from '../../../src/streams/source/embedded/embedded.ts'
import { Streams } from '../../../src/streams/streams.ts'
import type { TableItem } from '../../../src/streams/table/item.ts'
import { loadPartition } from '../../../src/streams/table/load.ts'
import { selectRows } from '../../../src/streams/table/rows.ts'
import { Table } from '../../../src/streams/table/table.ts'
import { readTable } from '../../../src/streams/table/table-iterator.ts'
import { defineTopic } from '../../../src/streams/topic/topic.ts'
import { ROOMY } from '../../kit/feeds.ts'
import { recordedLog, silentLog } from '../../kit/log-lines.ts'
import { until } from '../../kit/until.ts'

const Paint = z.object({ n: z.int(), color: z.string() })
type Paint = z.output<typeof Paint>
const paints = defineTopic('paints', { schema: Paint, index: ['color'], table: true })
const few = defineTopic('paints', { schema: Paint, index: ['color'], table: { maxKeys: 3 } })

async function start(topic: typeof paints = paints, before: Readonly<Record<string, Paint | null | 'poison'>> = {}) {
  const embedded = createEmbeddedLog()
  embedded.createTopic('paints', 2)
  const { source, sink, epoch } = embedded
  const put = (rows: Readonly<Record<string, Paint | null | 'poison'>>): Promise<void> =>
    sink.send(
      'paints',
      Object.entries(rows).map(([key, row]) => ({ key, value: row === null ? null : JSON.stringify(row) })),
    )
  await put(before)
  const log = recordedLog()
  const streams = new Streams({ topics: [topic], source, sink, epoch, limits: ROOMY, log: log.log })
  onTestFinished(() => streams.close())
  streams.start()
  await until('the streams are ready', () => streams.readiness().ready)
  return { streams, table: streams.table(topic), put, embedded, log }
}

function thrownBy(act: () => unknown): unknown {
  try {
    act()
  } catch (error) {
    return error
  }
  throw new Error('Nothing was thrown')
}

async function take(items: AsyncIterator<TableItem<Paint>, unknown>, count: number): Promise<string[]> {
  const taken: string[] = []
  for (let i = 0; i < count; i++) {
    const { value, done } = await items.next()
    if (done) break
    const { op, key, event } = value as TableItem<Paint>
    taken.push([op, key, event?.value.n].filter((part) => part !== null && part !== undefined).join(' '))
  }
  return taken
}

test('a table is loaded before it is ready: the latest of each key, without those that were removed', async () => {
  const { table, put } = await start(paints, { a: { n: 1, color: 'red' }, b: { n: 2, color: 'red' } })
  expect(table.state.kind).toBe('ready')
  expect((await selectRows(table, {})).map(({ key, value }) => `${key}${value.n}`)).toEqual(['a1', 'b2'])
  await put({ a: null, b: { n: 3, color: 'red' }, c: 'poison' })
  await until('the changes were read', () => table.store.marks === 2)
  expect((await selectRows(table, {})).map(({ key, value }) => `${key}${value.n}`)).toEqual(['b3'])
})

test('a record that cannot be read removes its row: after compaction the former value would be gone', async () => {
  const { table, put } = await start(paints, { a: { n: 1, color: 'red' } })
  await put({ a: 'poison' })
  await until('it was read', () => table.store.size === 0)
})

test('a table that is too large is refused by name, and the instance and the streams of its topic go on', async () => {
  const rows = Object.fromEntries(['a', 'b', 'c'].map((key, n) => [key, { n, color: 'red' }]))
  const { streams, table, put, log } = await start(few, rows)
  const items = readTable(table)
  expect(await take(items, 5)).toHaveLength(5)
  const pending = items.next()
  await put({ d: { n: 4, color: 'red' } })
  await expect(pending).rejects.toMatchObject({ code: 'TABLE_TOO_LARGE', message: /"paints" has more than 3 rows/ })
  expect(thrownBy(() => table.demandReady())).toMatchObject({ code: 'TABLE_TOO_LARGE', status: 507 })
  expect(streams.readiness()).toEqual({
    ready: true,
    notes: ['Topic "paints": The table "paints" has more than 3 rows'],
  })
  expect(table.store.bytes).toBe(0)
  expect(table.watchers).toBe(0)
  expect(log.lines.filter(({ msg }) => /more than 3 rows/.test(String(msg)))).toHaveLength(1)
  const events = streams.feed(few).subscribe()
  await put({ e: { n: 5, color: 'red' } })
  expect((await events.next()).value).toMatchObject({ key: 'e' })
})

test('an iterator tells all rows, and then what changes, for its selection only', async () => {
  const { table, put } = await start(paints, { a: { n: 1, color: 'red' }, b: { n: 2, color: 'blue' } })
  const items = readTable(table, { selection: { color: 'red' } })
  expect(await take(items, 3)).toEqual(['RESET', 'ROW a 1', 'READY'])
  const next = items.next()
  await put({ b: { n: 3, color: 'blue' }, a: { n: 4, color: 'blue' } })
  expect((await next).value).toMatchObject({ op: 'REMOVE', key: 'a' })
  await put({ b: { n: 5, color: 'red' } })
  expect(await take(items, 1)).toEqual(['UPSERT b 5'])
  await items.return?.()
  expect(table.watchers).toBe(0)
})

test('a slow consumer of an iterator gets the latest of each row, once', async () => {
  const { table, put } = await start(paints, { a: { n: 1, color: 'red' } })
  const items = readTable(table)
  expect(await take(items, 3)).toEqual(['RESET', 'ROW a 1', 'READY'])
  for (let n = 2; n < 50; n++) await put({ a: { n, color: 'red' } })
  await put({ b: { n: 50, color: 'red' } })
  await until('the changes were read', () => table.store.get('a')?.event?.value.n === 49 && table.store.size === 2)
  expect(new Set(await take(items, 2))).toEqual(new Set(['UPSERT a 49', 'UPSERT b 50']))
  await items.return?.()
})

test('leaving an iterator that waits ends it, and a pending call', async () => {
  const { table } = await start()
  const items = readTable(table)
  expect(await take(items, 2)).toEqual(['RESET', 'READY'])
  const pending = items.next()
  await items.return?.()
  expect(await pending).toEqual({ done: true, value: undefined })
  expect(table.watchers).toBe(0)
})

test('an iterator goes on after a cursor, and begins again after one of another log', async () => {
  const { streams, table, put } = await start(paints, { a: { n: 1, color: 'red' }, b: { n: 2, color: 'red' } })
  const { cursor } = streams.feed(paints)
  await put({ b: { n: 3, color: 'red' } })
  await until('it was read', () => table.store.get('b')?.event?.value.n === 3)
  const items = readTable(table, { after: cursor })
  expect(await take(items, 1)).toEqual(['UPSERT b 3'])
  await items.return?.()
  const other = encodeCursor('paints', { positions: [5, 5], epoch: 12345 })
  const again = readTable(table, { after: other })
  expect(await take(again, 4)).toEqual(['RESET', 'ROW a 1', 'ROW b 3', 'READY'])
  await again.return?.()
  expect(thrownBy(() => readTable(table, { after: 'nonsense' }))).toMatchObject({ code: 'CURSOR_INVALID' })
})

test('records that were deleted under the reader load the table again', async () => {
  const { table } = await start(paints, { a: { n: 1, color: 'red' } })
  const items = readTable(table)
  expect(await take(items, 3)).toEqual(['RESET', 'ROW a 1', 'READY'])
  const { loads } = table
  table.feed.onGap({ kind: 'gap', topic: 'paints', partition: 0, from: 0, to: 0, reason: 'truncation' })
  await until('it was loaded again', () => table.loads === loads + 1 && table.state.kind === 'ready')
  expect(await take(items, 3)).toEqual(['RESET', 'ROW a 1', 'READY'])
  await items.return?.()
})

test('a position is too old where tombstones may have been compacted away since, unless it is known to be young', async () => {
  const { streams, embedded, put } = await start(paints, { a: { n: 1, color: 'red' } })
  await put({ b: { n: 2, color: 'red' } })
  for (const partition of [0, 1]) embedded.deleteRecords('paints', partition, 1)
  const table = new Table({
    feed: streams.feed(paints) as never,
    limits: { maxKeys: 10, maxBytes: 1e6, tombstonesMs: 8000 },
    source: embedded.source,
    log: silentLog,
    signal: new AbortController().signal,
  })
  await table.load(await embedded.source.ranges('paints'))
  const now = Date.now()
  expect(table.isTooOld([1, 1], undefined)).toBe(false)
  expect(table.isTooOld([0, 0], undefined)).toBe(true)
  expect(table.isTooOld([0, 0], now - 6000)).toBe(false)
  expect(table.isTooOld([0, 0], now - 7500)).toBe(true)
  // A producer that stamps in microseconds says nothing of time.
  expect(table.isTooOld([0, 0], now * 1000)).toBe(true)
})

test('the load of a partition knows where nothing was compacted away', async () => {
  const { embedded, put } = await start()
  for (let n = 0; n < 40; n++) await put({ a: { n, color: 'red' } })
  const ranges = await embedded.source.ranges('paints')
  const range = ranges.find(({ next }) => next > 0) as (typeof ranges)[number]
  const load = async (holes: readonly number[]) => {
    const source = {
      ...embedded.source,
      async fetch(...args: Parameters<typeof embedded.source.fetch>) {
        const fetched = await embedded.source.fetch(...args)
        if (fetched.kind !== 'records') return fetched
        return { ...fetched, records: fetched.records.filter(({ offset }) => !holes.includes(offset)) }
      },
    }
    const taken: number[] = []
    const wholeFrom = await loadPartition({
      topic: 'paints',
      source,
      range,
      end: range.next,
      take: ({ offset }) => taken.push(offset),
      isWanted: () => true,
      signal: new AbortController().signal,
    })
    return [wholeFrom, taken.length]
  }
  expect(await load([])).toEqual([0, 40])
  expect(await load([3, 17])).toEqual([18, 38])
  expect(await load([38, 39])).toEqual([40, 38])
})
