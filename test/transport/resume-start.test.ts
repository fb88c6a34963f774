import { describe, expect, test } from 'vitest'
import { MAX_LAST } from '../../src/schema/start-position.ts'
import { anOrder, startTestGateway } from '../kit/gateway.ts'
import { RawStream } from '../kit/raw-stream.ts'
import { until } from '../kit/until.ts'
import { cursorBehind, requestFor, resume, told } from './resuming.ts'

const START = Date.parse('2026-01-01T00:00:00Z')
const at = (seconds: number) => new Date(START + seconds * 1000).toISOString()

/** A gateway with orders o0, o1, … of one partition, a second apart, those with an odd number in Asia. */
async function gatewayWith(count: number) {
  const gateway = await startTestGateway()
  const watcher = await resume(gateway.graphql)
  await gateway.embedded.sink.send(
    'orders',
    Array.from({ length: count }, (_, i) => ({
      key: 'm',
      value: JSON.stringify(anOrder({ id: `o${i}`, region: i % 2 ? 'ASIA' : 'EUROPE' })),
      timestamp: START + i * 1000,
    })),
  )
  await watcher.untilResults(Math.ceil(count / 2))
  return gateway
}

/** The orders that come of the past, and the first of the future, which ends them. */
async function startedWith(gateway: Awaited<ReturnType<typeof gatewayWith>>, wishes: object): Promise<unknown[]> {
  const stream = await resume(gateway.graphql, { ...wishes, extensions: { markers: true } })
  await until('the past has ended', () => told(stream).includes('caughtUp'))
  await gateway.produce({ id: 'new' })
  await until('what is new came', () => told(stream).includes('new'))
  const all = told(stream)
  expect(all.slice(-2)).toEqual(['caughtUp', 'new'])
  return all.slice(0, -2)
}

describe('since', () => {
  test('starts with the first event of the moment', async () => {
    const gateway = await gatewayWith(8)
    expect(await startedWith(gateway, { since: at(4) })).toEqual(['o4', 'o6'])
  })

  test('starts with the first event after the moment, where there is none of it', async () => {
    const gateway = await gatewayWith(8)
    expect(await startedWith(gateway, { since: at(3.5) })).toEqual(['o4', 'o6'])
  })

  test.each(['1969-12-31T23:59:59.999Z', '1969-12-31T23:59:59.998Z', '0001-01-01T00:00:00Z'])(
    'before the epoch (%s) starts with the oldest that is retained',
    async (since) => {
      const gateway = await gatewayWith(8)
      expect(await startedWith(gateway, { since })).toEqual(['o0', 'o2', 'o4', 'o6'])
    },
  )

  test('in the future starts now', async () => {
    const gateway = await gatewayWith(8)
    expect(await startedWith(gateway, { since: '2999-01-01T00:00:00Z' })).toEqual([])
  })

  test('that is no moment is refused', async () => {
    const gateway = await startTestGateway()
    const answer = await RawStream.answer(gateway.graphql, requestFor({ since: 'yesterday' }))
    expect(answer.status).toBe(200)
    expect(answer.results).toMatchObject([{ errors: [{ extensions: { code: 'BAD_USER_INPUT' } }] }])
    expect(answer.blocks.at(-1)).toEqual({ event: 'complete', data: '' })
  })
})

describe('last', () => {
  test.each([
    [0, []],
    [1, ['o6']],
    [3, ['o2', 'o4', 'o6']],
    [100, ['o0', 'o2', 'o4', 'o6']],
    [MAX_LAST, ['o0', 'o2', 'o4', 'o6']],
  ])('of %d starts with so many of the newest that match, or as many as there are', async (last, expected) => {
    const gateway = await gatewayWith(8)
    expect(await startedWith(gateway, { last })).toEqual(expected)
  })

  test.each([-1, MAX_LAST + 1, 2 ** 31 - 1])('of %d is refused, and names the limits', async (last) => {
    const gateway = await startTestGateway()
    const answer = await RawStream.answer(gateway.graphql, requestFor({ last }))
    expect(answer.status).toBe(200)
    const [result] = answer.results
    expect(result?.errors?.[0]).toMatchObject({
      message: `"last" is a number from 0 to ${MAX_LAST}`,
      extensions: { code: 'BAD_USER_INPUT' },
    })
    expect(answer.body).not.toMatch(/^id:/m)
  })

  test('names a position before its events, from which they come again', async () => {
    const gateway = await gatewayWith(8)
    const first = await resume(gateway.graphql, { last: 2 })
    await first.untilResults(2)
    const again = await resume(gateway.graphql, { header: first.blocks[0]?.id ?? '' })
    await again.untilResults(2)
    expect(told(again)).toEqual(told(first))
  })
})

