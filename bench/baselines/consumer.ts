/**
 * A kafkajs consumer, as its documentation shows it for batches, that does nothing but JSON.parse. A baseline: it is
 * not to be tuned with Sluice.
 *
 * KAFKA_BROKERS and TOPIC say what it reads. It says `ready` once it reads. At each line on its standard input it says,
 * as one line of JSON, what it has read since the line before.
 */
import { createInterface } from 'node:readline'
import { Kafka, logLevel } from 'kafkajs'

/** An order's id ends with the microsecond at which it was made: see generator/feed.c. */
const MICROSECOND = /_(\d{16})$/

let count = 0
let lastAt = 0
let latencies: number[] = []

const { KAFKA_BROKERS: brokers = '', TOPIC: topic = 'orders' } = process.env
const kafka = new Kafka({ clientId: 'bare-consumer', brokers: brokers.split(','), logLevel: logLevel.ERROR })
const consumer = kafka.consumer({ groupId: `consumer-${process.pid}` })
consumer.on(consumer.events.GROUP_JOIN, () => console.log('ready'))
await consumer.connect()
await consumer.subscribe({ topic })
await consumer.run({
  // It reads from the newest on and never again: there is no position to keep.
  autoCommit: false,
  eachBatch: async ({ batch }) => {
    const now = performance.timeOrigin + performance.now()
    let madeAt: string | undefined
    for (const message of batch.messages) {
      const order: { id: string } = JSON.parse(String(message.value))
      if (order.id) count++
      madeAt = order.id
    }
    // One of each batch is enough for a median where batches are small, and costs nothing where they are large.
    const microsecond = MICROSECOND.exec(madeAt ?? '')?.[1]
    if (microsecond) latencies.push(now - Number(microsecond) / 1000)
    lastAt = performance.timeOrigin + performance.now()
  },
})

createInterface({ input: process.stdin }).on('line', () => {
  console.log(JSON.stringify({ count, lastAt, latencies: latencies.map((ms) => Math.round(ms * 1000) / 1000) }))
  count = 0
  latencies = []
})
