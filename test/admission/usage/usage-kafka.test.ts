import { expect, onTestFinished, test } from 'vitest'
import { createKafka } from '../../../src/streams/source/kafka/kafka.ts'
import { as, believePrincipals } from '../../kit/believed-principals.ts'
import { startTestGateway } from '../../kit/gateway.ts'
import { describeKafka } from '../../kit/kafka.ts'
import { RawStream } from '../../kit/raw-stream.ts'
import { fetchAll } from '../../streams/source/fetch-contract.ts'

describeKafka('usage on Kafka', (kafka) => {
  test('is sent each period and at the end, keyed by principal', async () => {
    believePrincipals()
    const topic = await kafka.createTopic(3, { label: 'usage' })
    const env = { KAFKA_BROKERS: kafka.brokers, USAGE_TOPIC: topic, USAGE_INTERVAL_MS: '1000' }
    const gateway = await startTestGateway({ env })
    const { source, close } = createKafka({ brokers: [kafka.brokers], clientId: 'reader', log: () => {} })
    onTestFinished(close)
    const ask = (principal: string) =>
      RawStream.answer(gateway.graphql, { method: 'POST', headers: as(principal), body: { query: '{ __typename }' } })
    const read = async () => {
      const partitions = await Promise.all([0, 1, 2].map((partition) => fetchAll(source, topic, 0, { partition })))
      return partitions.flatMap(({ records }) =>
        records.map(({ key, value }) => [String(key), JSON.parse(String(value))]),
      )
    }
    await ask('a')
    await expect.poll(async () => (await read()).length, { timeout: 30_000 }).toBe(1)
    for (let count = 0; count < 5; count++) await Promise.all([ask('a'), ask('b')])
    await gateway.close()
    const sum = (principal: string) =>
      read().then((records) =>
        records.filter(([key]) => key === principal).reduce((all, [, { queries }]) => all + queries, 0),
      )
    expect([await sum('a'), await sum('b')]).toEqual([6, 5])
  }, 60_000)
})
