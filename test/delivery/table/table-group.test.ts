import { parse } from 'graphql'
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest'
import { z } from 'zod'
import { Engine, type Start } from '../../../src/delivery/engine.ts'
import { prepareOperation } from '../../../src/delivery/operation/operation.ts'
import { BY_ID } from '../../../src/protocol/event-stream.ts'
import { createBuilder } from '../../../src/schema/builder.ts'
import { ANONYMOUS, type Context } from '../../../src/schema/context.ts'
import { Feed } from '../../../src/streams/feed/feed.ts'
import { Table } from '../../../src/streams/table/table.ts'
import { defineTopic } from '../../../src/streams/topic/topic.ts'
import { FakeOutlet, settle } from '../../kit/engine.ts'
import { batchOf, ROOMY } from '../../kit/feeds.ts'
import { silentLog } from '../../kit/log-lines.ts'

const Paint = z.object({ n: z.int(), color: z.string() })
const paints = defineTopic('paints', { schema: Paint, index: ['color'], table: true })

const builder = createBuilder()
builder.queryType({ fields: (t) => ({ ok: t.boolean({ resolve: () => true }) }) })
const Type = builder.objectRef<z.output<typeof Paint>>('Paint').implement({
  fields: (t) => ({ n: t.exposeInt('n'), color: t.exposeString('color') }),
})
builder.subscriptionType({
  fields: (t) => ({
    paints: t.table({
      topic: paints,
      type: Type,
      args: { color: t.arg.string(), above: t.arg.int() },
      where: ({ color }) => (color ? { color } : {}),
      filter: ({ n }, { above }) => {
        if (n === 666) throw new Error('A filter that fails')
        return n > (above ?? -1)
      },
    }),
  }),
})
const schema = builder.toSchema()

const ALL = 'subscription { paints { op key row { n } } }'
const RED = 'subscription { paints(color: "red") { op key row { n } } }'
const ABOVE = 'subscription { paints(above: 10) { op key row { n } } }'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance', 'Date'] })
  vi.advanceTimersByTime(1000)
})
afterEach(() => void vi.useRealTimers())

function startTable() {
  const feed = new Feed(paints, { limits: ROOMY, log: silentLog, epoch: 1 })
  const signal = new AbortController().signal
  const limits = paints.table as NonNullable<typeof paints.table>
  const table = new Table({ feed, limits, log: silentLog, signal })
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
  return {
    engine,
    feed,
    table,
    /** Of each key its number and colour; null removes it. */
    paint(rows: Readonly<Record<string, readonly [number, string] | null>>): void {
      const from = feed.head[0] as number
      const records = Object.entries(rows).map(([key, row], index) => ({
        partition: 0,
        offset: from + index,
        timestamp: Date.now(),
        key: Buffer.from(key),
        value: row && Buffer.from(JSON.stringify({ n: row[0], color: row[1] })),
        headers: undefined,
      }))
      void feed.onBatch(batchOf(0, records))
    },
    open(query: string, outlet = new FakeOutlet(), start?: Start): FakeOutlet {
      const context: Context = { audience: ANONYMOUS, streams }
      const document = parse(query)
      const operation = prepareOperation({ schema, document, operationName: undefined, variables: {}, context })
      if (!('args' in operation) || !operation.stream) throw new Error('It is no stream')
      engine.prepare(operation, operation.stream, { start }).start(outlet, BY_ID)
      return outlet
    },
  }
}

interface Told {
  readonly data?: {
    readonly paints: { readonly op: string; readonly key: string | null; readonly row: { n: number } | null }
  }
  readonly errors?: readonly { readonly extensions: { readonly code: string } }[]
}

/** What a client was told, such as `UPSERT a 1`. */
function told({ results }: FakeOutlet): string[] {
  return (results as unknown as Told[]).map(({ data, errors }) => {
    if (!data) return errors?.[0]?.extensions.code ?? ''
    const { op, key, row } = data.paints
    return [op, key, row?.n].filter((part) => part !== null && part !== undefined).join(' ')
  })
}

test('a change costs one execution and one serialization, whatever the number of members', async () => {
  const { engine, paint, open } = startTable()
  const outlets = Array.from({ length: 50 }, () => open(ALL))
  await settle()
  const { executions } = engine.stats
  paint({ a: [1, 'red'] })
  await settle()
  expect(engine.stats.executions).toBe(executions + 1)
  for (const outlet of outlets) expect(told(outlet)).toEqual(['RESET', 'READY', 'UPSERT a 1'])
})

test('the rows of clients that join together are rendered once', async () => {
  const { engine, paint, open } = startTable()
  paint(Object.fromEntries(Array.from({ length: 500 }, (_, n) => [`k${n}`, [n, 'red'] as const])))
  const outlets = Array.from({ length: 20 }, () => open(ALL))
  await settle()
  await settle()
  for (const outlet of outlets) expect(told(outlet)).toHaveLength(502)
  // Beside the rows: RESET and READY, each for all of them.
  expect(engine.stats.executions).toBe(500 + 2)
})

