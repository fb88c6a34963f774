import { parse } from 'graphql'
import { createBuilder, defineGateway, defineTopic } from 'sluice'
import { type TestGateway, type TestGatewayOptions, testGateway } from 'sluice/testing'
import { expect, onTestFinished, test } from 'vitest'
import { z } from 'zod'
import { keysFile } from '../kit/api-keys.ts'

const Payment = z.object({ id: z.string(), merchantId: z.string(), amount: z.string() })

interface Shown {
  payments: { id: string }
}

/** Payments, and the latest of each merchant as a table; `codec` as it is given. */
function definition(codec?: Parameters<typeof defineTopic>[1]['codec']) {
  const options = {
    schema: Payment,
    index: ['merchantId'] as const,
    key: 'merchantId' as const,
    ...(codec && { codec }),
  }
  const payments = defineTopic('payments', options)
  const merchants = defineTopic('merchants', { ...options, table: true })
  const builder = createBuilder()
  const type = builder.objectRef<z.infer<typeof Payment>>('Payment').implement({
    fields: (t) => ({
      id: t.exposeID('id'),
      merchantId: t.exposeID('merchantId'),
      amount: t.expose('amount', { type: 'Decimal' }),
      who: t.string({ authScopes: { scope: 'who' }, resolve: () => 'somebody' }),
      slow: t.string({
        resolve: async ({ id }) => {
          await new Promise((resolve) => setImmediate(resolve))
          return id
        },
      }),
    }),
  })
  builder.queryType({
    fields: (t) => ({ merchants: t.tableRows({ topic: merchants, type }), ok: t.boolean({ resolve: () => true }) }),
  })
  builder.subscriptionType({
    fields: (t) => ({
      payments: t.stream({
        topic: payments,
        type,
        args: { merchantId: t.arg.id() },
        where: ({ merchantId }) => (merchantId ? { merchantId: String(merchantId) } : {}),
      }),
      merchants: t.table({ topic: merchants, type }),
    }),
  })
  return { payments, merchants, gateway: defineGateway({ schema: builder.toSchema() }) }
}

async function start(options?: TestGatewayOptions, { gateway } = definition()): Promise<TestGateway> {
  const started = await testGateway(gateway, options)
  onTestFinished(() => started.close())
  return started
}

const aPayment = (id: string, merchantId = 'm1') => ({ id, merchantId, amount: '1.50' })
const PAYMENTS = 'subscription ($merchantId: ID) { payments(merchantId: $merchantId) { id } }'

test('what is produced after a subscription arrives, in order, and what is filtered out does not', async () => {
  const gateway = await start()
  await gateway.produce('payments', aPayment('before'))
  const all = await gateway.subscribe<Shown>(PAYMENTS)
  const some = await gateway.subscribe<Shown>(PAYMENTS, { merchantId: 'm2' })
  for (const id of ['a', 'b', 'c']) await gateway.produce('payments', aPayment(id))
  expect((await all.take(3)).map(({ data }) => data?.payments.id)).toEqual(['a', 'b', 'c'])
  await some.none()
  await all.none()
  await gateway.produce('payments', aPayment('d', 'm2'))
  expect(await some.take(1)).toEqual([{ data: { payments: { id: 'd' } } }])
})

test('none() waits for resolvers that are under way, and says which result there is', async () => {
  const gateway = await start()
  const stream = await gateway.subscribe('subscription { payments { slow } }')
  await gateway.produce('payments', aPayment('late'))
  await expect(stream.none()).rejects.toThrow('The stream has a result: {"data":{"payments":{"slow":"late"}}}')
})

test('a loop over a subscription ends it when it is left, and so does its disposal', async () => {
  const gateway = await start()
  const stream = await gateway.subscribe<Shown>(PAYMENTS)
  await gateway.produce('payments', aPayment('a'))
  for await (const { data } of stream) {
    expect(data?.payments.id).toBe('a')
    break
  }
  expect(await stream.next()).toEqual({ done: true, value: undefined })
  {
    await using _second = await gateway.subscribe(PAYMENTS)
  }
  await gateway.produce('payments', aPayment('b'))
})

test('a subscription that is refused has the error as its result, and ends', async () => {
  const gateway = await start()
  const stream = await gateway.subscribe('subscription { payments { who } }')
  const [{ errors } = {}] = await stream.take(1)
  expect(errors?.[0]?.extensions).toMatchObject({ code: 'FORBIDDEN' })
  expect(await stream.next()).toMatchObject({ done: true })
  await expect(stream.take(1)).rejects.toThrow('The stream ended after 0 of 1 results')
})

