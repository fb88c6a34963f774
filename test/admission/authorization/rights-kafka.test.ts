import { expect, test } from 'vitest'
import { createBuilder } from '../../../src/schema/builder.ts'
import { defineTopic } from '../../../src/streams/topic/topic.ts'
import { OrderEvent } from '../../../src/streams/topics/orders.ts'
import { anOrder, startTestGateway } from '../../kit/gateway.ts'
import { describeKafka } from '../../kit/kafka.ts'
import { as, knowPrincipals } from '../../kit/principals.ts'
import { RawStream } from '../../kit/raw-stream.ts'
import { until } from '../../kit/until.ts'

const HOUR_MS = 3600_000
const PARTITIONS = 3
const OTHERS = 5_000
/** Of every so many orders one is the partner's; the first half of all is two hours old. */
const OWN_EVERY = 100
/** The smallest window there is: nearly all is read from Kafka. */
const WINDOW = { WINDOW_BYTES: String(64 * 1024) }

function schemaOf(name: string) {
  const topic = defineTopic(name, { schema: OrderEvent, index: ['region', 'merchantId'] })
  const builder = createBuilder()
  builder.queryType({ fields: (t) => ({ ok: t.boolean({ resolve: () => true }) }) })
  const Order = builder.objectRef<OrderEvent>('Order').implement({
    fields: (t) => ({ id: t.exposeID('id'), merchantId: t.exposeID('merchantId') }),
  })
  builder.subscriptionType({ fields: (t) => ({ orders: t.stream({ topic, type: Order }) }) })
  return { schema: builder.toSchema(), topic }
}

describeKafka('the past of a bound partner, read from Kafka', (kafka) => {
  test('has no order of others, and none from before its history', async () => {
    const name = await kafka.createTopic(PARTITIONS, { label: 'rights' })
    const { schema, topic } = schemaOf(name)
    const bounds = { merchantId: ['m_own'] }
    knowPrincipals({ partner: { bounds }, short: { bounds, historyMs: HOUR_MS } }, schema)
    const now = Date.now()
    const own: string[] = []
    const messages = Array.from({ length: OTHERS }, (_, index) => {
      const isOwn = index % OWN_EVERY === 0
      if (isOwn) own.push(`o${index}`)
      const order = anOrder({ id: `o${index}`, merchantId: isOwn ? 'm_own' : `m_${index % 50}` })
      const timestamp = String(index < OTHERS / 2 ? now - 2 * HOUR_MS + index : now - 60_000 + index)
      return { partition: index % PARTITIONS, value: JSON.stringify(order), timestamp }
    })
    await kafka.produce(name, messages)
    const gateway = await startTestGateway({
      env: { KAFKA_BROKERS: kafka.brokers, ...WINDOW },
      schema,
      topics: [topic],
    })
    await until('the gateway is ready', () => gateway.streams.readiness().ready, 60_000)
    const open = (id: string, start: string, headers: Record<string, string> = {}) =>
      RawStream.subscribe(gateway.graphql, `subscription { orders(${start}) { id merchantId } }`, {
        headers: { ...as(id), ...headers },
      })
    const idsOf = ({ results }: RawStream) =>
      results.flatMap(({ data }) => (data ? (data.orders as { id: string }).id : []))

    const since = `since: "${new Date(now - 24 * HOUR_MS).toISOString()}"`
    const all = await open('partner', since)
    await all.untilResults(own.length)
    expect(new Set(idsOf(all))).toEqual(new Set(own))
    expect(all.body).not.toMatch(/"merchantId":"m_\d/)

    const first = all.blocks[0]?.id ?? ''
    const young = own.filter((id) => Number(id.slice(1)) >= OTHERS / 2)
    for (const short of [
      await open('short', since),
      await open('short', `after: "${first}"`),
      await open('short', 'throttle: { everyMs: 50, by: "id" }', { 'last-event-id': first }),
    ]) {
      await until('the young ones arrived', () => idsOf(short).length >= young.length)
      expect(new Set(idsOf(short))).toEqual(new Set(young))
      const gaps = short.results.flatMap(({ errors }) => (errors?.[0]?.extensions?.gaps ?? []) as { reason: string }[])
      expect(gaps.map(({ reason }) => reason)).toEqual(['history', 'history', 'history'])
    }
  }, 120_000)
})
