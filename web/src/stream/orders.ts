import type { DocumentInput, Observer, SluiceClient, SluiceSubscription } from '@sluice/client'
import {
  LiveOrdersDocument,
  LiveOrdersOfMerchantDocument,
  LiveOrdersOfRegionDocument,
  type MapOrderFragment,
  type OrderFilter,
  type Region,
} from '../gql/graphql.ts'
import { type View, whereOf } from '../model/view.ts'

/** What a view begins with: the newest orders that meet it. */
const BEGIN_WITH = 200

/** A document as people write it: the generator indents its fragments. */
export function textOf(document: { toString(): string }): string {
  return String(document)
    .trim()
    .replaceAll(/^ {4}(?=fragment )/gm, '\n')
}

export interface OrdersOperation {
  readonly name: string
  readonly query: string
  readonly variables: Readonly<Record<string, unknown>>
}

export type OrdersObserver = Omit<Observer<never>, 'next'> & { order(order: MapOrderFragment): void }

/** The subscription of a view, without its start: what is shown as its query. */
export function operationOf(view: View): OrdersOperation {
  const { name, document, variables } = choose(view)
  return { name, query: textOf(document), variables: { ...variables, last: BEGIN_WITH } }
}

/** @param last how many of the newest orders come first; 0: only what follows. */
export function subscribeToOrders(
  client: SluiceClient,
  view: View,
  observer: OrdersObserver,
  last = BEGIN_WITH,
): SluiceSubscription {
  const start = last > 0 ? { last } : {}
  const { order, ...rest } = observer
  const chosen = choose(view)
  // Each of them has its own type of result; the order in it is of one type.
  const open = <Data, Variables>(
    query: DocumentInput<Data, Variables>,
    variables: Variables,
    orderOf: (data: Data) => MapOrderFragment,
  ) =>
    client.subscribe<Data, Variables>(
      { query, variables },
      {
        ...(rest as Omit<Observer<Data>, 'next'>),
        next(result) {
          if (result.data) order(orderOf(result.data))
          else if (result.errors) observer.onEventError?.(result as never)
        },
      },
    )
  switch (chosen.kind) {
    case 'merchant':
      return open(chosen.document, { ...chosen.variables, ...start }, (data) => data.ordersByMerchant)
    case 'region':
      return open(chosen.document, { ...chosen.variables, ...start }, (data) => data.ordersByRegion)
    default:
      return open(chosen.document, { ...chosen.variables, ...start }, (data) => data.orders)
  }
}

function choose(view: View) {
  const condition = whereOf(view)
  const where: { where?: OrderFilter } = condition ? { where: condition } : {}
  const { merchant: merchantId, region } = view
  if (merchantId !== undefined) {
    const variables = { merchantId, ...where }
    return {
      kind: 'merchant',
      name: 'LiveOrdersOfMerchant',
      document: LiveOrdersOfMerchantDocument,
      variables,
    } as const
  }
  if (region !== undefined) {
    const variables: { region: Region; where?: OrderFilter } = { region, ...where }
    return { kind: 'region', name: 'LiveOrdersOfRegion', document: LiveOrdersOfRegionDocument, variables } as const
  }
  return { kind: 'all', name: 'LiveOrders', document: LiveOrdersDocument, variables: where } as const
}
