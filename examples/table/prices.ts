import { z } from 'zod'
import { builder } from '../../src/schema/types/builder.ts'
import { defineTopic } from '../../src/streams/topic/topic.ts'

const PriceRecord = z.object({ currency: z.string(), amount: z.string() })

export const prices = defineTopic('prices', { schema: PriceRecord, index: ['currency'], table: true })

const Price = builder.objectRef<z.output<typeof PriceRecord>>('Price').implement({
  fields: (t) => ({ currency: t.exposeString('currency'), amount: t.expose('amount', { type: 'Decimal' }) }),
})

builder.subscriptionField('prices', (t) =>
  t.table({
    topic: prices,
    type: Price,
    args: { currency: t.arg.string() },
    where: ({ currency }) => (currency ? { currency } : {}),
  }),
)

builder.queryField('prices', (t) => t.tableRows({ topic: prices, type: Price }))
