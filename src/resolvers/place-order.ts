import { countries } from 'countries-list'
import { SluiceError } from 'sluice'
import { builder } from '../schema/types/builder.ts'
import { Order } from '../schema/types/order.ts'
import { PlaceOrderInput } from '../schema/types/order-input.ts'
import { orders } from '../streams/topics/orders.ts'

type Input = typeof PlaceOrderInput.$inferInput

/** Limits of texts, in characters: ids of this application have six, and the longest name of a city 85. */
const MAX_ID_CHARS = 100
const MAX_CITY_CHARS = 200
const MAX_ITEMS = 10_000

/** No currency has more than three decimals. */
const AMOUNT = /^\d{1,15}(\.\d{1,3})?$/
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
const CONTROL = /[\u0000-\u001f\u007f]/

/** Units of account, which nobody pays in. */
const FUNDS = new Set(['BOV', 'CHE', 'CHW', 'CLF', 'SVC', 'USN', 'UYI'])
/** Those of countries of today. */
const CURRENCIES: ReadonlySet<string> = new Set(
  Object.values(countries).flatMap(({ currency }) => currency),
).difference(FUNDS)

builder.mutationField('placeOrder', (t) =>
  t.publish({
    topic: orders,
    type: Order,
    description: 'Places an order: it is in the topic when this answers. It needs the scope `orders:write`.',
    authScopes: { scope: 'orders:write' },
    args: { input: t.arg({ type: PlaceOrderInput, required: true }) },
    idempotencyKey: ({ input }) => input.idempotencyKey,
    event: ({ input }, { id, now }) => {
      demandPlausible(input)
      const { merchantId, region, country, city, location, total, itemCount } = input
      return {
        id: `ord_${id}`,
        merchantId,
        region,
        country,
        city,
        lat: location.lat,
        lon: location.lon,
        amount: total.amount,
        currency: total.currency,
        itemCount,
        status: 'PLACED' as const,
        placedAt: now.toISOString(),
      }
    },
  }),
)

/** @throws SluiceError `BAD_USER_INPUT`, which names the first field that is wrong. */
function demandPlausible({ merchantId, country, city, location: { lat, lon }, total, itemCount }: Input): void {
  demand(isText(merchantId, MAX_ID_CHARS), 'merchantId', `text of 1 to ${MAX_ID_CHARS} characters`)
  demand(Object.hasOwn(countries, country), 'country', 'a code by ISO 3166-1 alpha-2, such as "NL"')
  demand(isText(city, MAX_CITY_CHARS), 'city', `text of 1 to ${MAX_CITY_CHARS} characters`)
  demand(Math.abs(lat) <= 90, 'location.lat', 'degrees from -90 to 90')
  demand(Math.abs(lon) <= 180, 'location.lon', 'degrees from -180 to 180')
  demand(AMOUNT.test(total.amount) && /[1-9]/.test(total.amount), 'total.amount', 'more than 0, such as "129.90"')
  demand(CURRENCIES.has(total.currency), 'total.currency', 'a code by ISO 4217, such as "EUR"')
  demand(itemCount >= 1 && itemCount <= MAX_ITEMS, 'itemCount', `a number from 1 to ${MAX_ITEMS}`)
}

function demand(holds: boolean, field: string, wants: string): void {
  if (!holds) throw new SluiceError('BAD_USER_INPUT', `"input.${field}" is ${wants}`, { field: `input.${field}` })
}

function isText(text: string, maxChars: number): boolean {
  return text.trim() !== '' && text.length <= maxChars && text.isWellFormed() && !CONTROL.test(text)
}
