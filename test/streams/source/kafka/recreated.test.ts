import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { freePorts } from '../../../../deploy/kafka/probe.ts'
import { createKafka } from '../../../../src/streams/source/kafka/kafka.ts'
import { describeKafka, startOwnBroker, type TestKafka } from '../../../kit/kafka.ts'
import { from, Recorder } from '../port-contract.ts'

/** Longer than what the reader takes for a stall, shorter than what kafkajs waits for an answer. */
const HOLD_MS = 6_000

describeKafka(
  'Kafka, where a topic is recreated and grows while nobody looks',
  () => {
    let kafka: TestKafka
    let line: Line
    let stop: (() => Promise<void>) | undefined
    beforeAll(async () => {
      // What the gateway uses is a listener of its own, advertised with the port of a line that can be cut.
      const [port, behind, controller] = (await freePorts(3)) as [number, number, number]
      line = await startLine(behind)
      const own = `PLAINTEXT://127.0.0.1:${port}`
      ;({ kafka, stop } = await startOwnBroker({
        port,
        properties: {
          listeners: `${own},GATEWAY://127.0.0.1:${behind},CONTROLLER://127.0.0.1:${controller}`,
          'advertised.listeners': `${own},GATEWAY://127.0.0.1:${line.port}`,
          'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,GATEWAY:PLAINTEXT,CONTROLLER:PLAINTEXT',
          'controller.quorum.voters': `1@127.0.0.1:${controller}`,
        },
      }))
    })
    afterAll(async () => {
      await stop?.()
      line.close()
    })

    const closing: (() => Promise<void>)[] = []
    afterEach(async () => {
      line.mend()
      line.letGo()
      for (const close of closing.splice(0).reverse()) await close()
    })
    /** A reader that has read three records of both partitions. */
    const readThree = async (topic: string) => {
      await produce(topic, 'old', 3)
      const log = createKafka({ brokers: [`127.0.0.1:${line.port}`], clientId: 'replaced', log: () => {} })
      const reader = new Recorder(log.source, from(topic, { 0: 0, 1: 0 }))
      closing.push(
        () => log.close(),
        () => reader.stop(),
      )
      await reader.until(() => reader.records.length === 6 && reader.state?.kind === 'reading')
      return reader
    }
    const produce = async (topic: string, label: string, count: number) => {
      const values = Array.from({ length: count }, (_, i) => `${label} ${i}`)
      await kafka.produce(
        topic,
        [0, 1].flatMap((partition) => values.map((value) => ({ partition, value }))),
      )
    }
    const makeAnew = async (topic: string, count: number) => {
      await kafka.deleteTopic(topic)
      await kafka.createTopicNamed(topic, 2)
      await produce(topic, 'new', count)
    }
    const old = ['old 0', 'old 1', 'old 2']
    const anew = ['new 0', 'new 1', 'new 2', 'new 3', 'new 4']
    const expectGaps = (reader: Recorder, topic: string) => {
      const gap = { kind: 'gap', topic, from: 3, to: 0, reason: 'truncation' }
      expect(reader.gaps.toSorted((a, b) => a.partition - b.partition)).toEqual([
        { ...gap, partition: 0 },
        { ...gap, partition: 1 },
      ])
      for (const partition of [0, 1]) expect(reader.values(partition)).toEqual([...old, ...anew])
    }

    test('while the reader is cut off, it is a gap, and all of the new topic is read', async () => {
      const topic = await kafka.createTopic(2)
      const reader = await readThree(topic)
      line.cut()
      await reader.until(() => reader.state?.kind === 'waiting')
      await makeAnew(topic, 5)
      line.mend()
      await reader.until(() => reader.records.length === 16)
      expectGaps(reader, topic)
    })

    test('while the reader only waits for its answer, and nothing fails, it is a gap all the same', async () => {
      const topic = await kafka.createTopic(2)
      const reader = await readThree(topic)
      line.hold()
      const held = Date.now()
      await delay(1_000) // a fetch under way comes back within half a second; the next one is held
      await makeAnew(topic, 5)
      await delay(Math.max(0, held + HOLD_MS - Date.now()))
      line.letGo()
      await reader.until(() => reader.records.length === 16)
      expectGaps(reader, topic)
    })

    test('a reader that was cut off reads the same topic on without a gap', async () => {
      const topic = await kafka.createTopic(2)
      const reader = await readThree(topic)
      line.cut()
      await reader.until(() => reader.state?.kind === 'waiting')
      await produce(topic, 'more', 5)
      line.mend()
      await reader.until(() => reader.records.length === 16)
      await produce(topic, 'and more', 5)
      await reader.until(() => reader.records.length === 26)
      expect(reader.gaps).toEqual([])
    })
  },
  { ownBroker: true },
)

/** A line to a port of this machine. */
interface Line {
  readonly port: number
  /** Ends every connection, and takes none, until it is mended. */
  cut(): void
  mend(): void
  /** Requests are kept back, until they are let go; answers are not. */
  hold(): void
  letGo(): void
  close(): void
}

async function startLine(target: number): Promise<Line> {
  const clients = new Set<Socket>()
  let isCut = false
  let isHeld = false
  const server = createServer((client) => {
    if (isCut) return void client.destroy()
    const upstream = connect(target, '127.0.0.1')
    clients.add(client)
    const end = () => {
      clients.delete(client)
      client.destroy()
      upstream.destroy()
    }
    for (const socket of [client, upstream]) socket.on('error', end).on('close', end)
    client.on('data', (chunk) => upstream.write(chunk))
    upstream.on('data', (chunk) => client.write(chunk))
    if (isHeld) client.pause()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const cut = () => {
    isCut = true
    for (const client of clients) client.destroy()
  }
  return {
    port: (server.address() as AddressInfo).port,
    cut,
    mend() {
      isCut = false
    },
    hold() {
      isHeld = true
      for (const client of clients) client.pause()
    },
    letGo() {
      isHeld = false
      for (const client of clients) client.resume()
    },
    close() {
      cut()
      server.close()
    },
  }
}