test('headers are those of the request: what the gateway under test asks of credentials, tests can give', async () => {
  const key = 'sk_test_0123456789abcdef0123456789abcdef'
  const file = keysFile([{ id: 'acme', key, scopes: ['who'] }])
  const gateway = await start({ env: { API_KEYS_FILE: file, ANONYMOUS: 'false' } })
  const document = 'subscription { payments { who } }'
  const headers = { 'x-api-key': key }
  const stream = await gateway.subscribe(document, {}, { headers })
  await gateway.produce('payments', aPayment('a'))
  expect(await stream.take(1)).toEqual([{ data: { payments: { who: 'somebody' } } }])
  expect(await gateway.query('{ ok }', {}, { headers })).toEqual({ data: { ok: true } })
  await expect(gateway.subscribe(document)).rejects.toThrow(/^The subscription was answered 401: /)
})

test('a record that the schema refuses is skipped, and an expectation that fails says so', async () => {
  const gateway = await start({ timeoutMs: 300 })
  const stream = await gateway.subscribe(PAYMENTS)
  await gateway.produce('payments', { id: 'no amount', merchantId: 'm1' })
  await expect(stream.take(1)).rejects.toThrow(/^Waited 300 ms for 1 results; results that came: \[\]\..*amount/s)
  await stream.none()
})

test.each([
  [
    'only decodes',
    () => {
      throw new Error('It is never called')
    },
  ],
  [
    'prepares itself elsewhere',
    Object.assign(
      () => {
        throw new Error('It is never called')
      },
      {
        encode: () => 'nothing',
        prepare: () => Promise.reject(new Error('There is no registry')),
      },
    ),
  ],
])('a topic whose codec %s is read as JSON, and its definition stays as it is', async (_what, codec) => {
  const { payments, gateway: defined } = definition(codec)
  const gateway = await start({}, { payments, gateway: defined } as ReturnType<typeof definition>)
  const stream = await gateway.subscribe<Shown>(PAYMENTS)
  await gateway.produce(payments, aPayment('a'))
  expect((await stream.take(1))[0]?.data?.payments.id).toBe('a')
  expect(payments.codec).toBe(codec)
})

test('tables, tombstones and queries', async () => {
  const { merchants, payments, gateway: defined } = definition()
  const gateway = await start({ partitions: 1 }, { merchants, payments, gateway: defined })
  await gateway.produce(merchants, aPayment('1', 'm1'))
  await gateway.produce(merchants, aPayment('2', 'm2'), { key: 'other', partition: 0, timestamp: 1_000 })
  const stream = await gateway.subscribe<{ merchants: { op: string } }>('subscription { merchants { op key } }')
  const ops = async (count: number) => (await stream.take(count)).map(({ data }) => data?.merchants.op)
  expect(await ops(4)).toEqual(['RESET', 'ROW', 'ROW', 'READY'])
  await stream.none()
  await gateway.produce(merchants, null, { key: 'other' })
  expect(await ops(1)).toEqual(['REMOVE'])
  expect(await gateway.query('{ merchants { id } }')).toEqual({ data: { merchants: [{ id: '1' }] } })
  const { errors } = await gateway.query('{ nothing }')
  expect(errors?.[0]?.message).toMatch(/nothing/)
})

test('documents are text, parsed, or typed objects that print themselves', async () => {
  const gateway = await start()
  class TypedText extends String {
    declare readonly __apiType?: (variables: { a?: string }) => { ok: boolean }
  }
  const { data } = await gateway.query(new TypedText('{ ok }'))
  expect(data?.ok).toBe(true)
  expect(await gateway.query(parse('{ ok }'))).toEqual({ data: { ok: true } })
})

test('a topic that the gateway does not have is named, beside those that it has', async () => {
  const gateway = await start()
  await expect(gateway.produce('payment', {})).rejects.toThrow(
    'The gateway has no topic "payment"; its topics: "merchants", "payments"',
  )
})

test('closed while streams are open, they end with an error, and a loop does not hang', async () => {
  const gateway = await testGateway(definition().gateway)
  const stream = await gateway.subscribe(PAYMENTS)
  await gateway.close()
  await expect(stream.next()).rejects.toThrow('The stream ended without `complete`')
})