describe('extensions', () => {
  test('"cursor": each result has its position in its extensions, as in its id', async () => {
    const gateway = await gatewayWith(8)
    const stream = await resume(gateway.graphql, { last: 2, extensions: { cursor: true } })
    await stream.untilResults(2)
    await gateway.produce({ id: 'new' })
    await until('what is new came', () => told(stream).includes('new'))
    const blocks = stream.blocks.filter(({ data }) => data?.includes('"data"'))
    expect(told(stream).filter((each) => each !== 'position')).toEqual(['o4', 'o6', 'new'])
    for (const { id, data = '' } of blocks) expect(JSON.parse(data).extensions).toEqual({ cursor: id })
    expect(new Set(blocks.map(({ id }) => id)).size).toBe(3)
  })

  test('"cursor": a position that moved where nothing matched is told as a result without data, once', async () => {
    const gateway = await startTestGateway({ env: { HEARTBEAT_MS: '100' } })
    const stream = await resume(gateway.graphql, { extensions: { cursor: true } })
    const start = stream.blocks[0]?.id
    const positions = () =>
      stream.results.map((result) => (result as { extensions?: { cursor?: string } }).extensions?.cursor)
    // Clients that cannot see ids are told where they began too.
    await until('the start is told', () => positions().length > 0)
    await gateway.produce({ region: 'ASIA', id: 'passed' })
    await until('a later position is told', () => positions().at(-1) !== start)
    await stream.untilBlocks(stream.blocks.length + 4)
    expect(told(stream)).toEqual(['position', 'position'])
    const [first, moved = ''] = positions()
    expect(first).toBe(start)
    expect(stream.blocks.at(-1)).toEqual({ id: moved })

    const back = await resume(gateway.graphql, { region: 'ASIA', extensions: { cursor: true, lastEventId: moved } })
    await gateway.produce({ region: 'ASIA', id: 'new' })
    await until('what is new came', () => told(back).includes('new'))
    expect(told(back).filter((each) => each !== 'position')).toEqual(['new'])
  })

  test('"markers": one result tells where the past ends', async () => {
    const gateway = await gatewayWith(8)
    const stream = await resume(gateway.graphql, { last: 2, extensions: { markers: true } })
    await stream.untilResults(3)
    await gateway.produce({ id: 'new' })
    await stream.untilResults(4)
    expect(told(stream)).toEqual(['o4', 'o6', 'caughtUp', 'new'])
    const { id, data = '' } = stream.blocks.find((block) => block.data?.includes('caughtUp')) ?? {}
    expect(JSON.parse(data)).toEqual({ extensions: { caughtUp: true, cursor: id } })
    const back = await resume(gateway.graphql, { header: id ?? '' })
    await back.untilResults(1)
    expect(told(back)).toEqual(['new'])
  })

  test('"markers": a stream that starts now has it first; one without the wish has none', async () => {
    const gateway = await startTestGateway()
    const marked = await resume(gateway.graphql, { extensions: { markers: true, cursor: true } })
    const plain = await resume(gateway.graphql, { extensions: { markers: false } })
    await marked.untilResults(1)
    await gateway.produce({ id: 'new' })
    await Promise.all([until('the order came', () => told(marked).includes('new')), plain.untilResults(1)])
    // A heartbeat may say in between where it is.
    expect(told(marked).filter((each) => each !== 'position')).toEqual(['caughtUp', 'new'])
    expect(told(plain)).toEqual(['new'])
    expect(cursorBehind(marked, 'new')).toBe(cursorBehind(plain, 'new'))
  })

  test.each(['cursor', 'markers'])('"%s" that is neither true nor false is refused', async (name) => {
    const gateway = await startTestGateway()
    const answer = await RawStream.answer(gateway.graphql, requestFor({ extensions: { [name]: 'yes' } }))
    expect(answer.status).toBe(200)
    expect(answer.results).toMatchObject([
      { errors: [{ message: `"extensions.${name}" is true or false`, extensions: { code: 'BAD_USER_INPUT' } }] },
    ])
  })
})
