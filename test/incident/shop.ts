import type { GraphQLSchema } from 'graphql'
import { z } from 'zod'
import { createBuilder, defineTopic, type Topic } from '../../src/index.ts'

export const REGIONS = ['EUROPE', 'ASIA', 'AFRICA'] as const

const Purchase = z.object({
  id: z.string().min(1),
  merchantId: z.string(),
  region: z.enum(REGIONS),
  amount: z.string(),
  note: z.string(),
})
export type Purchase = z.output<typeof Purchase>

const Payment = z.object({ id: z.string().min(1), status: z.enum(['OPEN', 'PAID']), amount: z.string() })
export type Payment = z.output<typeof Payment>

const Shipment = z.object({ id: z.string().min(1), carrier: z.string() })

/** CPU time of one `score`, in ms: a hundred times what the other fields of a purchase take together. */
const SCORE_MS = 2
/** Time of one `risk`, in ms: it waits for another service, and computes nothing. */
const RISK_MS = 2

export interface Shop {
  readonly schema: GraphQLSchema
  // biome-ignore lint/suspicious/noExplicitAny: topics of different events stand side by side here
  readonly topics: readonly Topic<any, any>[]
  /** Names of the topics. Nobody creates that of the shipments. */
  readonly names: { readonly purchases: string; readonly payments: string; readonly shipments: string }
}

/** A schema with what goes wrong in an incident. `suffix` sets its topics apart from those of other runs. */
export function incidentShop(suffix: string): Shop {
  const names = { purchases: `purchases${suffix}`, payments: `payments${suffix}`, shipments: `shipments${suffix}` }
  const purchases = defineTopic(names.purchases, { schema: Purchase, key: 'id', index: ['region', 'merchantId'] })
  const payments = defineTopic(names.payments, { schema: Payment, key: 'id', index: ['status'] })
  const shipments = defineTopic(names.shipments, { schema: Shipment, readiness: 'optional' })

  const builder = createBuilder()
  builder.queryType({ fields: (t) => ({ hello: t.string({ resolve: () => 'hello' }) }) })
  const PurchaseType = builder.objectRef<Purchase>('Purchase').implement({
    fields: (t) => ({
      id: t.exposeID('id'),
      merchantId: t.exposeString('merchantId'),
      region: t.exposeString('region'),
      amount: t.expose('amount', { type: 'Decimal' }),
      note: t.exposeString('note'),
      score: t.float({ resolve: ({ amount }) => computed(SCORE_MS, Number(amount)) }),
      risk: t.string({ resolve: () => new Promise<string>((resolve) => setTimeout(() => resolve('low'), RISK_MS)) }),
      supplier: t.string({
        nullable: true,
        resolve: () => {
          throw new Error('The suppliers cannot be asked')
        },
      }),
    }),
  })
  const PaymentType = builder.objectRef<Payment>('Payment').implement({
    fields: (t) => ({
      id: t.exposeID('id'),
      status: t.exposeString('status'),
      amount: t.expose('amount', { type: 'Decimal' }),
    }),
  })
  const ShipmentType = builder.objectRef<z.output<typeof Shipment>>('Shipment').implement({
    fields: (t) => ({ id: t.exposeID('id'), carrier: t.exposeString('carrier') }),
  })
  builder.subscriptionType({
    fields: (t) => ({
      purchases: t.stream({ topic: purchases, type: PurchaseType, filters: true }),
      payments: t.stream({ topic: payments, type: PaymentType, filters: true }),
      shipments: t.stream({ topic: shipments, type: ShipmentType }),
    }),
  })
  return { schema: builder.toSchema(), topics: [purchases, payments, shipments], names }
}

function computed(ms: number, seed: number): number {
  const end = performance.now() + ms
  let value = seed
  while (performance.now() < end) value = (value * 1_103_515_245 + 12_345) % 2_147_483_648
  return value
}
