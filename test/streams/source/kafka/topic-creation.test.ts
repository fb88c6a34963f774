import kafkajs from 'kafkajs'
import { expect, onTestFinished, test } from 'vitest'
import { freePorts } from '../../../../deploy/kafka/probe.ts'
import { createKafka } from '../../../../src/streams/source/kafka/kafka.ts'
import { SourceUnavailable } from '../../../../src/streams/source/port.ts'
import { describeKafka } from '../../../kit/kafka.ts'

const { Kafka, logLevel } = kafkajs

function connect(brokers: string) {
  const kafka = createKafka({ brokers: brokers.split(','), clientId: 'creation', log: () => {} })
  onTestFinished(() => kafka.close())
  return kafka
}

let topics = 0
const aName = () => `created-${process.pid}-${++topics}`

describeKafka('a topic that is to be there', (kafka) => {
  /** What Kafka says of the topic. */
  const described = async (topic: string) => {
    const admin = new Kafka({ brokers: [kafka.brokers], logLevel: logLevel.NOTHING }).admin()
    await admin.connect()
    try {
      const resources = [{ type: 2, name: topic, configNames: ['cleanup.policy'] }]
      const { resources: found } = await admin.describeConfigs({ includeSynonyms: false, resources })
      const { topics: metadata } = await admin.fetchTopicMetadata({ topics: [topic] })
      return { policy: found[0]?.configEntries[0]?.configValue, partitions: metadata[0]?.partitions.length }
    } finally {
      await admin.disconnect()
    }
  }

  test('is created, compacted and with one partition, by whichever of several instances is the first', async () => {
    const topic = aName()
    const instances = Array.from({ length: 5 }, () => connect(kafka.brokers))
    await Promise.all(instances.map((each) => each.ensureTopic(topic)))
    expect(await described(topic)).toEqual({ policy: 'compact', partitions: 1 })
    const [{ source, sink }] = instances as [(typeof instances)[number]]
    await sink.send(topic, [{ key: 'k', value: 'v' }])
    expect(await source.ranges(topic)).toEqual([{ partition: 0, earliest: 0, next: 1 }])
  })

  test('is left as it is, if it is there', async () => {
    const topic = await kafka.createTopic(3, { label: 'theirs' })
    await connect(kafka.brokers).ensureTopic(topic)
    expect(await described(topic)).toEqual({ policy: 'delete', partitions: 3 })
  })

  test('and whose name Kafka refuses, is refused with its reason', async () => {
    const failed = connect(kafka.brokers).ensureTopic('not a name')
    await expect(failed).rejects.toThrow(SourceUnavailable)
    await expect(failed).rejects.toThrow(/name|topic/i)
  })

  test('is created by another broker of the list, where the first cannot be reached', async () => {
    const [port] = await freePorts(1)
    const topic = aName()
    await connect(`127.0.0.1:${port},${kafka.brokers}`).ensureTopic(topic)
    expect(await described(topic)).toEqual({ policy: 'compact', partitions: 1 })
  })

  test('cannot be had while Kafka cannot be reached, and not after the connection was closed', async () => {
    const [port] = await freePorts(1)
    const nowhere = connect(`127.0.0.1:${port}`)
    await expect(nowhere.ensureTopic(aName())).rejects.toThrow(SourceUnavailable)
    await nowhere.close()
    await expect(nowhere.ensureTopic(aName())).rejects.toThrow('The connection to Kafka is closed')
  })
})
