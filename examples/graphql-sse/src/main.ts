import type { Gap, ResultError } from '@sluice/client'
import { createResumingClient } from '@sluice/client/graphql-sse'
import { type Filter, REGIONS, variablesOf } from '../../shared/filter.ts'
import { cutConnections, cuttableFetch, gateway } from '../../shared/gateway.ts'
import { NO_ORDERS, type Order, withOrder } from '../../shared/orders.ts'
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

const form = document.querySelector('form') as HTMLFormElement
const { region, least } = form.elements as unknown as { region: HTMLSelectElement; least: HTMLInputElement }
region.append(...REGIONS.map((name) => new Option(name)))

const client = createResumingClient({
  url: gateway,
  resume: { fetch: cuttableFetch },
  // After each wait that follows a break.
  onMessage: () => show('state', 'live'),
})

/** Subscribes to what the form says. @returns what ends it */
function subscribe(): () => void {
  let orders = NO_ORDERS
  const render = () => {
    show('events', String(orders.events))
    byId('orders').replaceChildren(...orders.items.map(row))
  }
  render()
  show('state', 'connecting')
  refused(undefined)
  const filter = { region: region.value, least: least.value } as Filter
  return client.subscribe<OrdersSubscription>(
    { query: ordersDocument.toString(), variables: variablesOf(filter) },
    {
      next({ data, errors }) {
        if (data) {
          orders = withOrder(orders, data.orders)
          render()
        }
        for (const error of (errors ?? []) as unknown as ResultError[]) told(error)
      },
      error: (error) => refused(String(error)),
      complete: () => show('state', 'ended'),
    },
  )
}

/** Events that are gone are told as an error, and the subscription goes on; so it does behind one that failed. */
function told({ message, extensions }: ResultError): void {
  const gaps = extensions?.gaps as Gap['gaps'] | undefined
  if (extensions?.code === 'CURSOR_EXPIRED' && gaps) {
    const item = document.createElement('li')
    item.textContent = `${gaps.reduce((sum, { from, to }) => sum + to - from, 0)} records are gone`
    byId('gaps').append(item)
  } else refused(extensions?.code ?? message)
}

function refused(code: string | undefined): void {
  const alert = document.querySelector('[role=alert]') as HTMLElement
  alert.hidden = code === undefined
  alert.textContent = `Refused: ${code}`
}

function row({ id, city, country, status, total }: Order): HTMLElement {
  const element = document.createElement('tr')
  element.id = id
  for (const text of [`${city}, ${country}`, `${total.amount} ${total.currency}`, status]) {
    element.insertCell().textContent = text
  }
  element.cells[1]?.classList.add('amount')
  return element
}

function byId(id: string): HTMLElement {
  return document.getElementById(id) as HTMLElement
}

function show(id: string, text: string): void {
  byId(id).textContent = text
}

let stop = subscribe()
form.addEventListener('submit', (event) => event.preventDefault())
form.addEventListener('input', () => {
  stop()
  stop = subscribe()
})
form.querySelector('button')?.addEventListener('click', () => {
  show('state', 'reconnecting')
  cutConnections()
})
