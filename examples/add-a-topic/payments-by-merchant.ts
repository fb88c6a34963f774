import { builder } from '../../src/schema/types/builder.ts'
import { type PaymentEvent, payments } from './payments.ts'

const Payment = builder.objectRef<PaymentEvent>('Payment').implement({
  fields: (t) => ({
    id: t.exposeID('id'),
    method: t.exposeString('method'),
    amount: t.expose('amount', { type: 'Decimal' }),
  }),
})

builder.subscriptionField('paymentsByMerchant', (t) =>
  t.stream({
    topic: payments,
    type: Payment,
    args: { merchantId: t.arg.id({ required: true }) },
    where: ({ merchantId }) => ({ merchantId }),
  }),
)
