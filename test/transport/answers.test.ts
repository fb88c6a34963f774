import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { MAX_RESULT_BYTES } from '../../src/delivery/render/result-size.ts'
import { createBuilder } from '../../src/schema/builder.ts'
import { orders } from '../../src/streams/topics/orders.ts'
import { startTestGateway, type TestGateway } from '../kit/gateway.ts'
import { RawStream } from '../kit/raw-stream.ts'
import { until } from '../kit/until.ts'
import { SingleClient } from './single/client.ts'

const MIB = 1024 * 1024
const STREAM = { accept: 'text/event-stream' }

/** Results of as many characters as are asked for. */
function textSchema() {
  const builder = createBuilder()
  const state = { mutations: 0, pulled: 0 }
  const size = { type: 'Int', required: true } as const
  builder.queryType({
    fields: (t) => ({
      text: t.string({ args: { size: t.arg(size) }, resolve: (_root, { size }) => 'x'.repeat(size) }),
    }),
  })
  builder.mutationType({
    fields: (t) => ({
      text: t.string({
        args: { size: t.arg(size) },
        resolve: (_root, { size }) => {
          state.mutations++
          return 'x'.repeat(size)
        },
      }),
    }),
  })
  builder.subscriptionType({
    fields: (t) => ({
      /** Of the items that an order has. */
      ofOrder: t.stream({ topic: orders, type: 'String', resolve: ({ itemCount }) => 'x'.repeat(itemCount) }),
      pulled: t.string({
        args: { sizes: t.arg.intList({ required: true }) },
        subscribe: async function* (_root, { sizes }) {
          for (const each of sizes) {
            state.pulled++
            yield each
          }
        },
        resolve: (value: unknown) => 'x'.repeat(value as number),
      }),
    }),
  })
  return { schema: builder.toSchema(), state }
}

async function startTexts(): Promise<{ gateway: TestGateway; state: ReturnType<typeof textSchema>['state'] }> {
  const { schema, state } = textSchema()
  return { gateway: await startTestGateway({ schema }), state }
}

const query = (size: number) => `query { text(size: ${size}) }`
const FITS = MAX_RESULT_BYTES - '{"data":{"text":""}}'.length
const codeOf = (json: { errors?: { extensions?: Record<string, unknown> }[] } | undefined) =>
  json?.errors?.[0]?.extensions?.code

describe('a result larger than 4 MiB is told as an error', () => {
  test.each(['query', 'mutation'])('by plain HTTP, of a %s', async (kind) => {
    const { gateway } = await startTexts()
    const ask = (size: number) =>
      RawStream.answer(gateway.graphql, { method: 'POST', body: { query: query(size).replace('query', kind) } })
    expect((await ask(FITS)).json.data.text).toHaveLength(FITS)
    const refused = await ask(FITS + 1)
    expect([refused.status, codeOf(refused.json), refused.json.data]).toEqual([200, 'RESULT_TOO_LARGE', null])
    expect(refused.body.length).toBeLessThan(1_000)
  })

  test('by an event stream', async () => {
    const { gateway } = await startTexts()
    const ask = (size: number) =>
      RawStream.answer(gateway.graphql, { method: 'POST', headers: STREAM, body: { query: query(size) } })
    expect((await ask(FITS)).results[0]?.data?.text).toHaveLength(FITS)
    expect(codeOf((await ask(FITS + 1)).results[0])).toBe('RESULT_TOO_LARGE')
  })

  test('in single connection mode, and the stream goes on', async () => {
    const { gateway } = await startTexts()
    const client = await SingleClient.open(gateway.graphql)
    expect((await client.start('large', query(FITS + 1))).status).toBe(202)
    const [told] = await client.untilTold(2, 'large')
    expect(told?.payload?.errors?.[0]?.extensions.code).toBe('RESULT_TOO_LARGE')
    await client.start('small', query(3))
    expect((await client.untilTold(2, 'small'))[0]?.payload?.data).toEqual({ text: 'xxx' })
  })

  test('of an event, as long as the operation is interpreted and when it is compiled; the stream goes on', async () => {
    const { gateway } = await startTexts()
    const stream = await RawStream.subscribe(gateway.graphql, 'subscription { ofOrder }')
    await gateway.produce({ itemCount: MAX_RESULT_BYTES }, { itemCount: 1 })
    await stream.untilResults(2)
    expect([codeOf(stream.results[0]), stream.results[1]?.data]).toEqual(['RESULT_TOO_LARGE', { ofOrder: 'x' }])

    for (let n = 0; n < 25; n++) await gateway.produce(...Array.from({ length: 10 }, () => ({ itemCount: 2 })))
    await until('it is compiled', async () => (await gateway.metric('sluice_compiled_operations_total')) === 1)
    const before = (await stream.untilResults(252)).length
    await gateway.produce({ itemCount: MAX_RESULT_BYTES }, { itemCount: 3 })
    await stream.untilResults(before + 2)
    expect([codeOf(stream.results.at(-2)), stream.results.at(-1)?.data]).toEqual([
      'RESULT_TOO_LARGE',
      { ofOrder: 'xxx' },
    ])
  })

  test('of an event of a hand-written subscription', async () => {
    const { gateway } = await startTexts()
    const stream = await RawStream.subscribe(
      gateway.graphql,
      `subscription { pulled(sizes: [${MAX_RESULT_BYTES}, 2]) }`,
    )
    await stream.untilResults(2)
    expect([codeOf(stream.results[0]), stream.results[1]?.data]).toEqual(['RESULT_TOO_LARGE', { pulled: 'xx' }])
  })
})

