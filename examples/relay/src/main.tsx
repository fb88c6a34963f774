import { createSluiceClient, type SluiceClientError } from '@sluice/client'
import { createSluiceNetwork } from '@sluice/client/relay'
import { StrictMode, useMemo, useState } from 'react'
import { createRoot } from 'react-dom/client'
import { graphql, RelayEnvironmentProvider, useSubscription } from 'react-relay'
import { Environment, type GraphQLSubscriptionConfig, Network, RecordSource, Store } from 'relay-runtime'
import { type Filter, variablesOf } from '../../shared/filter.ts'
import { cuttableFetch, gateway } from '../../shared/gateway.ts'
import { NO_ORDERS, withOrder } from '../../shared/orders.ts'
import { OrderList, OrdersPage } from '../../shared/orders-page.tsx'
import { listeners, useStatus } from '../../shared/status.ts'
import type { mainOrdersSubscription } from './__generated__/mainOrdersSubscription.graphql.ts'
import '../../shared/style.css'

const ordersDocument = graphql`
  subscription mainOrdersSubscription($where: OrderFilter, $last: Int) {
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
`

const client = createSluiceClient({ url: gateway, fetch: cuttableFetch })
const network = createSluiceNetwork({ client, ...listeners })
const environment = new Environment({
  network: Network.create(network.fetch, network.subscribe),
  store: new Store(new RecordSource()),
})

function Live({ filter }: { readonly filter: Filter }) {
  const [orders, setOrders] = useState(NO_ORDERS)
  const [code, setCode] = useState<string>()
  // Relay subscribes anew for each new object.
  const config = useMemo<GraphQLSubscriptionConfig<mainOrdersSubscription>>(
    () => ({
      subscription: ordersDocument,
      variables: variablesOf(filter),
      onNext: (data) => {
        if (data) setOrders((before) => withOrder(before, data.orders))
      },
      onError: (error) => setCode((error as SluiceClientError).code ?? error.message),
    }),
    [filter],
  )
  useSubscription(config)
  const { state, gaps } = useStatus()
  return <OrderList orders={orders} state={state} gaps={gaps} code={code} />
}

createRoot(document.getElementById('root') as HTMLElement).render(
  <StrictMode>
    <RelayEnvironmentProvider environment={environment}>
      <OrdersPage title="Orders by Relay" live={Live} />
    </RelayEnvironmentProvider>
  </StrictMode>,
)
