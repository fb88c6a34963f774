import { expect, onTestFinished, test } from 'vitest'
import { readConfig } from '../../src/config.ts'
import { startGateway } from '../../src/gateway.ts'
import { ordersGateway } from '../../src/orders-gateway.ts'
import { silentLog } from '../kit/log-lines.ts'
import { until } from '../kit/until.ts'
import { place } from '../publish/orders.ts'

/** A first run: no log is configured, and none is handed in. */
async function firstRun(env: Readonly<Record<string, string>> = {}): Promise<string> {
  const config = readConfig({ PORT: '0', ADMIN_PORT: '0', DEMO_RATE: '0', ...env })
  const gateway = await startGateway({ ...ordersGateway, config, log: silentLog })
  onTestFinished(() => gateway.close())
  await until('the gateway is ready', () => gateway.streams.readiness().ready)
  return `${gateway.url}/graphql`
}

async function salesOf(graphql: string): Promise<readonly { orders: number; sales: { amount: string } }[]> {
  const query = '{ regionSales(regions: [EUROPE]) { orders sales { amount } } }'
  const headers = { 'content-type': 'application/json' }
  const response = await fetch(graphql, { method: 'POST', headers, body: JSON.stringify({ query }) })
  return ((await response.json()) as { data: { regionSales: [] } }).data.regionSales
}

test('on a first run anybody may place an order, and it counts in the sales of its region', async () => {
  const graphql = await firstRun()
  const placed = await Promise.all([
    place(graphql, { total: { amount: '10.25', currency: 'EUR' } }),
    place(graphql, { total: { amount: '0.50', currency: 'EUR' } }),
    place(graphql, { region: 'ASIA', country: 'JP', total: { amount: '100', currency: 'JPY' } }),
  ])
  expect(placed.map(({ code }) => code)).toEqual([undefined, undefined, undefined])
  // They may have been placed in two minutes.
  await until('both are counted', async () => {
    const rows = await salesOf(graphql)
    const cents = rows.reduce((sum, { sales }) => sum + Math.round(Number(sales.amount) * 100), 0)
    return rows.reduce((sum, { orders }) => sum + orders, 0) === 2 && cents === 1_075
  })
})

test.each([
  ['in production', { NODE_ENV: 'production', ANONYMOUS: 'true', DEMO_RATE: '1' }],
  ['where the setting says that anonymous clients have other scopes', { ANONYMOUS_SCOPES: 'other' }],
])('nobody may without credentials %s', async (_name, env) => {
  expect(await place(await firstRun(env))).toMatchObject({ code: 'FORBIDDEN' })
})
