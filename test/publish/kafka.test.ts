import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import type { Broker } from '../../deploy/kafka/broker.ts'
import type { RawRecord } from '../../src/streams/event.ts'
import { createKafka } from '../../src/streams/source/kafka/kafka.ts'
import { startTestGateway } from '../kit/gateway.ts'
import { GatewayProcess } from '../kit/gateway-process.ts'
import { describeKafka, startOwnBroker, type TestKafka } from '../kit/kafka.ts'
import { until } from '../kit/until.ts'
import { notesApplication, write } from './notes-gateway.ts'
import { place } from './orders.ts'

const PLAIN = 'org.apache.kafka.common.security.plain.PlainLoginModule'
const PARTITIONS = 6

describeKafka(
  'what clients publish to a real broker',
  () => {
    let broker: Broker
    let kafka: TestKafka
    let stop: (() => Promise<void>) | undefined

    beforeAll(async () => {
      const started = await startOwnBroker({
        listeners: ['SASL_PLAINTEXT'],
        properties: {
          'sasl.enabled.mechanisms': 'PLAIN',
          'listener.name.sasl_plaintext.plain.sasl.jaas.config': `${PLAIN} required user_sluice="secret";`,
          'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
          'super.users': 'User:ANONYMOUS',
        },
      })
      ;({ broker, kafka, stop } = started)
      await kafka.createTopicNamed('orders', PARTITIONS)
      await kafka.createTopicNamed('region-sales', 1)
    })
    afterAll(() => stop?.())

    const startNotes = async (topic: string, env: Record<string, string> = {}) => {
      const gateway = await startTestGateway({
        ...notesApplication(topic),
        env: { KAFKA_BROKERS: broker.brokers, ...env },
      })
      await until('the gateway is ready', () => gateway.streams.readiness().ready)
      return gateway
    }
    /** All records of a topic. */
    const recordsOf = async (topic: string): Promise<RawRecord[]> => {
      const log = createKafka({ brokers: [broker.brokers], clientId: 'reader', log: () => {} })
      try {
        const records: RawRecord[] = []
        for (const { partition, earliest, next } of await log.source.ranges(topic)) {
          for (let at = earliest; at < next; ) {
            const fetched = await log.source.fetch(topic, partition, at, 1e6, new AbortController().signal)
            if (fetched.kind !== 'records' || fetched.nextOffset === at) break
            records.push(...fetched.records)
            at = fetched.nextOffset
          }
        }
        return records
      } finally {
        await log.close()
      }
    }
    const idsIn = async (topic: string) => (await recordsOf(topic)).map(({ value }) => JSON.parse(String(value)).id)

    test('an event is in the partition in which other producers put its key', async () => {
      const topic = await kafka.createTopic(PARTITIONS)
      const gateway = await startNotes(topic)
      const rooms = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'm_0042']
      const written = await Promise.all(rooms.map((room) => write(gateway.graphql, { room })))
      expect(written.map(({ code }) => code)).toEqual(rooms.map(() => undefined))
      await kafka.produce(
        topic,
        rooms.map((room) => ({ key: room, value: JSON.stringify({ id: 'other', room, text: 'x' }) })),
      )
      const places = new Map<string, Set<number>>()
      for (const { key, partition } of await recordsOf(topic)) {
        const place = String(key)
        places.set(place, (places.get(place) ?? new Set()).add(partition))
      }
      expect(rooms.map((room) => places.get(room)?.size)).toEqual(rooms.map(() => 1))
    })

    test('a repeat at another instance, as soon as the first is answered, is the same event', async () => {
      const topic = await kafka.createTopic(PARTITIONS)
      const [one, other] = [await startNotes(topic), await startNotes(topic, { INSTANCE_ID: 'other' })]
      for (let n = 0; n < 30; n++) {
        const order = { room: `r${n % 3}`, key: `key ${n}` }
        const first = await write(one.graphql, order)
        expect(first.code).toBeUndefined()
        expect(await write(other.graphql, order)).toEqual(first)
      }
      expect(await idsIn(topic)).toHaveLength(30)
    })

    test('an event that the topic does not take for its size is refused, and those beside it are not', async () => {
      const topic = await kafka.createTopic(1, { config: { 'max.message.bytes': '8000' } })
      const gateway = await startNotes(topic)
      const written = await Promise.all(['a', 'x'.repeat(10_000), 'b'].map((text) => write(gateway.graphql, { text })))
      expect(written.map(({ code }) => code)).toEqual([undefined, 'EVENT_TOO_LARGE', undefined])
      const own = await startNotes(topic, { MAX_EVENT_BYTES: '1024' })
      expect((await write(own.graphql, { text: 'x'.repeat(2_000) })).code).toBe('EVENT_TOO_LARGE')
      expect(await recordsOf(topic)).toHaveLength(2)
    })

    test('a topic that this gateway may not write to is told, and nothing is published', async () => {
      const topic = await kafka.createTopic(1)
      const { code } = await broker.run('org.apache.kafka.tools.AclCommand', [
        ...['--bootstrap-server', broker.brokers, '--add', '--allow-principal', 'User:sluice'],
        ...['--operation', 'Read', '--operation', 'Describe', '--topic', topic],
      ])
      expect(code).toBe(0)
      const gateway = await startNotes(topic, {
        KAFKA_BROKERS: broker.address('SASL_PLAINTEXT'),
        KAFKA_SASL_MECHANISM: 'plain',
        KAFKA_SASL_USERNAME: 'sluice',
        KAFKA_SASL_PASSWORD: 'secret',
      })
      const refused = await write(gateway.graphql, { key: 'k' })
      expect(refused).toMatchObject({ code: 'PUBLISH_FAILED' })
      expect(refused.message).toContain('may not write')
      expect(await recordsOf(topic)).toEqual([])
    })

    test('an order that a killed gateway had published is the order of its repeat', async () => {
      const [gateway] = await GatewayProcess.create(['gw-1'], {
        KAFKA_BROKERS: broker.brokers,
        ANONYMOUS_SCOPES: 'orders:write',
      })
      if (!gateway) throw new Error('There is no gateway')
      onTestFinished(() => gateway.kill())
      const watch = await startTestGateway({ env: { KAFKA_BROKERS: broker.brokers } })
      await until('the watching gateway is ready', () => watch.streams.readiness().ready)
      const seen = () => [...watch.streams.feeds].find(({ topic }) => topic.name === 'orders')?.events ?? 0
      gateway.start()
      await gateway.untilReady()
      const graphql = `${gateway.url}/graphql`
      // -9 as soon as it is in the log: its answer may be on the way, or not.
      const lost = place(graphql, { idempotencyKey: 'mine' }).catch(() => undefined)
      await until('the order is in the log', () => seen() === 1)
      await gateway.kill()
      const answered = await lost
      gateway.start()
      await gateway.untilReady()
      const again = await place(graphql, { idempotencyKey: 'mine' })
      expect(again.code).toBeUndefined()
      expect([answered?.id ?? again.id, ...(await idsIn('orders'))]).toEqual([again.id, again.id])
    })

    // The last one: it stops the broker.
    test('while the broker is down nobody is told that an event is published; a repeat makes it one event', async () => {
      const topic = await kafka.createTopic(1)
      const gateway = await startNotes(topic)
      expect((await write(gateway.graphql, { text: 'first' })).code).toBeUndefined()
      await broker.kill()
      const down = await Promise.all([
        write(gateway.graphql, { text: 'without' }),
        write(gateway.graphql, { text: 'with', key: 'k' }),
      ])
      console.log('While the broker is down:', down.map(({ code }) => code).join(', '))
      for (const { code } of down) expect(['PUBLISH_FAILED', 'PUBLISH_UNCONFIRMED', 'NOT_READY']).toContain(code)
      await broker.restart()
      let repeat = await write(gateway.graphql, { text: 'with', key: 'k' })
      await until('a repeat is published', async () => {
        repeat = await write(gateway.graphql, { text: 'with', key: 'k' })
        return repeat.code === undefined
      })
      expect(await write(gateway.graphql, { text: 'with', key: 'k' })).toEqual(repeat)
      const texts = (await recordsOf(topic)).map(({ value }) => JSON.parse(String(value)).text)
      expect(texts.filter((text) => text === 'with')).toHaveLength(1)
    }, 60_000)
  },
  { ownBroker: true },
)
