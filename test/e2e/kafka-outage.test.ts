import { expect, onTestFinished, test } from 'vitest'
import { startTestGateway } from '../kit/gateway.ts'
import { describeKafka, startOwnBroker } from '../kit/kafka.ts'
import { RawStream } from '../kit/raw-stream.ts'
import { until } from '../kit/until.ts'
import { graphqlSseClient } from './order-clients.ts'
import { byPartition, lineOf, produceByConsole, readByConsole, receivedByPartition, someOrders } from './order-log.ts'
import { surviveKills } from './outages.ts'

describeKafka('a gateway whose broker fails', () => {
  test('a broker killed and started again under load: nothing lost, nothing twice, no stream cut', async () => {
    await surviveKills(1)
  }, 150_000)

  test('with Kafka unreachable at its start a gateway says so, refuses streams with 503, and serves when Kafka comes', async () => {
    const { broker, kafka, stop } = await startOwnBroker()
    onTestFinished(stop)
    await kafka.createTopicNamed('orders', 2)
    await kafka.createTopicNamed('region-sales', 1)
    const [old, ...fresh] = someOrders(201, 4)
    await produceByConsole(broker, lineOf(old!))
    await broker.kill()

    const gateway = await startTestGateway({ env: { KAFKA_BROKERS: broker.brokers } })
    const readyz = async () => (await fetch(`${gateway.adminUrl}/readyz`)).text()
    await until('/readyz says why', async () => /ECONNREFUSED/.test(await readyz()))
    expect((await fetch(`${gateway.adminUrl}/readyz`)).status).toBe(503)
    expect((await fetch(`${gateway.adminUrl}/livez`)).status).toBe(200)

    const refused = await RawStream.subscribe(gateway.graphql, 'subscription { ordersByRegion(region: ASIA) { id } }')
    expect(refused.status).toBe(503)
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0)
    expect(JSON.parse(refused.body).errors[0].extensions.code).toBe('NOT_READY')
    // The official client takes the 503 for a reason to come back.
    const client = graphqlSseClient(gateway.graphql, 'ASIA')

    await broker.restart()
    const back = performance.now()
    await until('the gateway is ready', async () => (await readyz()) === 'ready\n', 60_000)
    const readyMs = performance.now() - back
    await until('the client has its stream', () => gateway.engine.subscribers === 1, 60_000)
    const openMs = performance.now() - back
    await produceByConsole(broker, fresh.map(lineOf).join(''))
    const log = (await readByConsole(broker)).filter(({ order }) => order.id !== old!.id)
    const expected = byPartition(log, 'ASIA')
    const total = [...expected.values()].flat().length
    await until('its orders came', () => client.received.length >= total)
    expect(receivedByPartition(log, client.received)).toEqual(expected)
    const seconds = (ms: number) => `${(ms / 1000).toFixed(2)} s`
    console.log(
      `ready ${seconds(readyMs)} after the broker answered, the waiting client served after ${seconds(openMs)}`,
    )
  }, 150_000)
})
