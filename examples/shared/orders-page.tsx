import type { Gap } from '@sluice/client'
import { useState } from 'react'
import { type Filter, REGIONS } from './filter.ts'
import { cutConnections } from './gateway.ts'
import type { Orders } from './orders.ts'

interface OrdersPageProps {
  readonly title: string
  /** What subscribes: mounted anew for another filter. */
  readonly live: (props: { readonly filter: Filter }) => React.ReactNode
}

/** The page of each example: what it shows is the same, where it comes from is what they are about. */
export function OrdersPage({ title, live: Live }: OrdersPageProps) {
  const [filter, setFilter] = useState<Filter>({ region: '', least: '0' })
  return (
    <main>
      <h1>{title}</h1>
      <form onSubmit={(event) => event.preventDefault()}>
        <label>
          Region
          <select
            name="region"
            value={filter.region}
            onChange={({ target }) => setFilter({ ...filter, region: target.value as Filter['region'] })}
          >
            <option value="">All</option>
            {REGIONS.map((region) => (
              <option key={region}>{region}</option>
            ))}
          </select>
        </label>
        <label>
          Least amount
          <input
            name="least"
            value={filter.least}
            onChange={({ target }) => setFilter({ ...filter, least: target.value })}
          />
        </label>
        <button type="button" onClick={cutConnections}>
          Cut the connection
        </button>
      </form>
      <Live key={JSON.stringify(filter)} filter={filter} />
    </main>
  )
}

interface OrderListProps {
  readonly orders: Orders
  /** Of the connection. */
  readonly state: string
  readonly gaps: readonly Gap[]
  /** The gateway's code, where it has refused the subscription. */
  readonly code: string | undefined
}

export function OrderList({ orders, state, gaps, code }: OrderListProps) {
  return (
    <>
      <p role="status">
        <span id="state">{state}</span>, <span id="events">{orders.events}</span> events
      </p>
      {code && <p role="alert">Refused: {code}</p>}
      <ul id="gaps">
        {gaps.map((gap) => (
          <li key={JSON.stringify(gap.gaps)}>
            {gap.gaps.reduce((sum, { from, to }) => sum + to - from, 0)} records are gone
          </li>
        ))}
      </ul>
      <table>
        <tbody id="orders">
          {orders.items.map(({ id, city, country, status, total }) => (
            <tr key={id} id={id}>
              <td>
                {city}, {country}
              </td>
              <td className="amount">
                {total.amount} {total.currency}
              </td>
              <td>{status}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
  )
}
