import { builder } from './builder.ts'
import { Region } from './order.ts'

const LocationInput = builder.inputType('LocationInput', {
  fields: (t) => ({
    lat: t.float({ required: true, description: 'Degrees north, from -90 to 90.' }),
    lon: t.float({ required: true, description: 'Degrees east, from -180 to 180.' }),
  }),
})

const MoneyInput = builder.inputType('MoneyInput', {
  fields: (t) => ({
    amount: t.field({
      type: 'Decimal',
      required: true,
      description: 'More than 0, with 15 digits and 3 decimals at most.',
    }),
    currency: t.string({ required: true, description: 'ISO 4217, such as EUR.' }),
  }),
})

export const PlaceOrderInput = builder.inputType('PlaceOrderInput', {
  fields: (t) => ({
    idempotencyKey: t.id({
      description: 'Your name for this order, such as a random UUID: repeats with the same key are one order.',
    }),
    merchantId: t.id({ required: true }),
    region: t.field({ type: Region, required: true }),
    country: t.string({ required: true, description: 'ISO 3166-1 alpha-2, such as NL.' }),
    city: t.string({ required: true }),
    location: t.field({ type: LocationInput, required: true }),
    total: t.field({ type: MoneyInput, required: true }),
    itemCount: t.int({ required: true, defaultValue: 1, description: 'From 1 to 10,000.' }),
  }),
})
