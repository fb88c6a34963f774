import { expect, test } from 'vitest'
import { anOrder, startTestGateway, type TestGateway } from '../../kit/gateway.ts'
import { as, knowPrincipals } from '../../kit/principals.ts'
import { RawStream } from '../../kit/raw-stream.ts'
import { until } from '../../kit/until.ts'
import { SingleClient } from '../../transport/single/client.ts'

const MINUTE_MS = 60_000
/** Minutes ago, by the number of each order: some beyond what the window keeps, too. */
const AGES = [300, 200, 100, 59, 40, 20, 10, 1]
const HISTORY_MIN = 60
/** Those that may be read. */
const YOUNG = ['4', '5', '6', '7', '8'].slice(0, AGES.filter((age) => age < HISTORY_MIN).length)
const ALL = AGES.map((_, index) => String(index + 1))

const ORDERS =
  'subscription ($since: DateTime, $after: Cursor, $last: Int) { orders(since: $since, after: $after, last: $last) { id } }'

async function start(env: Record<string, string> = {}): Promise<{ gateway: TestGateway; oldest: string }> {
  knowPrincipals({ short: { historyMs: HISTORY_MIN * MINUTE_MS }, none: { historyMs: 0 } })
  const gateway = await startTestGateway({ partitions: 1, env })
  const opened = await RawStream.subscribe(gateway.graphql, ORDERS)
  await opened.untilBlocks(1)
  const now = Date.now()
  await gateway.embedded.sink.send(
    'orders',
    AGES.map((age, index) => ({
      key: 'm',
      value: JSON.stringify(anOrder({ id: String(index + 1) })),
      timestamp: now - age * MINUTE_MS,
    })),
  )
  await until('they were read', () => [...gateway.streams.feeds][0]?.events === AGES.length)
  return { gateway, oldest: opened.blocks[0]?.id ?? '' }
}

function told(stream: RawStream): unknown[] {
  return stream.results.map(({ data, errors }) => {
    const gap = (errors?.[0]?.extensions?.gaps as { from: number; to: number; reason: string }[] | undefined)?.[0]
    return gap ? `${gap.from}..${gap.to} ${gap.reason}` : (data?.orders as { id: string } | undefined)?.id
  })
}

const open = (gateway: TestGateway, id: string | undefined, variables: object, headers: Record<string, string> = {}) =>
  RawStream.subscribe(gateway.graphql, ORDERS, { variables, headers: { ...as(id), ...headers } })

test.each([
  ['the window', {}],
  ['the log', { WINDOW_MAX_AGE_MS: '1000' }],
])(
  'who may read an hour of the past is told what is left out, and reads on from there: from %s',
  async (_from, env) => {
    const { gateway, oldest } = await start(env)
    const since = new Date(Date.now() - 400 * MINUTE_MS).toISOString()
    for (const [variables, headers] of [
      [{ since }, {}],
      [{ after: oldest }, {}],
      [{}, { 'last-event-id': oldest }],
    ] as const) {
      const [short, all] = [
        await open(gateway, 'short', variables, headers),
        await open(gateway, undefined, variables, headers),
      ]
      await all.untilResults(ALL.length)
      expect(told(all)).toEqual(ALL)
      await short.untilResults(1 + YOUNG.length)
      expect(told(short)).toEqual(['0..3 history', ...YOUNG])
      expect(short.results[0]?.errors?.[0]).toMatchObject({ extensions: { code: 'CURSOR_EXPIRED' } })
      expect(short.results[0]?.errors?.[0]?.message).toContain('left out')
      // The position of the gap is one that it may come back to.
      const id = short.blocks.find(({ data }) => data?.includes('CURSOR_EXPIRED'))?.id
      const again = await open(gateway, 'short', {}, { 'last-event-id': id ?? '' })
      await again.untilResults(YOUNG.length)
      expect(told(again)).toEqual(YOUNG)
      await short.close()
      await again.close()
    }
  },
)

test('what may be read is told without a gap, and goes on', async () => {
  const { gateway } = await start()
  const since = new Date(Date.now() - 50 * MINUTE_MS).toISOString()
  const stream = await open(gateway, 'short', { since })
  await stream.untilResults(4)
  await gateway.produce({ id: 'new' })
  await stream.untilResults(5)
  expect(told(stream)).toEqual(['5', '6', '7', '8', 'new'])
})

test('the newest are those that may be read', async () => {
  const { gateway } = await start()
  const stream = await open(gateway, 'short', { last: 100 })
  await stream.untilResults(YOUNG.length)
  expect(told(stream)).toEqual(YOUNG)
  const answer = await RawStream.answer(gateway.graphql, {
    method: 'POST',
    headers: as('short'),
    body: { query: '{ recentOrders(last: 100) { id } }' },
  })
  expect(answer.json.data.recentOrders.map(({ id }: { id: string }) => id)).toEqual(YOUNG)
})

test('who may read no past reads what comes', async () => {
  const { gateway, oldest } = await start()
  const stream = await open(gateway, 'none', {}, { 'last-event-id': oldest })
  await stream.untilResults(1)
  await gateway.produce({ id: 'new' })
  await stream.untilResults(2)
  expect(told(stream)).toEqual(['0..8 history', 'new'])
})

test('the same holds for an operation of a single connection, with a throttle', async () => {
  const { gateway, oldest } = await start()
  const single = await SingleClient.open(gateway.graphql, as('short'))
  const query = 'subscription ($after: Cursor) { orders(after: $after, throttle: { everyMs: 50, by: "id" }) { id } }'
  await single.start('a', query, { variables: { after: oldest } })
  const frames = await single.untilTold(1 + YOUNG.length, 'a')
  expect(frames[0]?.payload?.errors?.[0]?.extensions).toMatchObject({ gaps: [{ from: 0, to: 3, reason: 'history' }] })
  expect(frames.slice(1).map(({ payload }) => payload?.data?.orders)).toEqual(YOUNG.map((id) => ({ id })))
})
