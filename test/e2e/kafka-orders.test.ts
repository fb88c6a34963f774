import { expect, onTestFinished, test } from 'vitest'
import { describeChromium } from '../kit/chromium.ts'
import { startTestGateway } from '../kit/gateway.ts'
import { describeKafka, startOwnBroker } from '../kit/kafka.ts'
import { until } from '../kit/until.ts'
import { browserClient, eventSourceClient, graphqlSseClient, type OrderClient } from './order-clients.ts'
import {
  byPartition,
  isLast,
  lastOrders,
  lineOf,
  nameOf,
  produceByConsole,
  readByConsole,
  receivedByPartition,
  someOrders,
} from './order-log.ts'

const ORDERS = 10_000
const PARTITIONS = 6

describeKafka('10,000 orders of an independent producer on a real broker', () => {
  test('each client gets exactly the orders of its region, in partition order, none missing, none twice', async () => {
    await deliverAll((url) => eventSourceClient(url, 'AFRICA'))
  }, 120_000)

  describeChromium('in Chromium', (browser) => {
    test("a native EventSource gets exactly the orders of its region, as graphql-sse's clients do", async () => {
      const page = await browser.openPage()
      await deliverAll((url) => browserClient(page, url, 'AFRICA'))
    }, 120_000)
  })
})

/** Two clients of graphql-sse, and one that is made here. */
async function deliverAll(eventSource: (url: string) => OrderClient | Promise<OrderClient>): Promise<void> {
  const { broker, kafka, stop } = await startOwnBroker()
  onTestFinished(stop)
  await kafka.createTopicNamed('orders', PARTITIONS)
  const gateway = await startTestGateway({ env: { KAFKA_BROKERS: broker.brokers } })
  await until('the gateway is ready', () => gateway.streams.readiness().ready)
  const clients = [
    graphqlSseClient(gateway.graphql, 'ASIA'),
    graphqlSseClient(gateway.graphql, 'EUROPE'),
    await eventSource(gateway.graphql),
  ]
  await until('three streams are open', () => gateway.engine.subscribers === clients.length)

  const produced = someOrders(ORDERS, 2)
  const last = lastOrders(
    clients.map(({ region }) => region),
    PARTITIONS,
  )
  await produceByConsole(broker, produced.map(lineOf).join(''))
  await kafka.produce('orders', last)
  for (const client of clients) {
    await until('the last orders came', () => client.received.filter(isLast).length >= PARTITIONS)
  }

  const log = await readByConsole(broker)
  const logged = log.map(({ order }) => nameOf(order)).filter((name) => !isLast(name))
  expect(logged.sort()).toEqual(produced.map(nameOf).sort())
  for (const client of clients) {
    const expected = byPartition(log, client.region)
    expect(expected.size).toBe(PARTITIONS)
    expect(receivedByPartition(log, client.received)).toEqual(expected)
    expect(client.errors).toEqual([])
    expect(client.connections()).toBe(1)
  }
  const counts = clients.map(({ region, received }) => `${received.length - PARTITIONS} of ${region}`)
  console.log(`${ORDERS} orders in ${PARTITIONS} partitions; received: ${counts.join(', ')}`)
  expect(await gateway.metric('sluice_events_total')).toBe(ORDERS + last.length)
}
