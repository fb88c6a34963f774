import type { FieldCost } from 'sluice'
import { SluiceError } from 'sluice'
import { builder } from '../schema/types/builder.ts'
import { Order, OrderFilter, Region } from '../schema/types/order.ts'
import { orders } from '../streams/topics/orders.ts'

/** Limit: a page shows some dozens. For more orders than this use a stream. */
const MAX_LAST = 1000

builder.queryField('recentOrders', (t) =>
  t.field({
    type: [Order],
    description: `The newest orders that this instance holds, oldest of them first; at most ${MAX_LAST}.`,
    extensions: { cost: { multiplier: 'last', max: MAX_LAST } satisfies FieldCost },
    args: {
      region: t.arg({ type: Region }),
      where: t.arg({ type: OrderFilter, description: 'Only what meets these conditions.' }),
      last: t.arg.int({ defaultValue: 20 }),
    },
    resolve: async (_root, { region, where, last }, context) => {
      const count = last ?? 20
      if (count < 0 || count > MAX_LAST) {
        throw new SluiceError('BAD_USER_INPUT', `"last" takes 0 to ${MAX_LAST}, and got ${count}`)
      }
      const { selection, test = () => true } = OrderFilter.select(orders, where, context, region ? { region } : {})
      const found = await context.streams.feed(orders).newest(count, test, selection)
      return found.map(({ value }) => value)
    },
  }),
)
