import { randomUUID } from 'node:crypto'
import kafkajs from 'kafkajs'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import type { Broker } from '../../../../deploy/kafka/broker.ts'
import { createKafka } from '../../../../src/streams/source/kafka/kafka.ts'
import { SourceUnavailable } from '../../../../src/streams/source/port.ts'
import { describeKafka, startOwnBroker, type TestKafka } from '../../../kit/kafka.ts'
import { fetchRecords, valuesOf } from '../fetch-contract.ts'
import { from, Recorder } from '../port-contract.ts'

/** What a reader may take to go on, once the broker answers: its longest wait, a join, and room for a busy machine. */
const RECOVERY_MS = 8_000

describeKafka(
  'Kafka with an unreliable broker',
  () => {
    let broker: Broker
    let kafka: TestKafka
    let stop: (() => Promise<void>) | undefined
    beforeAll(async () => {
      ;({ broker, kafka, stop } = await startOwnBroker())
    })
    afterAll(() => stop?.())

    const closing: (() => Promise<void>)[] = []
    afterEach(async () => {
      for (const close of closing.splice(0).reverse()) await close()
    })
    const open = () => {
      const log = createKafka({ brokers: [broker.brokers], clientId: 'outage', log: () => {} })
      closing.push(() => log.close())
      return log
    }
    const read = (topic: string, positions: Record<number, number>) => {
      const reader = new Recorder(open().source, from(topic, positions))
      closing.push(() => reader.stop())
      return reader
    }

    test('a broker that is killed and started again under load costs no event, and brings none twice', async () => {
      const topic = await kafka.createTopic(3)
      const reader = read(topic, { 0: 0, 1: 0, 2: 0 })
      const load = produceForever(broker.brokers, topic)
      closing.push(async () => void (await load.stop()))
      await reader.until(() => reader.records.length > 300)
      await broker.kill()
      await reader.until(() => reader.state?.kind === 'waiting')
      const before = reader.records.length
      await broker.restart()
      const back = Date.now()
      await reader.until(() => reader.records.length > before)
      expect(Date.now() - back).toBeLessThan(RECOVERY_MS)
      await reader.until(() => reader.records.length > before + 300)
      const sent = await load.stop()
      await reader.until(() => reader.records.length >= sent)

      // The recorder has seen to it that no offset came twice; here, that every event came, and in order.
      const values = [0, 1, 2].map((partition) => reader.values(partition).map(Number))
      for (const own of values) expect(own).toEqual([...own].sort((a, b) => a - b))
      expect(new Set(values.flat()).size).toBe(sent)
      expect(reader.records.length).toBe(sent)
      expect(reader.gaps).toEqual([])
      expect(reader.state).toEqual({ kind: 'reading' })
    })

    test('a reader that finds no broker at its start waits for it, and then reads', async () => {
      const topic = await kafka.createTopic(1)
      await kafka.produce(topic, [{ value: 'a' }])
      await broker.kill()
      const log = open()
      await expect(log.source.ranges(topic)).rejects.toThrow(SourceUnavailable)
      await expect(log.sink.send(topic, [{ key: null, value: 'lost' }])).rejects.toThrow(SourceUnavailable)
      const reader = new Recorder(log.source, from(topic, { 0: 0 }))
      closing.push(() => reader.stop())
      await reader.until(() => reader.states.some((state) => state.kind === 'waiting' && /ECONN/.test(state.reason)))
      await broker.restart()
      await reader.until(() => reader.values(0)[0] === 'a')
      await log.sink.send(topic, [{ key: null, value: 'b' }])
      await reader.until(() => reader.values(0)[1] === 'b')
      expect(reader.state).toEqual({ kind: 'reading' })
    })

    test('a broker that is frozen is noticed, and reading goes on when it thaws', async () => {
      const topic = await kafka.createTopic(1)
      const reader = read(topic, { 0: 0 })
      await reader.until(() => reader.state?.kind === 'reading')
      process.kill(broker.pid, 'SIGSTOP')
      try {
        await reader.until(() => reader.state?.kind === 'waiting')
        expect(reader.state).toMatchObject({
          reason: expect.stringContaining('has answered no fetch for more than 5 s'),
        })
      } finally {
        process.kill(broker.pid, 'SIGCONT')
      }
      await reader.until(() => reader.state?.kind === 'reading')
      await kafka.produce(topic, [{ value: 'thawed' }])
      await reader.until(() => reader.values(0)[0] === 'thawed')
      expect(reader.gaps).toEqual([])
    })

    test('fetches are unavailable while a broker is down, and are had again once it is back', async () => {
      const topic = await kafka.createTopic(1)
      await kafka.produce(topic, [{ value: 'a' }, { value: 'b' }])
      const { source } = open()
      expect(valuesOf((await fetchRecords(source, topic, 0)).records)).toEqual(['a', 'b'])
      // Between two fetches, which no caller hears of.
      await broker.kill()
      await broker.restart()
      expect(valuesOf((await fetchRecords(source, topic, 1)).records)).toEqual(['b'])

      await broker.kill()
      const asked = Date.now()
      await Promise.all(
        [0, 1, 2].map((offset) => expect(fetchRecords(source, topic, offset)).rejects.toThrow(SourceUnavailable)),
      )
      await expect(fetchRecords(source, topic, 0)).rejects.toThrow('ECONNREFUSED')
      expect(Date.now() - asked).toBeLessThan(8_000)
      await broker.restart()
      expect(valuesOf((await fetchRecords(source, topic, 0)).records)).toEqual(['a', 'b'])
    })

    test('a broker that is frozen holds up no abort, and fetches are had when it thaws', async () => {
      const topic = await kafka.createTopic(1)
      await kafka.produce(topic, [{ value: 'a' }])
      const { source } = open()
      await fetchRecords(source, topic, 0)
      process.kill(broker.pid, 'SIGSTOP')
      try {
        const aborting = new AbortController()
        const aborted = expect(source.fetch(topic, 0, 0, 1_000, aborting.signal)).rejects.toThrow('Enough')
        const asked = Date.now()
        aborting.abort(new Error('Enough'))
        await aborted
        expect(Date.now() - asked).toBeLessThan(500)
      } finally {
        process.kill(broker.pid, 'SIGCONT')
      }
      expect(valuesOf((await fetchRecords(source, topic, 0)).records)).toEqual(['a'])
    })

    test('closing takes no longer for a broker that is frozen', async () => {
      const topic = await kafka.createTopic(1)
      const log = createKafka({ brokers: [broker.brokers], clientId: 'outage', log: () => {} })
      await log.sink.send(topic, [{ key: null, value: 'a' }])
      const reader = new Recorder(log.source, from(topic, { 0: 0 }))
      await reader.until(() => reader.state?.kind === 'reading')
      await fetchRecords(log.source, topic, 0)
      process.kill(broker.pid, 'SIGSTOP')
      try {
        const fetching = expect(fetchRecords(log.source, topic, 0)).rejects.toThrow(SourceUnavailable)
        const asking = expect(log.source.ranges(topic)).rejects.toThrow(SourceUnavailable)
        const closed = Date.now()
        await log.close()
        await asking
        await fetching
        expect(Date.now() - closed).toBeLessThan(4_000)
      } finally {
        process.kill(broker.pid, 'SIGCONT')
      }
      await reader.stop()
      await expect(log.source.ranges(topic)).rejects.toThrow('closed')
    })
  },
  { ownBroker: true },
)

/** Numbers 0, 1, 2… in batches, each in the log exactly once (an idempotent producer), whatever the broker does. */
function produceForever(brokers: string, topic: string): { stop: () => Promise<number> } {
  const { Kafka, logLevel, Partitioners } = kafkajs
  const retry = { initialRetryTime: 50, maxRetryTime: 300, retries: 1_000 }
  const client = new Kafka({ clientId: randomUUID(), brokers: [brokers], logLevel: logLevel.NOTHING, retry })
  const producer = client.producer({
    idempotent: true,
    maxInFlightRequests: 1,
    createPartitioner: Partitioners.DefaultPartitioner,
  })
  let stopped = false
  const run = (async () => {
    await producer.connect()
    let sent = 0
    while (!stopped) {
      const messages = Array.from({ length: 10 }, () => ({ value: String(sent), partition: sent++ % 3 }))
      await producer.send({ topic, messages, acks: -1 })
    }
    await producer.disconnect()
    return sent
  })()
  return {
    stop() {
      stopped = true
      return run
    },
  }
}
