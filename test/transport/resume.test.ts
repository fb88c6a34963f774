import { describe, expect, test } from 'vitest'
import { decodeCursor, encodeCursor } from '../../src/streams/cursor/cursor.ts'
import { anOrder, startTestGateway, type TestGateway } from '../kit/gateway.ts'
import { RawStream } from '../kit/raw-stream.ts'
import { until } from '../kit/until.ts'
import { probeSchema } from './probe-schema.ts'
import { cursorBehind, requestFor, resume, told, type Wishes } from './resuming.ts'

const WAYS: [name: string, wishes: (cursor: string) => Wishes, method: 'GET' | 'POST'][] = [
  ['resume 1: Last-Event-ID, by POST', (header) => ({ header }), 'POST'],
  ['resume 1: Last-Event-ID, by GET', (header) => ({ header }), 'GET'],
  ['resume 1: lastEventId in the query, by POST', (query) => ({ query }), 'POST'],
  ['resume 1: lastEventId in the query, by GET', (query) => ({ query }), 'GET'],
  ["resume 2: the operation's extensions, by POST", (lastEventId) => ({ extensions: { lastEventId } }), 'POST'],
  ["resume 2: the operation's extensions, by GET", (lastEventId) => ({ extensions: { lastEventId } }), 'GET'],
  ['resume 2: the argument `after`, by POST', (after) => ({ after }), 'POST'],
  ['resume 2: the argument `after`, by GET', (after) => ({ after }), 'GET'],
]

/** A gateway with these orders in it, all of one partition, and a stream that has got them. */
async function gatewayWith(...ids: string[]): Promise<{ gateway: TestGateway; stream: RawStream }> {
  const gateway = await startTestGateway({ env: { HEARTBEAT_MS: '100' } })
  const stream = await resume(gateway.graphql)
  await gateway.produce(...ids.map((id) => ({ id })))
  await stream.untilResults(ids.length)
  return { gateway, stream }
}

describe.each(WAYS)('%s', (_name, wishes, method) => {
  test('a stream goes on behind the cursor, and then with what is new', async () => {
    const { gateway, stream } = await gatewayWith('a', 'b', 'c')
    const cursor = cursorBehind(stream, 'a')
    const back = await resume(gateway.graphql, wishes(cursor), method)
    expect(back.blocks[0]).toEqual({ retry: expect.stringMatching(/^\d+$/), id: cursor })
    await back.untilResults(2)
    await gateway.produce({ id: 'd' })
    await back.untilResults(3)
    expect(told(back)).toEqual(['b', 'c', 'd'])
    expect(cursorBehind(back, 'c')).toBe(cursorBehind(stream, 'c'))
  })

  test('the position of a first block, before any event, is as good a cursor', async () => {
    const { gateway, stream } = await gatewayWith('a', 'b')
    const back = await resume(gateway.graphql, wishes(stream.blocks[0]?.id ?? ''), method)
    await back.untilResults(2)
    expect(told(back)).toEqual(['a', 'b'])
  })
})

test('header wins over query, over extensions, over after, over since, over last', async () => {
  const gateway = await startTestGateway()
  const stream = await resume(gateway.graphql)
  const ids = ['o1', 'o2', 'o3', 'o4', 'o5', 'o6', 'o7', 'o8']
  const start = Date.parse('2026-01-01T00:00:00Z')
  await gateway.embedded.sink.send(
    'orders',
    ids.map((id, i) => ({ key: 'm', value: JSON.stringify(anOrder({ id })), timestamp: start + i * 1000 })),
  )
  await stream.untilResults(ids.length)
  const wishes = {
    header: cursorBehind(stream, 'o6'),
    query: cursorBehind(stream, 'o5'),
    extensions: { lastEventId: cursorBehind(stream, 'o4') },
    after: cursorBehind(stream, 'o3'),
    since: new Date(start + 2000).toISOString(),
    last: 7,
  }
  let left: Wishes = wishes
  for (const [name, first] of [
    ['header', 'o7'],
    ['query', 'o6'],
    ['extensions', 'o5'],
    ['after', 'o4'],
    ['since', 'o3'],
    ['last', 'o2'],
  ] as const) {
    const back = await resume(gateway.graphql, left)
    await until(`the stream by ${name} has caught up`, () => told(back).includes('o8'))
    expect(told(back)).toEqual(ids.slice(ids.indexOf(first)))
    const { [name]: _used, ...rest } = left
    left = rest
  }
  expect(left).toEqual({})
})

