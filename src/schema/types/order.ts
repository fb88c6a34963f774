import { ORDER_STATUSES, type OrderEvent, REGIONS } from '../../streams/topics/orders.ts'
import { builder } from './builder.ts'

export const Region = builder.enumType('Region', { values: REGIONS })

const OrderStatus = builder.enumType('OrderStatus', { values: ORDER_STATUSES })

const Location = builder.objectRef<Pick<OrderEvent, 'lat' | 'lon'>>('Location').implement({
  fields: (t) => ({
    lat: t.exposeFloat('lat', { description: 'Degrees north.' }),
    lon: t.exposeFloat('lon', { description: 'Degrees east.' }),
  }),
})

export const Money = builder.objectRef<Pick<OrderEvent, 'amount' | 'currency'>>('Money').implement({
  fields: (t) => ({
    amount: t.expose('amount', { type: 'Decimal' }),
    currency: t.exposeString('currency', { description: 'ISO 4217.' }),
  }),
})

const Customer = builder.objectRef<NonNullable<OrderEvent['customer']>>('Customer').implement({
  fields: (t) => ({
    id: t.exposeID('id'),
    email: t.exposeString('email'),
  }),
})

export const Order = builder.objectRef<OrderEvent>('Order').implement({
  description: 'An order at one moment: a later status of it is an event of its own.',
  fields: (t) => ({
    id: t.exposeID('id'),
    merchantId: t.exposeID('merchantId'),
    region: t.expose('region', { type: Region }),
    country: t.exposeString('country', { description: 'ISO 3166-1 alpha-2.' }),
    city: t.exposeString('city'),
    location: t.field({ type: Location, resolve: (order) => order }),
    total: t.field({ type: Money, resolve: (order) => order }),
    itemCount: t.exposeInt('itemCount'),
    status: t.expose('status', { type: OrderStatus }),
    placedAt: t.expose('placedAt', { type: 'DateTime' }),
    customer: t.field({
      type: Customer,
      nullable: true,
      description: 'Who has ordered; null: a guest. It needs the scope `orders:pii`.',
      authScopes: { scope: 'orders:pii' },
      resolve: ({ customer }) => customer,
    }),
  }),
})

export const OrderFilter = builder.filterFor(Order)
