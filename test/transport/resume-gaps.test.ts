import { expect, test } from 'vitest'
import { decodeCursor, encodeCursor } from '../../src/streams/cursor/cursor.ts'
import { BEYOND_END_MS } from '../../src/streams/feed/position.ts'
import { anOrder, startTestGateway, type TestGateway } from '../kit/gateway.ts'
import type { RawStream } from '../kit/raw-stream.ts'
import { until } from '../kit/until.ts'
import { cursorBehind, resume, told } from './resuming.ts'

/** The smallest window there is: some eighty orders. */
const SMALL_WINDOW = { WINDOW_BYTES: String(64 * 1024) }

async function produceIds(gateway: TestGateway, ids: readonly string[]): Promise<void> {
  await gateway.produce(...ids.map((id) => ({ id })))
}

const idsFrom = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => `o${from + i}`)

/** Where the orders are: all of one merchant's go to one partition. */
function partitionOf(stream: RawStream): number {
  const before = decodeCursor('orders', stream.blocks[0]?.id ?? '').positions
  const after = decodeCursor('orders', stream.blocks.at(-1)?.id ?? '').positions
  return after.findIndex((offset, partition) => offset !== before[partition])
}

function gapIn(stream: RawStream) {
  const block = stream.blocks.find(({ data }) => data?.includes('CURSOR_EXPIRED'))
  const [error] = JSON.parse(block?.data ?? '{}').errors ?? []
  return { id: block?.id ?? '', result: JSON.parse(block?.data ?? '{}'), ...error?.extensions }
}

test('resume 4: of a log that was replaced the client is told what is missing, and gets all of the new one', async () => {
  const old = await startTestGateway()
  const watcher = await resume(old.graphql)
  await produceIds(old, ['a', 'b', 'c'])
  await watcher.untilResults(3)
  const partition = partitionOf(watcher)
  const cursor = cursorBehind(watcher, 'c')
  await old.close()

  const gateway = await startTestGateway()
  await produceIds(gateway, ['d', 'e', 'f', 'g', 'h'])
  const back = await resume(gateway.graphql, { header: cursor })
  // Until it is told of the gap, its position is its own.
  expect(back.blocks[0]?.id).toBe(cursor)
  await back.untilResults(6)
  await produceIds(gateway, ['i'])
  await back.untilResults(7)
  expect(told(back)).toEqual(['CURSOR_EXPIRED', 'd', 'e', 'f', 'g', 'h', 'i'])
  expect(back.blocks[1]?.data).toContain('CURSOR_EXPIRED')
  const { id, result, topic, gaps } = gapIn(back)
  expect(result.data).toBeNull()
  expect({ topic, gaps }).toEqual({ topic: 'orders', gaps: [{ partition, from: 3, to: 0, reason: 'truncation' }] })
  expect(decodeCursor('orders', id)).toMatchObject({ positions: [0, 0, 0, 0, 0, 0], epoch: gateway.embedded.epoch })

  const again = await resume(gateway.graphql, { header: id })
  await again.untilResults(6)
  expect(told(again)).toEqual(['d', 'e', 'f', 'g', 'h', 'i'])
})

test('resume 4: beyond what is retained the gap is told from where to where, and the stream goes on there', async () => {
  const gateway = await startTestGateway({ env: SMALL_WINDOW })
  const watcher = await resume(gateway.graphql)
  await produceIds(gateway, idsFrom(0, 1000))
  await watcher.untilResults(1000)
  const partition = partitionOf(watcher)
  const cursor = cursorBehind(watcher, 'o99')
  gateway.embedded.deleteRecords('orders', partition, 400)

  const back = await resume(gateway.graphql, { header: cursor, extensions: { markers: true } })
  await until('the past has ended', () => told(back).includes('caughtUp'))
  expect(back.blocks[0]?.id).toBe(cursor)
  expect(told(back)).toEqual(['CURSOR_EXPIRED', ...idsFrom(400, 1000), 'caughtUp'])
  const { id, gaps } = gapIn(back)
  expect(gaps).toEqual([{ partition, from: 100, to: 400, reason: 'retention' }])
  expect(decodeCursor('orders', id).positions[partition]).toBe(400)
  expect(await gateway.metric('sluice_gaps_total')).toBe(1)

  const again = await resume(gateway.graphql, { header: id, extensions: { markers: true } })
  await until('the past has ended', () => told(again).includes('caughtUp'))
  expect(told(again)).toEqual([...idsFrom(400, 1000), 'caughtUp'])
})

test('resume 4: who cannot see ids finds the position behind a gap in its extensions', async () => {
  const gateway = await startTestGateway({ env: SMALL_WINDOW })
  const watcher = await resume(gateway.graphql)
  await produceIds(gateway, idsFrom(0, 1000))
  await watcher.untilResults(1000)
  gateway.embedded.deleteRecords('orders', partitionOf(watcher), 400)
  const wishes = { cursor: true, markers: true, lastEventId: cursorBehind(watcher, 'o99') }
  const back = await resume(gateway.graphql, { extensions: wishes })
  await until('the past has ended', () => told(back).includes('caughtUp'))
  expect(told(back)).toEqual(['CURSOR_EXPIRED', ...idsFrom(400, 1000), 'caughtUp'])
  const { id, result } = gapIn(back)
  expect(result.extensions).toEqual({ cursor: id })
})

test('what the log has let go, but the window still holds, is no gap', async () => {
  const gateway = await startTestGateway()
  const watcher = await resume(gateway.graphql)
  await produceIds(gateway, idsFrom(0, 20))
  await watcher.untilResults(20)
  gateway.embedded.deleteRecords('orders', partitionOf(watcher), 15)
  const back = await resume(gateway.graphql, { header: cursorBehind(watcher, 'o4') })
  await back.untilResults(15)
  expect(told(back)).toEqual(idsFrom(5, 20))
})

