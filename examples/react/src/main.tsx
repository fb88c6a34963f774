import { createSluiceClient } from '@sluice/client'
import { SluiceProvider, useLiveList } from '@sluice/client/react'
import { StrictMode, useReducer } from 'react'
import { createRoot } from 'react-dom/client'
import { type Filter, MAX_ORDERS, variablesOf } from '../../shared/filter.ts'
import { cuttableFetch, gateway } from '../../shared/gateway.ts'
import { OrderList, OrdersPage } from '../../shared/orders-page.tsx'
import { graphql } from './gql/gql.ts'
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

const client = createSluiceClient({ url: gateway, fetch: cuttableFetch })

function Live({ filter }: { readonly filter: Filter }) {
  const [events, count] = useReducer((sum: number) => sum + 1, 0)
  const { items, state, error, gaps } = useLiveList(ordersDocument, variablesOf(filter), {
    by: 'id',
    max: MAX_ORDERS,
    onResult: count,
  })
  return <OrderList orders={{ items, events }} state={state.status} gaps={gaps} code={error?.code} />
}

createRoot(document.getElementById('root') as HTMLElement).render(
  <StrictMode>
    <SluiceProvider client={client}>
      <OrdersPage title="Orders by React" live={Live} />
    </SluiceProvider>
  </StrictMode>,
)
