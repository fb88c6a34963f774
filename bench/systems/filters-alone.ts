/** What filters cost in this process, apart from sockets and Kafka. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { parse } from 'graphql'
import pino from 'pino'
import { Engine } from '../../src/delivery/engine.ts'
import { prepareOperation } from '../../src/delivery/operation/operation.ts'
import type { Outlet } from '../../src/delivery/outlet.ts'
import { ResolverErrors } from '../../src/errors/resolver-errors.ts'
import { BY_ID } from '../../src/protocol/event-stream.ts'
import { schema } from '../../src/resolvers/schema.ts'
import { ANONYMOUS, type Context } from '../../src/schema/context.ts'
import type { RawRecord, StreamEvent } from '../../src/streams/event.ts'
import { Feed } from '../../src/streams/feed/feed.ts'
import { InterestIndex } from '../../src/streams/feed/interest-index.ts'
import { compile } from '../../src/streams/filter/compile.ts'
import type { Filter, FilterField } from '../../src/streams/filter/filter.ts'
import { normalize } from '../../src/streams/filter/normalize.ts'
import { planOf } from '../../src/streams/filter/plan.ts'
import { type OrderEvent, orders } from '../../src/streams/topics/orders.ts'
import { anOrder, REGIONS } from '../harness/load.ts'

const log = pino({ enabled: false })

function field(path: string, kind: FilterField['kind'], property: string): FilterField {
  const read = (value: unknown) => (value as Record<string, unknown>)[property]
  return { path, kind, isList: false, properties: [property], read }
}
const REGION = field('region', 'enum', 'region')
const AMOUNT = field('total.amount', 'decimal', 'amount')
const CITY = field('city', 'text', 'city')

/** Amounts from 0 to 999.99, cities and regions in turn, of which no run of events is regular. */
function someOrders(count: number): OrderEvent[] {
  const cities = ['Amsterdam', 'Berlin', 'Lagos', 'Lima', 'Paris', 'Rotterdam', 'Sydney', 'Tokyo']
  return Array.from({ length: count }, (_, i) => {
    const differences = {
      id: `ord_${i}`,
      region: REGIONS[(i * 7) % REGIONS.length] as string,
      city: cities[(i * 5) % cities.length] as string,
      amount: (((i * 7919) % 100_000) / 100).toFixed(2),
    }
    // As a record is decoded: its texts are no literals.
    return JSON.parse(JSON.stringify(anOrder(differences)))
  })
}

/** CPU of this process in µs, of one of `count` runs of `act`. */
function cpuOf(count: number, act: (i: number) => void): number {
  const before = process.cpuUsage()
  for (let i = 0; i < count; i++) act(i)
  return process.cpuUsage(before).user / count
}

/** Nanoseconds of a filter of three conjuncts on a value, none of which decides it alone. */
export function threeConjuncts(): number {
  const test = compile(
    normalize({
      kind: 'all',
      of: [
        { kind: 'in', field: REGION, values: REGIONS.slice(0, 5) },
        { kind: 'range', field: AMOUNT, range: { gte: '100', lt: '900.50' } },
        { kind: 'contains', field: CITY, text: 'a' },
      ],
    }),
  )
  const values = someOrders(1_000)
  let taken = 0
  const cpu = cpuOf(2_000, () => {
    for (const value of values) if (test(value)) taken++
  })
  if (taken === 0) throw new Error('The filter takes nothing')
  return (1000 * cpu) / values.length
}

/** A region and a range of amounts: another one for each subscriber. */
function rangeFilter(i: number): Filter {
  const low = (i * 13) % 990
  return {
    kind: 'all',
    of: [
      { kind: 'in', field: REGION, values: [REGIONS[i % REGIONS.length]] },
      { kind: 'range', field: AMOUNT, range: { gte: `${low}`, lt: `${low + 10}.${i % 100}` } },
    ],
  }
}

