import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import kafkajs, { type Admin, type Message, type Producer } from 'kafkajs'
import { afterAll, beforeAll, describe, inject } from 'vitest'
import { type Broker, type BrokerOptions, startBroker } from '../../deploy/kafka/broker.ts'

const { Kafka, logLevel, Partitioners } = kafkajs

/** What tests do to a broker beside the gateway: as an administrator, and as producers of other teams. */
export interface TestKafka {
  /** `host:port`; known once the tests run, so use it inside of them. */
  readonly brokers: string
  /** Makes a topic of this many partitions, and returns its name, which begins with `label` and is used only once. */
  createTopic(partitions: number, options?: { label?: string; config?: Record<string, string> }): Promise<string>
  /** Makes a topic of this very name. */
  createTopicNamed(topic: string, partitions: number, config?: Record<string, string>): Promise<void>
  deleteTopic(topic: string): Promise<void>
  addPartitions(topic: string, total: number): Promise<void>
  /** Removes the records of a partition below `before`, as retention does. */
  deleteRecords(topic: string, partition: number, before: number): Promise<void>
  produce(topic: string, messages: Message[]): Promise<void>
  /** A transaction of a producer of its own. It is aborted by the broker if the test does not end it. */
  beginTransaction(): Promise<TestTransaction>
}

export interface TestTransaction {
  send(topic: string, messages: Message[]): Promise<void>
  commit(): Promise<void>
  abort(): Promise<void>
}

/**
 * A block of tests that need a real broker: the run's own. Where there is none to be had, it is skipped, and its name
 * says why. With `ownBroker` the tests start theirs (`startOwnBroker`), and the run's is not waited for.
 */
export function describeKafka(
  name: string,
  tests: (kafka: TestKafka) => void,
  { ownBroker = false }: { ownBroker?: boolean } = {},
): void {
  const provided = inject('kafka')
  if ('missing' in provided) {
    describe.skip(`${name} (skipped: ${provided.missing})`, () => tests(testKafka(() => '').kafka))
    return
  }
  describe(name, () => {
    let brokers = ''
    beforeAll(async () => {
      if (ownBroker) return
      const response = await fetch(provided.askAt)
      const body = await response.text()
      if (!response.ok) throw new Error(body)
      brokers = body
    })
    const { kafka, close } = testKafka(() => brokers)
    afterAll(close)
    tests(kafka)
  })
}

/**
 * A broker of the caller's own, to be killed, or set up differently. Use it in a `describeKafka` with `ownBroker`, which
 * has made sure that it will start.
 */
export async function startOwnBroker(
  options?: BrokerOptions,
): Promise<{ readonly broker: Broker; readonly kafka: TestKafka; stop(): Promise<void> }> {
  const broker = await startBroker(options)
  const { kafka, close } = testKafka(() => broker.brokers)
  return {
    broker,
    kafka,
    async stop() {
      await close()
      await broker.stop()
    },
  }
}

/** A topic just made is known to the broker that leads it, and so fit for use, a moment later. */
async function untilKnown(admin: Admin, topic: string, partitions: number): Promise<void> {
  const deadline = Date.now() + 30_000
  for (;;) {
    // It fails while the topic, or a leader of it, is not known.
    const offsets = await admin.fetchTopicOffsets(topic).catch(() => [])
    if (offsets.length >= partitions) return
    if (Date.now() > deadline) throw new Error(`Topic ${topic} did not come to have ${partitions} partitions`)
    await delay(20)
  }
}

/** One client, connected when it is first used. */
export function testKafka(address: () => string): { kafka: TestKafka; close: () => Promise<void> } {
  let connected: Promise<{ admin: Admin; producer: Producer }> | undefined
  const client = () =>
    new Kafka({
      clientId: 'test',
      brokers: address().split(','),
      logLevel: logLevel.NOTHING,
      retry: { initialRetryTime: 50, maxRetryTime: 500, retries: 20 },
    })
  const connect = () => {
    connected ??= (async () => {
      const kafka = client()
      const admin = kafka.admin()
      // Idempotent: what is sent again after a broker's end is in the log once.
      const producer = kafka.producer({
        createPartitioner: Partitioners.DefaultPartitioner,
        idempotent: true,
        maxInFlightRequests: 1,
      })
      await Promise.all([admin.connect(), producer.connect()])
      return { admin, producer }
    })()
    return connected
  }
  const close = async () => {
    if (!connected) return
    const { admin, producer } = await connected
    await Promise.all([admin.disconnect(), producer.disconnect()])
  }

  const createTopicNamed = async (topic: string, numPartitions: number, config: Record<string, string> = {}) => {
    const { admin } = await connect()
    const configEntries = Object.entries(config).map(([name, value]) => ({ name, value }))
    // Replicated as the cluster's own setting says.
    const topics = [{ topic, numPartitions, replicationFactor: -1, configEntries }]
    await admin.createTopics({ topics, waitForLeaders: false })
    await untilKnown(admin, topic, numPartitions)
  }

  const kafka: TestKafka = {
    get brokers() {
      return address()
    },
    createTopicNamed,
    async createTopic(partitions, { label = 'test', config } = {}) {
      const topic = `${label}-${randomUUID()}`
      await createTopicNamed(topic, partitions, config)
      return topic
    },
    async deleteTopic(topic) {
      await (await connect()).admin.deleteTopics({ topics: [topic] })
    },
    async addPartitions(topic, count) {
      const { admin } = await connect()
      await admin.createPartitions({ topicPartitions: [{ topic, count }] })
      await untilKnown(admin, topic, count)
      // A producer that has sent to the topic drops what is for partitions that it did not know then, without a word.
      await close()
      connected = undefined
    },
    async deleteRecords(topic, partition, before) {
      const { admin } = await connect()
      await admin.fetchTopicOffsets(topic) // deleteTopicRecords looks for the leader in what the client knows already
      await admin.deleteTopicRecords({ topic, partitions: [{ partition, offset: String(before) }] })
    },
    async produce(topic, messages) {
      const taken = await (await connect()).producer.send({ topic, messages, acks: -1 })
      const known = new Set(taken.map(({ partition }) => partition))
      const lost = messages.find(({ partition }) => partition !== undefined && !known.has(partition))
      if (lost) throw new Error(`The producer dropped what is for partition ${lost.partition} of ${topic}`)
    },
    async beginTransaction() {
      const producer = client().producer({ transactionalId: randomUUID(), maxInFlightRequests: 1, idempotent: true })
      await producer.connect()
      const transaction = await producer.transaction()
      const end = async (ending: Promise<void>) => {
        await ending
        await producer.disconnect()
      }
      return {
        async send(topic, messages) {
          await transaction.send({ topic, messages })
        },
        commit: () => end(transaction.commit()),
        abort: () => end(transaction.abort()),
      }
    },
  }
  return { kafka, close }
}
