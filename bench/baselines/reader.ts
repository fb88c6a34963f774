/**
 * A kafkajs consumer that reads the same records again and again: it seeks back to where the topic ended when it started, and
 * counts what comes. A baseline: it is not to be tuned with Sluice.
 *
 * KAFKA_BROKERS and TOPIC say what it reads. It says `ready` once it reads. A line `COUNT` on its standard input makes it
 * read so many records, and a line `COUNT parse` makes it put each through JSON.parse as well. It answers with one line
 * of JSON, when the last one has come: the count, when the first batch came, and when the last was done with.
 */
import { createInterface } from 'node:readline'
import { Kafka, logLevel } from 'kafkajs'

interface Reading {
  readonly wanted: number
  readonly parse: boolean
  /** Partitions of which the first record has come; until then what comes was fetched before the seek. */
  readonly begun: Set<number>
  count: number
  firstAt: number
}

const { KAFKA_BROKERS: brokers = '', TOPIC: topic = 'orders' } = process.env
const kafka = new Kafka({ clientId: 'bare-reader', brokers: brokers.split(','), logLevel: logLevel.ERROR })

const admin = kafka.admin()
await admin.connect()
const starts = new Map((await admin.fetchTopicOffsets(topic)).map(({ partition, high }) => [partition, high]))
await admin.disconnect()

let reading: Reading | undefined
const now = () => performance.timeOrigin + performance.now()

const consumer = kafka.consumer({ groupId: `reader-${process.pid}` })
consumer.on(consumer.events.GROUP_JOIN, () => console.log('ready'))
await consumer.connect()
await consumer.subscribe({ topic })
await consumer.run({
  // It goes back and forth by seeks: there is no position to keep.
  autoCommit: false,
  eachBatch: async ({ batch: { partition, messages } }) => {
    if (!reading) return
    if (!reading.begun.has(partition)) {
      if (messages[0]?.offset !== starts.get(partition)) return
      reading.begun.add(partition)
    }
    reading.firstAt ||= now()
    if (reading.parse) {
      for (const { value } of messages) if (JSON.parse(String(value)).id) reading.count++
    } else {
      for (const { value } of messages) if (value) reading.count++
    }
    if (reading.count < reading.wanted) return
    const { count, firstAt } = reading
    reading = undefined
    console.log(JSON.stringify({ count, firstAt, lastAt: now() }))
  },
})

createInterface({ input: process.stdin }).on('line', (line) => {
  const [count, parse] = line.split(' ')
  reading = { wanted: Number(count), parse: parse === 'parse', begun: new Set(), count: 0, firstAt: 0 }
  for (const [partition, offset] of starts) consumer.seek({ topic, partition, offset })
})
