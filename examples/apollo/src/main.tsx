import { ApolloClient, ApolloLink, HttpLink, InMemoryCache } from '@apollo/client'
import { CombinedGraphQLErrors } from '@apollo/client/errors'
import { ApolloProvider, useSubscription } from '@apollo/client/react'
import { createSluiceClient } from '@sluice/client'
import { SluiceLink } from '@sluice/client/apollo'
import { StrictMode, useState } from 'react'
import { createRoot } from 'react-dom/client'
import { type Filter, variablesOf } from '../../shared/filter.ts'
import { cuttableFetch, gateway } from '../../shared/gateway.ts'
import { NO_ORDERS, withOrder } from '../../shared/orders.ts'
import { OrderList, OrdersPage } from '../../shared/orders-page.tsx'
import { listeners, useStatus } from '../../shared/status.ts'
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

const sluice = createSluiceClient({ url: gateway, fetch: cuttableFetch })
const client = new ApolloClient({
  cache: new InMemoryCache(),
  link: ApolloLink.split(
    ({ operationType }) => operationType === 'subscription',
    new SluiceLink({ client: sluice, ...listeners }),
    new HttpLink({ uri: gateway }),
  ),
})

function Live({ filter }: { readonly filter: Filter }) {
  const [orders, setOrders] = useState(NO_ORDERS)
  const { error } = useSubscription(ordersDocument, {
    variables: variablesOf(filter),
    // Events are no state of the API's objects: they need no place in the cache.
    fetchPolicy: 'no-cache',
    onData({ data: { data } }) {
      if (data) setOrders((before) => withOrder(before, data.orders))
    },
  })
  const { state, gaps } = useStatus()
  const code = CombinedGraphQLErrors.is(error) ? (error.errors[0]?.extensions?.code as string) : undefined
  return <OrderList orders={orders} state={state} gaps={gaps} code={code} />
}

createRoot(document.getElementById('root') as HTMLElement).render(
  <StrictMode>
    <ApolloProvider client={client}>
      <OrdersPage title="Orders by Apollo Client" live={Live} />
    </ApolloProvider>
  </StrictMode>,
)
