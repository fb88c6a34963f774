import kafkajs from 'kafkajs'
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest'
import { decodeCursor } from '../../src/streams/cursor/cursor.ts'
import { BEYOND_END_MS } from '../../src/streams/feed/position.ts'
import { anOrder, startTestGateway, type TestGateway } from '../kit/gateway.ts'
import { describeKafka, startOwnBroker, type TestKafka } from '../kit/kafka.ts'
import type { RawStream } from '../kit/raw-stream.ts'
import { until } from '../kit/until.ts'
import { cursorBehind, resume, told } from '../transport/resuming.ts'

const HOUR_MS = 3600_000
/** The smallest window there is: some eighty orders. */
const WINDOW = { WINDOW_BYTES: String(64 * 1024) }
const RETENTION_TIMEOUT_MS = 60_000

const idsFrom = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => `o${from + i}`)

async function produceIds(kafka: TestKafka, partition: number, ids: readonly string[], timestamp = Date.now()) {
  const messages = ids.map((id) => ({
    partition,
    value: JSON.stringify(anOrder({ id })),
    timestamp: String(timestamp),
  }))
  await kafka.produce('orders', messages)
}

async function startReady(brokers: string): Promise<TestGateway> {
  const gateway = await startTestGateway({ env: { KAFKA_BROKERS: brokers, HEARTBEAT_MS: '100', ...WINDOW } })
  await until('the gateway is ready', () => gateway.streams.readiness().ready, 60_000)
  return gateway
}

/** What an administrator does: settings of the topic, and where its partitions begin. */
async function administer(brokers: string) {
  const kafka = new kafkajs.Kafka({ brokers: [brokers], logLevel: kafkajs.logLevel.NOTHING })
  const admin = kafka.admin()
  await admin.connect()
  onTestFinished(() => admin.disconnect())
  return {
    async configure(settings: Record<string, string>) {
      const configEntries = Object.entries(settings).map(([name, value]) => ({ name, value }))
      const resources = [{ type: kafkajs.ConfigResourceTypes.TOPIC, name: 'orders', configEntries }]
      await admin.alterConfigs({ validateOnly: false, resources })
    },
    async earliest(partition: number) {
      const offsets = await admin.fetchTopicOffsets('orders')
      return Number(offsets.find((each) => each.partition === partition)?.low)
    },
  }
}

function gapsIn(stream: RawStream) {
  const block = stream.blocks.find(({ data }) => data?.includes('CURSOR_EXPIRED'))
  return { id: block?.id ?? '', gaps: JSON.parse(block?.data ?? '{}').errors?.[0].extensions.gaps }
}

