// gateway.ts
import { createBuilder, defineGateway, defineTopic } from 'sluice'
import { z } from 'zod'

const PaymentEvent = z.object({ id: z.string(), merchantId: z.string(), method: z.string(), amount: z.string() })
const payments = defineTopic('payments', { schema: PaymentEvent, index: ['merchantId'] })

const builder = createBuilder()
const Payment = builder.objectRef<z.output<typeof PaymentEvent>>('Payment').implement({
  fields: (t) => ({
    id: t.exposeID('id'),
    merchantId: t.exposeID('merchantId'),
    method: t.exposeString('method'),
    amount: t.expose('amount', { type: 'Decimal' }),
  }),
})
builder.queryType({ fields: (t) => ({ name: t.string({ resolve: () => 'payments' }) }) })
builder.subscriptionType({
  fields: (t) => ({
    paymentsByMerchant: t.stream({
      topic: payments,
      type: Payment,
      args: { merchantId: t.arg.id({ required: true }) },
      where: ({ merchantId }) => ({ merchantId }),
    }),
  }),
})

export default defineGateway({ schema: builder.toSchema() })
