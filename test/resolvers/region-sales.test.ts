import { expect, test } from 'vitest'
import { regionSalesKey } from '../../src/streams/topics/region-sales.ts'
import { startTestGateway, type TestGateway } from '../kit/gateway.ts'
import { RawStream } from '../kit/raw-stream.ts'
import { until } from '../kit/until.ts'

const SALES = 'subscription { regionSales { op key row { region minute orders sales { amount currency } } } }'
const EUROPE = 'subscription { regionSales(regions: [EUROPE]) { op key row { orders } } }'
const MINUTE = '2026-11-27T10:15:00.000Z'

/** Appends rows of one minute: orders by region; undefined removes the row. */
async function tell(gateway: TestGateway, orders: Readonly<Record<string, number | undefined>>): Promise<void> {
  const records = Object.entries(orders).map(([region, count]) => ({
    key: regionSalesKey(region, MINUTE),
    value:
      count === undefined ? null : JSON.stringify({ region, minute: MINUTE, orders: count, sales: `${count}0.00` }),
  }))
  await gateway.embedded.sink.send('region-sales', records)
}

/** The items of a stream so far. */
function itemsOf(stream: RawStream) {
  return stream.blocks
    .filter(({ event }) => event === 'next')
    .map(({ id, data }) => ({ id, ...JSON.parse(data ?? '').data.regionSales }))
}

async function nextItems(stream: RawStream, count: number) {
  await until(`${count} items came`, () => itemsOf(stream).length >= count)
  return itemsOf(stream)
}

test('a table begins with its rows, and then tells what changes, under one cursor', async () => {
  const gateway = await startTestGateway()
  await tell(gateway, { ASIA: 1, EUROPE: 2 })
  await until('the rows were read', () => [...gateway.streams.tables][0]?.store.size === 2)
  const stream = await RawStream.subscribe(gateway.graphql, SALES)
  const [reset, ...begin] = await nextItems(stream, 4)
  expect(reset).toEqual({ id: undefined, op: 'RESET', key: null, row: null })
  expect(begin.map(({ id, op }) => [id === undefined, op])).toEqual([
    [true, 'ROW'],
    [true, 'ROW'],
    [false, 'READY'],
  ])
  expect(begin).toContainEqual({
    id: undefined,
    op: 'ROW',
    key: `EUROPE/${MINUTE}`,
    row: { region: 'EUROPE', minute: MINUTE, orders: 2, sales: { amount: '20.00', currency: 'EUR' } },
  })
  await tell(gateway, { ASIA: undefined, EUROPE: 3 })
  const changes = (await nextItems(stream, 6)).slice(4)
  expect(changes).toContainEqual(expect.objectContaining({ op: 'REMOVE', key: `ASIA/${MINUTE}`, row: null }))
  expect(changes).toContainEqual(
    expect.objectContaining({ op: 'UPSERT', key: `EUROPE/${MINUTE}`, row: expect.objectContaining({ orders: 3 }) }),
  )
  expect(changes.every(({ id }) => id !== undefined)).toBe(true)
})

test('a client that comes back gets what has changed, the latest of each row once', async () => {
  const gateway = await startTestGateway()
  await tell(gateway, { ASIA: 1, EUROPE: 2, AFRICA: 3 })
  await until('the rows were read', () => [...gateway.streams.tables][0]?.store.size === 3)
  const first = await RawStream.subscribe(gateway.graphql, SALES)
  const id = (await nextItems(first, 5)).at(-1)?.id as string
  first.socket.destroy()
  await tell(gateway, { ASIA: 4, EUROPE: undefined })
  await tell(gateway, { ASIA: 5, OCEANIA: 1 })
  await until('the rows were read', () => [...gateway.streams.tables][0]?.store.get(`OCEANIA/${MINUTE}`) !== undefined)
  const second = await RawStream.subscribe(gateway.graphql, SALES, { headers: { 'last-event-id': id } })
  const items = await nextItems(second, 3)
  expect(new Set(items.map(({ op, key, row }) => `${op} ${key} ${row?.orders}`))).toEqual(
    new Set([`UPSERT ASIA/${MINUTE} 5`, `REMOVE EUROPE/${MINUTE} undefined`, `UPSERT OCEANIA/${MINUTE} 1`]),
  )
})

test('a group is told of its rows only, also of those that were removed while nobody looked', async () => {
  const gateway = await startTestGateway()
  await tell(gateway, { ASIA: 1, EUROPE: 2 })
  await until('the rows were read', () => [...gateway.streams.tables][0]?.store.size === 2)
  const stream = await RawStream.subscribe(gateway.graphql, EUROPE)
  await nextItems(stream, 3)
  await tell(gateway, { ASIA: undefined, EUROPE: 3 })
  expect(await nextItems(stream, 4)).toMatchObject([
    { op: 'RESET' },
    { op: 'ROW', key: `EUROPE/${MINUTE}`, row: { orders: 2 } },
    { op: 'READY' },
    { op: 'UPSERT', key: `EUROPE/${MINUTE}`, row: { orders: 3 } },
  ])
  // A client that comes back from before is not told of rows that were never its own.
  const id = itemsOf(stream)[2]?.id as string
  stream.socket.destroy()
  await tell(gateway, { ASIA: 7, OCEANIA: 8, EUROPE: 4 })
  await until('the rows were read', () => [...gateway.streams.tables][0]?.store.size === 3)
  const second = await RawStream.subscribe(gateway.graphql, EUROPE, { headers: { 'last-event-id': id } })
  await nextItems(second, 1)
  await tell(gateway, { EUROPE: 5 })
  await until('the last change came', () => itemsOf(second).at(-1)?.row?.orders === 5)
  expect(itemsOf(second).filter(({ key }) => key === `OCEANIA/${MINUTE}`)).toEqual([])
})

test('the query gives the same rows, by their keys', async () => {
  const gateway = await startTestGateway()
  await tell(gateway, { EUROPE: 2, ASIA: 1, AFRICA: 3 })
  await until('the rows were read', () => [...gateway.streams.tables][0]?.store.size === 3)
  const ask = async (args: string) => {
    const query = `{ regionSales${args} { region orders } }`
    const answer = await fetch(gateway.graphql, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query }),
    })
    return (await answer.json()).data.regionSales
  }
  expect(await ask('')).toEqual([
    { region: 'AFRICA', orders: 3 },
    { region: 'ASIA', orders: 1 },
    { region: 'EUROPE', orders: 2 },
  ])
  expect(await ask('(regions: [ASIA, OCEANIA])')).toEqual([{ region: 'ASIA', orders: 1 }])
  expect(await ask('(regions: [])')).toEqual([])
})