describeKafka(
  'a cursor whose events are gone from Kafka',
  () => {
    let own: Awaited<ReturnType<typeof startOwnBroker>>
    beforeAll(async () => {
      // It looks for what to delete soon, and often; more often, and it would meet topics that are being deleted.
      const properties = { 'log.initial.task.delay.ms': '100', 'log.retention.check.interval.ms': '2000' }
      own = await startOwnBroker({ properties })
    })
    afterAll(() => own.stop())
    const gateway = () => startReady(own.broker.brokers)
    beforeEach(() => createAnew(own.kafka))

    test('by retention: the gap is told from where to where, by a gateway that saw it and by one that did not', async () => {
      const { broker, kafka } = own
      const admin = await administer(broker.brokers)
      await admin.configure({ 'segment.ms': String(HOUR_MS / 60) })
      const watching = await gateway()
      const watcher = await resume(watching.graphql)
      // A segment of two hours ago, and one of now.
      await produceIds(kafka, 0, idsFrom(0, 300), Date.now() - 2 * HOUR_MS)
      await produceIds(kafka, 0, idsFrom(300, 500))
      await watcher.untilResults(500)
      const cursor = cursorBehind(watcher, 'o99')

      const before = await resume(watching.graphql, { header: cursor })
      await before.untilResults(400)
      expect(told(before)).toEqual(idsFrom(100, 500))

      const began = performance.now()
      await admin.configure({ 'segment.ms': String(HOUR_MS / 60), 'retention.ms': String(HOUR_MS) })
      await until(
        'Kafka has let go of the old segment',
        async () => (await admin.earliest(0)) > 0,
        RETENTION_TIMEOUT_MS,
      )
      console.log(`The old segment was gone ${((performance.now() - began) / 1000).toFixed(1)} s after the change`)
      expect(await admin.earliest(0)).toBe(300)

      for (const each of [await gateway(), watching]) {
        const back = await resume(each.graphql, { header: cursor, extensions: { markers: true } })
        await until('the past has ended', () => told(back).includes('caughtUp'))
        // What the gateway that saw them has kept for others may be older than what Kafka still has.
        if (each !== watching) {
          expect(back.blocks[0]?.id).toBe(cursor)
          expect(told(back)).toEqual(['CURSOR_EXPIRED', ...idsFrom(300, 500), 'caughtUp'])
          const { id, gaps } = gapsIn(back)
          expect(gaps).toEqual([{ partition: 0, from: 100, to: 300, reason: 'retention' }])
          expect(decodeCursor('orders', id).positions[0]).toBe(300)
        } else expect(told(back)).toEqual([...idsFrom(100, 500), 'caughtUp'])
      }
    }, 180_000)

    test('by deleted records: the same, with what is new behind it', async () => {
      const { kafka } = own
      const first = await gateway()
      const watcher = await resume(first.graphql)
      await produceIds(kafka, 0, idsFrom(0, 1000))
      await watcher.untilResults(1000)
      await kafka.deleteRecords('orders', 0, 700)
      const back = await resume(first.graphql, { header: cursorBehind(watcher, 'o9'), extensions: { markers: true } })
      await until('the past has ended', () => told(back).includes('caughtUp'))
      await produceIds(kafka, 1, ['new'])
      await until('what is new came', () => told(back).includes('new'))
      expect(told(back)).toEqual(['CURSOR_EXPIRED', ...idsFrom(700, 1000), 'caughtUp', 'new'])
      expect(gapsIn(back).gaps).toEqual([{ partition: 0, from: 10, to: 700, reason: 'retention' }])
    }, 120_000)

    test('a topic recreated, and smaller: after the wait the client is told, and gets all of the new one', async () => {
      const { kafka } = own
      const old = await gateway()
      const watcher = await resume(old.graphql)
      await produceIds(kafka, 0, idsFrom(0, 200))
      await watcher.untilResults(200)
      const cursor = cursorBehind(watcher, 'o199')
      await old.close()
      await createAnew(kafka)
      await produceIds(kafka, 0, ['a', 'b', 'c'])

      const anew = await gateway()
      const began = performance.now()
      const back = await resume(anew.graphql, { header: cursor })
      await back.untilResults(4)
      expect(performance.now() - began).toBeGreaterThan(BEYOND_END_MS - 10)
      expect(told(back)).toEqual(['CURSOR_EXPIRED', 'a', 'b', 'c'])
      expect(gapsIn(back).gaps).toEqual([{ partition: 0, from: 200, to: 0, reason: 'truncation' }])
    }, 120_000)

    test.each([
      ['smaller', 3],
      ['grown past where the reader was', 300],
    ])(
      'a topic recreated under an open stream, %s: it is told, and gets all of the new one',
      async (_how, count) => {
        const { kafka } = own
        const running = await gateway()
        const stream = await resume(running.graphql)
        await produceIds(kafka, 0, idsFrom(0, 200), Date.now() - HOUR_MS / 2)
        await stream.untilResults(200)
        const cursor = cursorBehind(stream, 'o199')
        await createAnew(kafka)
        await produceIds(kafka, 0, idsFrom(1000, 1000 + count))
        await until('all of the new one came', () => told(stream).includes(`o${999 + count}`), 60_000)
        expect(told(stream)).toEqual([...idsFrom(0, 200), 'CURSOR_EXPIRED', ...idsFrom(1000, 1000 + count)])
        expect(gapsIn(stream).gaps).toEqual([{ partition: 0, from: 200, to: 0, reason: 'truncation' }])

        // While the new log is looked at, new streams are refused.
        await until('it is ready', async () => (await fetch(`${running.adminUrl}/readyz`)).ok)
        const back = await resume(running.graphql, { header: cursor })
        await until('all of the new one came', () => told(back).includes(`o${999 + count}`))
        expect(told(back)).toEqual(['CURSOR_EXPIRED', ...idsFrom(1000, 1000 + count)])
      },
      120_000,
    )

    test('a topic recreated, and grown past the cursor: the event before it is another one, so the client is told', async () => {
      const { kafka } = own
      const old = await gateway()
      const watcher = await resume(old.graphql)
      await produceIds(kafka, 0, idsFrom(0, 50), Date.now() - HOUR_MS / 2)
      await produceIds(kafka, 1, ['p'])
      await watcher.untilResults(51)
      const inWindow = cursorBehind(watcher, 'o49')
      const inLog = cursorBehind(watcher, 'o9')
      await old.close()
      await createAnew(kafka)
      // The window of the gateway does not reach back to the first of these.
      await produceIds(kafka, 0, idsFrom(1000, 1200))

      const anew = await gateway()
      for (const cursor of [inLog, inWindow]) {
        const from = decodeCursor('orders', cursor).positions
        const back = await resume(anew.graphql, { header: cursor, extensions: { markers: true } })
        await until('the past has ended', () => told(back).includes('caughtUp'))
        expect(back.blocks[0]?.id).toBe(cursor)
        expect(told(back)).toEqual(['CURSOR_EXPIRED', ...idsFrom(1000, 1200), 'caughtUp'])
        const gaps = from.flatMap((offset, partition) =>
          offset > 0 ? [{ partition, from: offset, to: 0, reason: 'truncation' }] : [],
        )
        expect(gapsIn(back).gaps).toEqual(gaps)
      }
    }, 120_000)
  },
  { ownBroker: true },
)

/** Makes the topic, and deletes the one of its name before, if there is one. */
async function createAnew(kafka: TestKafka): Promise<void> {
  await kafka.deleteTopic('orders').catch(() => {}) // there is none
  await until('the topic can be made', () =>
    kafka.createTopicNamed('orders', 2).then(
      () => true,
      () => false, // the old one is still being deleted
    ),
  )
}
