/** What somebody who has installed the library writes: the text of a project's files. */

export const GATEWAY = `import { createBuilder, defineGateway, defineTopic } from 'sluice'
import { z } from 'zod'

const Payment = z.object({
  id: z.string(), merchantId: z.string(), amount: z.string(), status: z.enum(['OPEN', 'PAID']), tries: z.int(),
})
export type Payment = z.infer<typeof Payment>
export const payments = defineTopic('payments', {
  schema: Payment, index: ['merchantId'], ordered: ['tries'], key: 'merchantId',
})

export const builder = createBuilder()
export const Status = builder.enumType('Status', { values: ['OPEN', 'PAID'] as const })
export const PaymentType = builder.objectRef<Payment>('Payment').implement({
  fields: (t) => ({
    id: t.exposeID('id'),
    merchantId: t.exposeID('merchantId'),
    amount: t.expose('amount', { type: 'Decimal' }),
    status: t.expose('status', { type: Status }),
    tries: t.exposeInt('tries'),
  }),
})
builder.queryType({ fields: (t) => ({ ok: t.boolean({ resolve: () => true }) }) })
builder.subscriptionType({ fields: (t) => ({ payments: t.stream({ topic: payments, type: PaymentType }) }) })

export default defineGateway({ schema: builder.toSchema() })
`

export const aPayment = { id: 'p1', merchantId: 'm1', amount: '1.50', status: 'OPEN', tries: 1 }

/** For Node's own test runner, and by other imports for vitest. */
const testOf = (imports: string, equal: string) => `${imports}
import { testGateway } from 'sluice/testing'
import gateway from './gateway.ts'

test('a payment arrives', async () => {
  await using running = await testGateway(gateway)
  const stream = await running.subscribe<{ payments: { id: string } }>('subscription { payments { id status } }')
  await running.produce('payments', ${JSON.stringify(aPayment)})
  const [result] = await stream.take(1)
  ${equal}(result?.data, { payments: { id: 'p1', status: 'OPEN' } })
  await stream.none()
})
`
const NODE_IMPORTS = `import { test } from 'node:test'\nimport { deepEqual } from 'node:assert'`
export const NODE_TEST = testOf(NODE_IMPORTS, 'deepEqual')
export const VITEST_TEST = testOf(
  `import { expect, test } from 'vitest'\nconst same = (a: unknown, b: unknown) => expect(a).toEqual(b)`,
  'same',
)

/** Uses the types, and complains of itself where one of them is \`any\`. */
export const RIGHT = `import { createBuilder, type DefinitionOptions, type Topic } from 'sluice'
import { type TestGateway, testGateway } from 'sluice/testing'
import defined, { builder, type Payment, payments, PaymentType, Status } from './gateway.ts'

type IsAny<T> = 0 extends 1 & T ? true : false
function known<T>(_value: T, ..._isAny: IsAny<T> extends true ? [never] : []): void {}

known(createBuilder)
known(builder)
known(payments)
known(payments.schema)
known(PaymentType)
known(defined)
known(builder.filterFor)
known(testGateway)
const topic: Topic<Payment, unknown> = payments
const options: DefinitionOptions = { schema: defined.schema, topics: [topic] }
known(options.topics)
export const PaymentFilter = builder.filterFor(PaymentType)
known(PaymentFilter)
builder.subscriptionFields((t) => {
  known(t.stream)
  known(t.table)
  known(t.arg)
  return {
    paid: t.stream({
      topic: payments,
      type: PaymentType,
      args: { least: t.arg.int({ required: true }), merchantId: t.arg.id({ required: true }) },
      authScopes: { scope: 'payments', $any: { authenticated: true } },
      where: ({ merchantId, least }, { audience }) => {
        known(merchantId)
        known(least)
        known(audience)
        known(audience.claims)
        return { merchantId: String(merchantId), tries: { gte: least } }
      },
      filter: (payment, args, context, record) => {
        known(payment)
        known(payment.status)
        known(args.least)
        known(context)
        known(record.offset)
        return payment.status === 'PAID'
      },
    }),
  }
})
builder.queryFields((t) => {
  known(t.tableRows)
  return {}
})
builder.mutationType({
  fields: (t) => {
    known(t.publish)
    return {
      pay: t.publish({
        topic: payments,
        type: PaymentType,
        args: { status: t.arg({ type: Status, required: true }) },
        event: ({ status }, making) => {
          known(status)
          return { id: making.id, merchantId: 'm1', amount: '1', status, tries: 0 }
        },
      }),
    }
  },
})
export async function use(gateway: TestGateway): Promise<string | undefined> {
  const stream = await gateway.subscribe<{ payments: { id: string } }>('subscription { payments { id } }')
  known(stream)
  const [result] = await stream.take(1)
  known(result)
  const id = result?.data?.payments.id
  known(id)
  return id
}
`

