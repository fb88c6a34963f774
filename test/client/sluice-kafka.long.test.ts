import { expect, onTestFinished, test } from 'vitest'
import { createSluiceClient } from '../../packages/client/src/index.ts'
import { anOrder, startTestGateway } from '../kit/gateway.ts'
import { describeKafka, startOwnBroker } from '../kit/kafka.ts'
import { until } from '../kit/until.ts'
import { calmFetch } from './calm-fetch.ts'
import { startCutProxy } from './cut-proxy.ts'

const REGIONS = ['EUROPE', 'ASIA', 'AFRICA'] as const
const QUERY = 'subscription ($region: Region!) { ordersByRegion(region: $region) { id } }'
const ORDERS = 9_000
const PARTITIONS = 6
const cutBytes = () => 2_000 + Math.floor(Math.random() * 60_000)

describeKafka(
  'the client on a real broker',
  () => {
    test('has every order of its region once over cuts and another gateway, in both modes', async () => {
      const { broker, kafka, stop } = await startOwnBroker()
      onTestFinished(stop)
      await kafka.createTopicNamed('orders', PARTITIONS)
      const start = async () => {
        const gateway = await startTestGateway({ env: { KAFKA_BROKERS: broker.brokers } })
        await until('the gateway is ready', () => gateway.streams.readiness().ready)
        let connections = 0
        const proxy = await startCutProxy(gateway.graphql, () => (connections++ < 12 ? 20_000 : cutBytes()))
        return { gateway, proxy }
      }
      let current = await start()
      // As a load balancer: new requests go to the gateway that is there.
      const balanced = (_url: unknown, init?: RequestInit) => {
        const search = String(_url).split('?')[1]
        return calmFetch(search ? `${current.proxy.url}?${search}` : current.proxy.url, init)
      }
      const received = [false, true].map((singleConnection) => {
        const client = createSluiceClient({
          url: current.proxy.url,
          fetch: balanced as never,
          singleConnection,
          baseWaitMs: 20,
        })
        onTestFinished(() => client.dispose())
        return REGIONS.map((region) => {
          const ids: string[] = []
          client.subscribe<{ ordersByRegion: { id: string } }, { region: string }>(
            { query: QUERY, variables: { region } },
            {
              next: ({ data, errors }) => ids.push(data?.ordersByRegion.id ?? JSON.stringify(errors)),
              error: (error) => ids.push(String(error)),
            },
          )
          return ids
        })
      })
      await until('all are subscribed', () => current.gateway.engine.subscribers === 2 * REGIONS.length)

      // One merchant for each region: the order of a partition is that of the region.
      const orders = Array.from({ length: ORDERS }, (_, i) =>
        anOrder({ id: `o${i}`, region: REGIONS[i % 3]!, merchantId: `m_${i % 3}` }),
      )
      for (let i = 0; i < ORDERS; i += 300) {
        const batch = orders.slice(i, i + 300)
        await kafka.produce(
          'orders',
          batch.map((order) => ({ key: order.merchantId, value: JSON.stringify(order) })),
        )
        if (i !== ORDERS / 3) continue
        const last = current
        current = await start()
        await last.gateway.close()
      }
      const all = received.flat()
      await until('all came', () => all.every((ids) => ids.length >= ORDERS / 3), 120_000).catch(() => {})
      console.log(
        `${ORDERS} orders to ${all.length} subscriptions over ${current.proxy.cuts()} cuts, and a new gateway`,
      )
      const wanted = REGIONS.map((region) => orders.filter((order) => order.region === region).map(({ id }) => id))
      expect(all.map(({ length }) => length)).toEqual(all.map(() => ORDERS / 3))
      expect(received).toEqual([wanted, wanted])
      expect(current.proxy.cuts()).toBeGreaterThan(5)
    })
  },
  { ownBroker: true },
)