/** CPU in µs of an event that 5,000 different filters may want: looked up, and each of them asked. */
export function manyFilters(subscribers: number, events: number): { lookedUp: number; asked: number } {
  const filters = Array.from({ length: subscribers }, (_, i) => rangeFilter(i))
  const index = new InterestIndex<OrderEvent, { readonly test: ((value: OrderEvent) => boolean) | undefined }>(orders)
  for (const filter of filters) {
    const { selection, test } = planOf<OrderEvent>(filter, orders)
    index.add(selection, { test })
  }
  const tests = filters.map((filter) => compile(normalize(filter)))
  const values = someOrders(events)
  const record = {
    kind: 'event',
    topic: 'orders',
    partition: 0,
    offset: 0,
    timestamp: 0,
    key: null,
    headers: {},
  } as const
  const found: StreamEvent<OrderEvent>[] = values.map((value) => ({ ...record, value }))
  let [byIndex, byAsking] = [0, 0]
  const lookedUp = cpuOf(found.length, (i) => {
    const event = found[i] as StreamEvent<OrderEvent>
    index.match(event, ({ test }) => {
      if (test?.(event.value) ?? true) byIndex++
    })
  })
  const asked = cpuOf(values.length, (i) => {
    for (const test of tests) if (test(values[i])) byAsking++
  })
  if (byIndex !== byAsking || byIndex === 0) throw new Error(`Looked up are ${byIndex}, asked ${byAsking}`)
  return { lookedUp, asked }
}

const NOWHERE: Outlet = { write: () => true, end() {}, destroy() {}, attach() {} }

export interface Groups {
  /** CPU in µs of an event and group: it is found, rendered, framed and flushed, and nobody reads what is written. */
  cpuOf(events: number): Promise<number>
  close(): void
}

/** A busy operation is compiled after a while, one after the other. */
const MAX_WARM_EVENTS = 20_000

/** Groups that have these queries, whose `operations` different operations are compiled. */
export async function openGroups(queries: readonly string[], operations: number): Promise<Groups> {
  const feed = new Feed(orders, { limits: { maxBytes: 64 * 1024 * 1024, maxAgeMs: 3_600_000 }, log, epoch: 1 })
  feed.begin([{ partition: 0, earliest: 0, next: 0 }], new Map([[0, 0]]))
  const streams = { feed: () => feed as never, feeds: [feed as Feed<unknown>] } as unknown as Context['streams']
  const errors = new ResolverErrors(log, schema)
  const engine = new Engine({ feed: () => feed as never, heartbeatMs: 600_000, log, errors })
  for (const query of queries) {
    const context: Context = { audience: ANONYMOUS, streams }
    const document = parse(query)
    const operation = prepareOperation({ schema, document, operationName: undefined, variables: {}, context })
    if (!('args' in operation)) throw operation[0]
    if (!operation.stream) throw new Error('The operation is no stream')
    engine.prepare(operation, operation.stream, { hasMarker: false }).start(NOWHERE, BY_ID)
  }
  const values = someOrders(1_000)
  let offset = 0
  const feedOne = async () => {
    const value = Buffer.from(JSON.stringify(values[offset % values.length]))
    const record: RawRecord = { partition: 0, offset, timestamp: 0, key: null, value, headers: undefined }
    offset++
    await feed.onBatch({ topic: 'orders', partition: 0, records: [record], nextOffset: offset, endOffset: offset })
    await nextTurn()
  }
  while (engine.stats.compiled < operations) {
    if (offset === MAX_WARM_EVENTS)
      throw new Error(`Of ${operations} operations ${engine.stats.compiled} were compiled`)
    await feedOne()
  }
  return {
    async cpuOf(events) {
      const before = process.cpuUsage()
      for (let i = 0; i < events; i++) await feedOne()
      return process.cpuUsage(before).user / events / queries.length
    },
    close: () => engine.close(),
  }
}