test('an empty header, query parameter or extension, and an `after` of null, name no position', async () => {
  const { gateway } = await gatewayWith('a')
  const empty = { header: '', query: '', extensions: { lastEventId: '' }, after: null }
  const stream = await resume(gateway.graphql, empty)
  await gateway.produce({ id: 'b' })
  await stream.untilResults(1)
  expect(told(stream)).toEqual(['b'])
})

test('a lastEventId in the extensions that is no string is a bad request', async () => {
  const gateway = await startTestGateway()
  const answer = await RawStream.answer(gateway.graphql, requestFor({ extensions: { lastEventId: 7 } }))
  expect(answer.status).toBe(400)
  expect(answer.json.errors[0].extensions.code).toBe('BAD_REQUEST')
})

test('resume 5: a position moves on where nothing matched, and what was passed does not come again', async () => {
  const { gateway, stream } = await gatewayWith('a')
  const before = cursorBehind(stream, 'a')
  await gateway.produce({ region: 'ASIA' }, { region: 'ASIA', merchantId: 'another' })
  await until('a heartbeat names a later position', () => stream.blocks.at(-1)?.id !== before)
  const { event, id = '' } = stream.blocks.at(-1) ?? {}
  expect(event).toBeUndefined()
  const sum = (cursor: string) => decodeCursor('orders', cursor).positions.reduce((total, each) => total + each)
  expect(sum(id)).toBe(sum(before) + 2)
  const back = await resume(gateway.graphql, { header: id, region: 'ASIA' })
  await gateway.produce({ id: 'b', region: 'ASIA' })
  await back.untilResults(1)
  expect(told(back)).toEqual(['b'])
})

test('a client that is ahead of its gateway gets nothing twice, and no position that is behind its own', async () => {
  const { gateway, stream } = await gatewayWith('a', 'b')
  const { positions, epoch } = decodeCursor('orders', cursorBehind(stream, 'b'))
  const partition = positions.indexOf(2)
  // Two orders of the partition it has seen elsewhere, which come to this gateway later.
  const ahead = encodeCursor('orders', { positions: positions.with(partition, 4), epoch })
  const back = await resume(gateway.graphql, { header: ahead })
  await gateway.produce({ id: 'c' }, { id: 'd' }, { id: 'e' })
  await back.untilResults(1)
  expect(told(back)).toEqual(['e'])
  const named = back.blocks.map(({ id = '' }) => decodeCursor('orders', id).positions[partition])
  expect(named.filter((each) => (each ?? -1) < 4)).toEqual([])
  expect(named.at(-1)).toBe(5)
})

test('a subscription with a hand-written `subscribe` has no position, and takes no notice of one', async () => {
  const gateway = await startTestGateway({ schema: probeSchema().schema })
  for (const wishes of [{ header: 'rubbish' }, { query: 'rubbish' }, { extensions: { lastEventId: 'rubbish' } }]) {
    const request = requestFor(wishes, 'POST', 'subscription { count(to: 2) }')
    const stream = await RawStream.answer(gateway.graphql, request)
    expect(stream.results).toEqual([{ data: { count: 1 } }, { data: { count: 2 } }])
    expect(stream.blocks.at(-1)).toEqual({ event: 'complete', data: '' })
    expect(stream.body).not.toMatch(/^id:/m)
  }
})