test('what is older than the window comes from the log, in order and once, with what is new behind it', async () => {
  const gateway = await startTestGateway({ env: SMALL_WINDOW })
  const watcher = await resume(gateway.graphql)
  await produceIds(gateway, idsFrom(0, 3000))
  await watcher.untilResults(3000)
  expect(await gateway.metric('sluice_window_events', { topic: 'orders' })).toBeLessThan(300)
  const back = await resume(gateway.graphql, { header: cursorBehind(watcher, 'o9') })
  for (let from = 3000; from < 4000; from += 100) {
    await produceIds(gateway, idsFrom(from, from + 100))
    await back.untilResults(back.results.length + 1)
  }
  await back.untilResults(3990)
  await produceIds(gateway, ['last'])
  await until('the last came', () => told(back).includes('last'))
  expect(told(back)).toEqual([...idsFrom(10, 4000), 'last'])
  expect(await gateway.metric('sluice_replays_total', { kind: 'log' })).toBe(1)
})

test('resume 3: beyond the end of the log is waited for, then told as a gap, and the stream goes on', async () => {
  const gateway = await startTestGateway({ env: { HEARTBEAT_MS: '100' } })
  const watcher = await resume(gateway.graphql)
  await produceIds(gateway, idsFrom(0, 3))
  await watcher.untilResults(3)
  const partition = partitionOf(watcher)
  const { positions, epoch } = decodeCursor('orders', cursorBehind(watcher, 'o2'))
  const ahead = encodeCursor('orders', { positions: positions.with(partition, 1000), epoch })

  const began = performance.now()
  const back = await resume(gateway.graphql, { header: ahead })
  // Orders of another partition come while it waits.
  const other = { id: 'other', merchantId: 'm_0001' }
  await gateway.produce(other)
  await back.untilResults(1)
  expect(told(back)).toEqual(['other'])
  await back.untilResults(5)
  expect(performance.now() - began).toBeGreaterThan(BEYOND_END_MS - 10)
  await produceIds(gateway, ['o3'])
  await back.untilResults(6)
  expect(told(back)).toEqual(['other', 'CURSOR_EXPIRED', ...idsFrom(0, 4)])
  expect(gapIn(back).gaps).toEqual([{ partition, from: 1000, to: 0, reason: 'truncation' }])
  // No position says less than the client's own before it has been told why.
  const told1000 = back.blocks.slice(
    0,
    back.blocks.findIndex(({ data }) => data?.includes('CURSOR_EXPIRED')),
  )
  const named = new Set(told1000.map(({ id = '' }) => decodeCursor('orders', id).positions[partition]))
  expect([...named]).toEqual([1000])
}, 40_000)

test('a log that has what a cursor names within the wait has no gap', async () => {
  const gateway = await startTestGateway()
  const watcher = await resume(gateway.graphql)
  await produceIds(gateway, idsFrom(0, 3))
  await watcher.untilResults(3)
  const partition = partitionOf(watcher)
  const { positions, epoch } = decodeCursor('orders', cursorBehind(watcher, 'o2'))
  const ahead = encodeCursor('orders', { positions: positions.with(partition, 10), epoch })
  const back = await resume(gateway.graphql, { header: ahead, extensions: { markers: true } })
  await produceIds(gateway, idsFrom(3, 12))
  await until('it is where its client was', () => told(back).includes('caughtUp'))
  await until('what is behind that came', () => told(back).includes('o11'))
  expect(told(back).filter((each) => each !== 'caughtUp')).toEqual(['o10', 'o11'])
})

test('partitions that the topic does not have are waited for, told as gaps, and left out of the position', async () => {
  const gateway = await startTestGateway({ env: { HEARTBEAT_MS: '100' } })
  const positions = Array.from({ length: 70 }, (_, partition) => (partition < 6 ? 0 : 2 ** 40))
  const absurd = encodeCursor('orders', { positions, epoch: gateway.embedded.epoch })
  const back = await resume(gateway.graphql, { header: absurd })
  await gateway.produce({ id: 'a' })
  await back.untilResults(1)
  await until('the gap is told', () => told(back).includes('CURSOR_EXPIRED'))
  await gateway.produce({ id: 'b' })
  await back.untilResults(3)
  expect(told(back)).toEqual(['a', 'CURSOR_EXPIRED', 'b'])
  const { id, gaps } = gapIn(back)
  expect(gaps).toHaveLength(64)
  expect(gaps[0]).toEqual({ partition: 6, from: 2 ** 40, to: 0, reason: 'truncation' })
  expect(
    decodeCursor('orders', id)
      .positions.slice(6)
      .every((each) => each === -1),
  ).toBe(true)
}, 40_000)

test('a new partition is read from its start by who has a cursor from before it', async () => {
  const gateway = await startTestGateway({ partitions: 2 })
  const watcher = await resume(gateway.graphql)
  await produceIds(gateway, ['a'])
  await watcher.untilResults(1)
  const cursor = cursorBehind(watcher, 'a')
  gateway.embedded.addPartitions('orders', 4)
  await gateway.embedded.sink.send('orders', [{ key: null, value: JSON.stringify(anOrder({ id: 'b' })), partition: 3 }])
  await watcher.untilResults(2)
  const back = await resume(gateway.graphql, { header: cursor })
  await back.untilResults(1)
  expect(told(back)).toEqual(['b'])
  expect(decodeCursor('orders', cursor).positions).toHaveLength(2)
  expect(decodeCursor('orders', cursorBehind(back, 'b')).positions[3]).toBe(1)
})