const stream = (options: string) =>
  `builder.subscriptionField('x', (t) => t.stream({ topic: payments, type: PaymentType, ${options} }))`
const topicOf = (options: string) => `defineTopic('x', { schema: z.object({ a: z.string() }), ${options} })`

/** Each is one mistake, in a line of its own. */
export const WRONG: readonly string[] = [
  stream(`where: () => ({ merchant: 'm1' })`),
  stream(`where: () => ({ merchantId: 3 })`),
  stream(`where: () => ({ merchantId: { like: 'b' } })`),
  stream(`where: () => ({ tries: { gte: '3' } })`),
  stream(`where: () => ({ status: 'OPEN' })`),
  stream(`filter: ({ nothing }) => nothing`),
  stream(`filter: ({ status }) => status === 'CLOSED'`),
  stream(`filters: { nothing: true }`),
  stream(`authScopes: { scop: 'x' }`),
  stream(`authScopes: { authenticated: false }`),
  stream(`resolve: () => 3`),
  stream(`whre: () => ({})`),
  stream(`args: { a: t.arg({ type: 'Strin' }) }`),
  `builder.subscriptionField('x', (t) => t.stream({ topic: payments, type: 'Payments' }))`,
  `builder.subscriptionField('x', (t) => t.stream({ topic: 'payments', type: PaymentType }))`,
  `builder.subscriptionField('x', (t) => t.table({ topic: payments, type: PaymentType, filters: true }))`,
  `builder.queryField('x', (t) => t.tableRows({ topic: payments, type: PaymentType, where: () => ({ a: 1 }) }))`,
  `builder.mutationField('x', (t) => t.publish({ topic: payments, type: PaymentType, event: () => ({ id: 3 }) }))`,
  `builder.filterFor(PaymentType, { field: ['id'] })`,
  `builder.objectRef<Payment>('P').implement({ fields: (t) => ({ x: t.exposeInt('id') }) })`,
  `builder.objectRef<Payment>('P').implement({ fields: (t) => ({ x: t.expose('status', { type: 'DateTim' }) }) })`,
  `builder.objectField(PaymentType, 'x', (t) => t.field({ type: Status, resolve: () => 'CLOSED' }))`,
  `builder.enumType('X', { values: { A: { valeu: 3 } } })`,
  topicOf(`index: ['b']`),
  topicOf(`ordered: ['b']`),
  topicOf(`key: 'b'`),
  topicOf(`indx: ['a']`),
  topicOf(`tombstones: () => ({ a: 3 })`),
  topicOf(`readiness: 'maybe'`),
  `defineGateway({ topics: [payments] })`,
  `testGateway(defined, { partition: 3 })`,
]

/** Every mistake is expected by a directive, which is itself an error where there is none. */
export const MISTAKES = `import { defineGateway, defineTopic } from 'sluice'
import { testGateway } from 'sluice/testing'
import { z } from 'zod'
import defined, { builder, type Payment, payments, PaymentType, Status } from './gateway.ts'

${WRONG.map((line) => `// @ts-expect-error\n${line}`).join('\n')}
void [defined, defineGateway, defineTopic, testGateway, z, Status]
export type { Payment }
`
