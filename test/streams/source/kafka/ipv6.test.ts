/** A cluster whose brokers have addresses of IPv6, in KAFKA_BROKERS and in what they name. */
import { connect, createServer } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { freePorts } from '../../../../deploy/kafka/probe.ts'
import { anOrder, startTestGateway } from '../../../kit/gateway.ts'
import { describeKafka, startOwnBroker } from '../../../kit/kafka.ts'
import { RawStream } from '../../../kit/raw-stream.ts'
import { until } from '../../../kit/until.ts'

/** The broker listens at 127.0.0.1; this is its other address, which it names to clients. */
async function alsoAtIpv6(port: number): Promise<void> {
  const server = createServer((client) => {
    const broker = connect(port, '127.0.0.1')
    for (const [socket, other] of [
      [client, broker],
      [broker, client],
    ] as const) {
      socket.on('error', () => other.destroy())
      socket.pipe(other)
    }
    onTestFinished(() => void client.destroy())
  })
  await new Promise<void>((resolve) => server.listen(port, '::1', resolve))
  onTestFinished(() => void server.close())
}

describeKafka(
  'a broker at an address of IPv6',
  () => {
    test('is read, as it names itself', async () => {
      const [port] = (await freePorts(1)) as [number]
      await alsoAtIpv6(port)
      const brokers = `[::1]:${port}`
      const own = await startOwnBroker({ port, properties: { 'advertised.listeners': `PLAINTEXT://${brokers}` } })
      onTestFinished(() => own.stop())
      for (const topic of ['orders', 'region-sales']) await own.kafka.createTopicNamed(topic, 2)
      const env = { KAFKA_BROKERS: brokers, HOST: '::1' }
      const gateway = await startTestGateway({ env })
      await until('it is ready', () => gateway.streams.readiness().ready)
      const stream = await RawStream.subscribe(gateway.graphql, 'subscription { ordersByRegion(region: ASIA) { id } }')
      await stream.untilBlocks(1)
      const order = anOrder({ region: 'ASIA' })
      await own.kafka.produce('orders', [{ key: order.merchantId, value: JSON.stringify(order) }])
      await until('the order has come', () => stream.results.length === 1)
      expect(stream.results).toMatchObject([{ data: { ordersByRegion: { id: order.id } } }])
    })
  },
  { ownBroker: true },
)
