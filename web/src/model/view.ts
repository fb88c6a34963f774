import type { MapOrderFragment, OrderFilter, Region } from '../gql/graphql.ts'
import { isRegion } from './regions.ts'

/** What the page shows, and subscribes to. The URL keeps it, so that a view can be linked to. */
export interface View {
  readonly region?: Region
  /** Takes the place of the region. */
  readonly merchant?: string
  /** The least amount, as decimal text. */
  readonly least?: string
  /** Currency of the least amount; absent: amounts of all currencies are compared by their number. */
  readonly currency?: string
}

/** As the gateway's Decimal takes it. */
const AMOUNT = /^\d{1,12}(\.\d{1,2})?$/
const CURRENCY = /^[A-Z]{3}$/
/** Longer than any id of a merchant; a link is not to make a request that is refused for its size. */
const LONGEST_MERCHANT = 100

/** Parses a URL's query. Unknown and invalid parts are ignored, so that every link opens the page. */
export function viewOf(search: string): View {
  const query = new URLSearchParams(search)
  const region = query.get('region') ?? ''
  const merchant = query.get('merchant')?.trim() ?? ''
  const least = query.get('least') ?? ''
  const currency = query.get('currency') ?? ''
  const hasLeast = AMOUNT.test(least) && Number(least) > 0
  const hasMerchant = merchant !== '' && merchant.length <= LONGEST_MERCHANT
  return {
    ...(hasMerchant ? { merchant } : isRegion(region) ? { region } : {}),
    ...(hasLeast && { least }),
    ...(hasLeast && CURRENCY.test(currency) && { currency }),
  }
}

/** The query of a view's URL: '' for all orders. */
export function searchOf({ region, merchant, least, currency }: View): string {
  const query = new URLSearchParams()
  if (merchant !== undefined) query.set('merchant', merchant)
  else if (region !== undefined) query.set('region', region)
  if (least !== undefined) query.set('least', least)
  if (least !== undefined && currency !== undefined) query.set('currency', currency)
  return query.size === 0 ? '' : `?${query}`
}

/** The filter of a view: its conditions that are not arguments of the field. */
export function whereOf({ least, currency }: View): OrderFilter | null {
  if (least === undefined) return null
  return { total: { amount: { gte: least }, ...(currency !== undefined && { currency: { eq: currency } }) } }
}

/** Whether an order meets a view's conditions, evaluated in the page: for an own order that the stream has not sent. */
export function meets({ region, merchant, least, currency }: View, order: MapOrderFragment): boolean {
  if (merchant !== undefined ? merchant !== order.merchantId : region !== undefined && region !== order.region)
    return false
  if (least === undefined) return true
  return (currency === undefined || currency === order.total.currency) && Number(order.total.amount) >= Number(least)
}

export function isFiltered(view: View): boolean {
  return searchOf(view) !== ''
}