/** Reserved streams that hold results until nothing more is taken. */
async function fillBudget(gateway: TestGateway): Promise<SingleClient[]> {
  const clients: SingleClient[] = []
  for (;;) {
    const client = await SingleClient.reserve(gateway.graphql)
    clients.push(client)
    const answer = await client.start('1', query(4_000_000))
    if (answer.status !== 202) {
      expect([answer.status, codeOf(answer.json)]).toEqual([503, 'TOO_MANY_ANSWERS'])
      return clients
    }
    expect(await gateway.metric('sluice_answer_bytes')).toBeLessThan(70 * MIB)
  }
}

test('results of reserved streams fill the budget: then nothing is executed, by no way in, until they are gone', async () => {
  const { gateway, state } = await startTexts()
  const clients = await fillBudget(gateway)
  expect(clients.length).toBeGreaterThan(12)
  expect(await gateway.metric('sluice_answer_bytes')).toBeGreaterThan(60 * MIB)

  const mutation = { query: 'mutation { text(size: 1) }' }
  for (const headers of [{}, STREAM]) {
    const answer = await RawStream.answer(gateway.graphql, { method: 'POST', headers, body: mutation })
    expect([answer.status, codeOf(answer.json)]).toEqual([503, 'TOO_MANY_ANSWERS'])
    expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0)
  }
  expect(state.mutations).toBe(0)
  expect(await gateway.metric('sluice_refused_answers_total')).toBe(3)
  // Subscriptions are not answers, and go on.
  const stream = await RawStream.subscribe(gateway.graphql, 'subscription { ofOrder }')
  await gateway.produce({ itemCount: 1 })
  await stream.untilResults(1)

  for (const client of clients) await client.openStream()
  await until('all have been told', async () => (await gateway.metric('sluice_answer_bytes')) === 0)
  expect((await RawStream.answer(gateway.graphql, { method: 'POST', body: mutation })).status).toBe(200)
  expect(state.mutations).toBe(1)
})

test('one reserved stream holds some MiB of results, however many operations run on it at once', async () => {
  const { gateway } = await startTexts()
  const client = await SingleClient.reserve(gateway.graphql)
  const answers = await Promise.all(Array.from({ length: 20 }, (_, id) => client.start(`${id}`, query(1_000_000))))
  expect(await gateway.metric('sluice_answer_bytes')).toBeLessThan(5 * MIB)
  expect(answers.filter(({ status }) => status === 429).length).toBeGreaterThan(10)
  await client.openStream()
  await client.untilTold(1)
  await until('all is given back', async () => (await gateway.metric('sluice_answer_bytes')) === 0)
})

test('what a client holds is given back when its stream ends, however it ends', async () => {
  const { gateway } = await startTexts()
  const unopened = await SingleClient.reserve(gateway.graphql)
  await unopened.start('1', query(100_000))
  await unopened.stop('1')
  expect(await gateway.metric('sluice_answer_bytes')).toBe(0)

  const stuck = await SingleClient.open(gateway.graphql)
  stuck.stream.socket.pause()
  for (let id = 0; id < 5; id++) await stuck.start(`${id}`, query(4_000_000))
  await until('results wait', async () => (await gateway.metric('sluice_answer_bytes')) > 0)
  await stuck.stream.close()
  await until('they are given back', async () => (await gateway.metric('sluice_answer_bytes')) === 0)
})

test('a hand-written subscription counts the result that its client has not taken', async () => {
  const { gateway, state } = await startTexts()
  const sizes = Array.from({ length: 6 }, () => 4_000_000)
  const stream = await RawStream.send(gateway.graphql, {
    method: 'POST',
    headers: STREAM,
    body: { query: `subscription { pulled(sizes: [${sizes.join()}]) }` },
  })
  await stream.untilHead()
  stream.socket.pause()
  await until('one waits', async () => (await gateway.metric('sluice_answer_bytes')) > 0)
  expect(state.pulled).toBeLessThan(sizes.length)
  expect(await gateway.metric('sluice_answer_bytes')).toBeLessThan(5 * MIB)
  await stream.close()
  await until('it is given back', async () => (await gateway.metric('sluice_answer_bytes')) === 0)
})

describe('a page of nine megabytes', () => {
  /** More than half of the budget holds. */
  const UNREAD = 12

  /** A folder with a file that no coding makes smaller. */
  function largePage(): string {
    const folder = mkdtempSync(join(tmpdir(), 'sluice-page-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    writeFileSync(join(folder, 'index.html'), '<!doctype html>')
    writeFileSync(join(folder, 'large.json'), randomBytes(9 * MIB))
    return folder
  }

  test('takes half of the budget at most while clients do not read it; operations are answered', async () => {
    const gateway = await startTestGateway({ pages: largePage() })
    const asked: RawStream[] = []
    for (let n = 0; n < UNREAD; n++) {
      const one = await RawStream.write(gateway.url, 'GET /large.json HTTP/1.1\r\nhost: x\r\n\r\n')
      await one.untilHead()
      one.socket.pause()
      asked.push(one)
    }
    const served = asked.filter(({ status }) => status === 200)
    expect(served.length).toBeGreaterThan(2)
    expect(await gateway.metric('sluice_answer_bytes')).toBeLessThanOrEqual(32 * MIB)
    const refused = asked.filter(({ status }) => status === 503)
    expect(served.length + refused.length).toBe(UNREAD)
    expect(Number(refused[0]?.headers['retry-after'])).toBeGreaterThan(0)
    expect(await gateway.metric('sluice_refused_answers_total')).toBe(refused.length)
    const answer = await RawStream.answer(gateway.graphql, { method: 'POST', body: { query: '{ __typename }' } })
    expect(answer.status).toBe(200)

    await Promise.all(asked.map((one) => one.close()))
    await until('it is given back', async () => (await gateway.metric('sluice_answer_bytes')) === 0)
    expect((await fetch(gateway.url)).status).toBe(200)
  })
})