test('a row that leaves a filter is told as removed, and one that never was in it is not told', async () => {
  const { paint, open } = startTable()
  paint({ a: [20, 'red'], b: [1, 'red'] })
  const [red, above] = [open(RED), open(ABOVE)]
  await settle()
  paint({ a: [5, 'blue'], b: [2, 'blue'], c: [3, 'blue'] })
  paint({ a: [30, 'blue'], b: null, c: null })
  await settle()
  expect(told(red)).toEqual(['RESET', 'ROW a 20', 'ROW b 1', 'READY', 'REMOVE a', 'REMOVE b'])
  expect(told(above)).toEqual(['RESET', 'ROW a 20', 'READY', 'REMOVE a', 'UPSERT a 30'])
})

test('a filter that fails on a row says so in its place, and the others are told', async () => {
  const { paint, open } = startTable()
  paint({ a: [666, 'red'], b: [1, 'red'] })
  const outlet = open(ALL)
  await settle()
  paint({ b: [666, 'red'], c: [2, 'red'] })
  await settle()
  const failed = 'INTERNAL_SERVER_ERROR'
  expect(told(outlet)).toEqual(['RESET', failed, 'ROW b 1', 'READY', failed, 'UPSERT c 2'])
})

test('a client that stalls gets the latest of each row when it reads again, not every change', async () => {
  const { engine, paint, open } = startTable()
  const slow = open(ALL)
  const quick = open(ALL)
  await settle()
  slow.full = true
  for (let n = 0; n < 3000; n++) {
    paint({ [`k${n % 3}`]: [n, 'red'] })
    if (n % 100 === 0) await settle()
  }
  await settle()
  slow.full = false
  slow.listener?.drained()
  await settle()
  expect(told(quick)).toHaveLength(3002)
  // The frame that filled it, and the three rows.
  const last = told(slow).slice(-3)
  expect(last).toEqual(['UPSERT k0 2997', 'UPSERT k1 2998', 'UPSERT k2 2999'])
  expect(told(slow).length).toBeLessThan(110)
  expect(engine.stats.replays.fellBehind).toBe(1)
  paint({ k0: [4000, 'red'] })
  await settle()
  expect(told(slow).at(-1)).toBe('UPSERT k0 4000')
})

test('a slow reader of rows whose moment is given up for newer ones gets the rest as it is now, and READY after it', async () => {
  const { table, paint, open } = startTable()
  Object.assign(table.captures.limits, { count: 1, freshMs: 0, freshChanges: 0, freshShare: 0 })
  paint(Object.fromEntries(Array.from({ length: 3000 }, (_, n) => [`k${n}`, [n + 1000, 'red'] as const])))
  const slow = new FakeOutlet()
  open(ALL, slow)
  slow.full = true
  await settle()
  const before = told(slow).length
  expect(before).toBeLessThan(3000)
  paint({ k0: [9000, 'red'], k2999: null, new: [1, 'red'] })
  open(ALL)
  await settle()
  expect(table.captures.revoked).toBe(1)
  slow.full = false
  slow.listener?.drained()
  for (let i = 0; i < 20; i++) await settle()
  const rows = new Map<string, string>()
  for (const item of told(slow)) {
    const [op, key, n] = item.split(' ') as [string, string, string]
    if (op === 'REMOVE') rows.delete(key)
    else if (key) rows.set(key, n)
  }
  expect(told(slow).at(-1)).toBe('READY')
  expect(Array.from({ length: 3000 }, (_, n) => `k${n}`).filter((key) => !rows.has(key))).toEqual(['k2999'])
  expect(rows.size).toBe(3000)
  expect([rows.get('k0'), rows.get('k2999'), rows.get('new')]).toEqual(['9000', undefined, '1'])
  expect(slow.blocks.filter(({ id }) => id !== undefined)).toHaveLength(1)
})

test('a client whose cursor is older than the marks of removed rows begins again, and is told that its cursor is void', async () => {
  const { feed, table, paint, open } = startTable()
  paint({ a: [1, 'red'], b: [2, 'red'] })
  const { cursor } = feed
  paint({ a: null })
  vi.advanceTimersByTime(25 * 3600 * 1000)
  table.evict()
  const outlet = open(ALL, new FakeOutlet(), { after: cursor })
  await settle()
  expect(told(outlet)).toEqual(['RESET', 'ROW b 2', 'READY'])
  expect(outlet.positions[1]).toEqual([-1])
})

test('a table that becomes too large ends its streams, so that their clients come back and are refused', async () => {
  const { table, paint, open } = startTable()
  const outlet = open(ALL)
  await settle()
  Object.defineProperty(table.store, 'size', { value: 2_000_000 })
  paint({ a: [1, 'red'] })
  expect(outlet.end_).toBe('ended')
  expect(table.watchers).toBe(0)
})
