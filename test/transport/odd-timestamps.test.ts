import { expect, test } from 'vitest'
import { createEmbeddedLog } from '../../src/streams/source/embedded/embedded.ts'
import { anOrder, startTestGateway } from '../kit/gateway.ts'
import { STAMP_NAMES, STAMPS } from '../kit/stamps.ts'
import { until } from '../kit/until.ts'
import { cursorBehind, resume, told } from './resuming.ts'

const HEARTBEAT_MS = 100

function order(id: string, timestamp?: number) {
  const record = { key: null, value: JSON.stringify(anOrder({ id })), partition: 0 }
  return timestamp === undefined ? record : { ...record, timestamp }
}

test.each(STAMP_NAMES)('a record with the timestamp %s reaches its clients, and everything goes on', async (name) => {
  const embedded = createEmbeddedLog()
  embedded.createTopic('orders', 2)
  embedded.createTopic('region-sales', 2)
  const env = { HEARTBEAT_MS: String(HEARTBEAT_MS) }
  const gateway = await startTestGateway({ embedded, env })
  const stream = await resume(gateway.graphql)
  await embedded.sink.send('orders', [order('a'), order('b', STAMPS[name])])
  await stream.untilResults(2)
  const idsAfter = () => stream.blocks.slice(stream.blocks.findIndex(({ data }) => data?.includes('"b"')) + 1)
  await until('two heartbeats came', () => idsAfter().length >= 2)
  await embedded.sink.send('orders', [order('c')])
  await stream.untilResults(3)
  expect(told(stream)).toEqual(['a', 'b', 'c'])

  // Another instance starts on the log, and those of the first go on there, without a gap.
  const another = await startTestGateway({ embedded, env })
  for (const [id, expected] of [
    ['a', ['b', 'c', 'd']],
    ['b', ['c', 'd']],
    ['c', ['d']],
  ] as const) {
    const back = await resume(another.graphql, { header: cursorBehind(stream, id) })
    const late = await resume(another.graphql)
    await embedded.sink.send('orders', [order('d')])
    await late.untilResults(1)
    await back.untilResults(expected.length)
    expect(told(late)).toEqual(['d'])
    expect(told(back).slice(0, expected.length)).toEqual(expected)
    await Promise.all([back.close(), late.close()])
    await embedded.sink.send('orders', [])
  }
})
