import { createSluiceClient } from '@sluice/client'
import { sluiceExchange } from '@sluice/client/urql'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { Client, cacheExchange, fetchExchange, Provider, useSubscription } from 'urql'
import { type Filter, variablesOf } from '../../shared/filter.ts'
import { cuttableFetch, gateway } from '../../shared/gateway.ts'
import { NO_ORDERS, type Orders, withOrder } from '../../shared/orders.ts'
import { OrderList, OrdersPage } from '../../shared/orders-page.tsx'
import { listeners, useStatus } from '../../shared/status.ts'
import { graphql } from './gql/gql.ts'
import type { OrdersSubscription } from './gql/graphql.ts'
import '../../shared/style.css'

const ordersDocument = graphql(`
  subscription Orders($where: OrderFilter, $last: Int) {
    orders(where: $where, last: $last) {
      id
      city
      country
      status
      total {
        amount
        currency
      }
    }
  }
`)

const sluice = createSluiceClient({ url: gateway, fetch: cuttableFetch })
const client = new Client({
  url: gateway,
  exchanges: [cacheExchange, sluiceExchange({ client: sluice, ...listeners }), fetchExchange],
})

function Live({ filter }: { readonly filter: Filter }) {
  const [{ data: orders = NO_ORDERS, error }] = useSubscription(
    { query: ordersDocument, variables: variablesOf(filter) },
    (before: Orders = NO_ORDERS, event: OrdersSubscription) => withOrder(before, event.orders),
  )
  const { state, gaps } = useStatus()
  const code = error?.graphQLErrors[0]?.extensions.code as string | undefined
  return <OrderList orders={orders} state={state} gaps={gaps} code={code} />
}

createRoot(document.getElementById('root') as HTMLElement).render(
  <StrictMode>
    <Provider value={client}>
      <OrdersPage title="Orders by urql" live={Live} />
    </Provider>
  </StrictMode>,
)
