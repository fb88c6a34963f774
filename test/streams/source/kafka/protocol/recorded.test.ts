import type { Message } from 'kafkajs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { runTool } from '../../../../../deploy/kafka/broker.ts'
import { readRecordSet } from '../../../../../src/streams/source/kafka/protocol/record-set.ts'
import { describeKafka, startOwnBroker, type TestKafka } from '../../../../kit/kafka.ts'
import { rawFetch } from '../../../../kit/raw-fetch.ts'
import { until } from '../../../../kit/until.ts'

/*
 * Record batches that Kafka itself has written: the broker compresses anew where a topic has a `compression.type`, and
 * rewrites what it compacts.
 */
const ATTRIBUTES = 21

/** All that is visible in partition 0 from `from` on, in one fetch. */
async function fetched({ brokers }: TestKafka, topic: string, from = 0) {
  const { errorCode, aborted, set } = await rawFetch(brokers, topic, { offset: from })
  expect(errorCode).toBe(0)
  return { set, aborted, result: await readRecordSet(set, 0, from, aborted) }
}
const values = (records: readonly { value: Buffer | null }[]) => records.map(({ value }) => value && String(value))

const KAFKA_CODECS = { uncompressed: 0, gzip: 1, snappy: 2, lz4: 3, zstd: 4 }

describeKafka("what Kafka's broker writes", (kafka) => {
  const messages: Message[] = [
    { key: null, value: 'a'.repeat(2_000), headers: { trace: 'abc', several: ['1', '2'] } },
    { key: 'k', value: null, timestamp: '1' },
    { key: Buffer.from([0, 255]), value: '', headers: {} },
    ...Array.from(
      { length: 3_000 },
      (_, i): Message => ({ key: `k${i % 7}`, value: `{"id":"ord_${i}","n":${i * 7919}}` }),
    ),
    { key: 'random', value: Buffer.from(Array.from({ length: 500 }, () => crypto.randomUUID()).join('')) },
  ].map((message) => ({ partition: 0, ...message }))

  test.each(Object.entries(KAFKA_CODECS))('batches that it compresses are read: %s', async (codec, number) => {
    const topic = await kafka.createTopic(1, { config: { 'compression.type': codec } })
    await kafka.produce(topic, messages)
    const { set, result } = await fetched(kafka, topic)
    expect(set.readInt16BE(ATTRIBUTES) & 7).toBe(number)
    expect(values(result.records)).toEqual(messages.map(({ value }) => value && String(value)))
    expect(result.records.map(({ key }) => key && String(key))).toEqual(messages.map(({ key }) => key && String(key)))
    expect(result).toMatchObject({ nextOffset: messages.length, leaderEpoch: 0, transferredBytes: set.length })
    expect(result.records[0]?.headers).toEqual({
      trace: Buffer.from('abc'),
      several: [Buffer.from('1'), Buffer.from('2')],
    })
    expect(result.records[1]).toMatchObject({ offset: 1, timestamp: 1, headers: undefined })
    expect(offsetsOf((await fetched(kafka, topic, 3_000)).result)).toEqual([3_000, 3_001, 3_002, 3_003])
  })

  test('transactions are read when they were committed, and not when they were aborted', async () => {
    const topic = await kafka.createTopic(1, { config: { 'compression.type': 'zstd' } })
    const all: string[] = []
    for (const end of ['commit', 'abort', 'abort', 'commit'] as const) {
      const [one, other] = [await kafka.beginTransaction(), await kafka.beginTransaction()]
      // Their records interleave, and they end in the other order.
      await one.send(topic, [{ partition: 0, value: `one, ${end}` }])
      await other.send(topic, [{ partition: 0, value: 'other' }])
      await kafka.produce(topic, [{ partition: 0, value: 'plain' }])
      await one.send(topic, [{ partition: 0, value: `one again, ${end}` }])
      await other[end === 'commit' ? 'abort' : 'commit']()
      await one[end]()
      all.push(...(end === 'commit' ? [`one, ${end}`, 'plain', `one again, ${end}`] : ['other', 'plain']))
    }
    // A marker is written a moment after the end was acknowledged.
    await until('all markers are written', async () => (await fetched(kafka, topic)).result.nextOffset === 24)
    const { result, aborted } = await fetched(kafka, topic)
    expect(values(result.records)).toEqual(all)
    expect(aborted).toHaveLength(4)
    // From each offset, with what the broker lists for it.
    for (let from = 0; from < 24; from++) {
      const { records } = (await fetched(kafka, topic, from)).result
      const expected = result.records.filter(({ offset }) => offset >= from)
      expect(offsetsOf({ records })).toEqual(offsetsOf({ records: expected }))
    }
  })

  test('with log append time all records of a batch have the time of the broker', async () => {
    const config = { 'message.timestamp.type': 'LogAppendTime' }
    const topic = await kafka.createTopic(1, { config })
    const before = Date.now()
    await kafka.produce(
      topic,
      [1, 2, 3].map((n) => ({ partition: 0, value: String(n), timestamp: String(n) })),
    )
    const { result } = await fetched(kafka, topic)
    const times = new Set(result.records.map(({ timestamp }) => timestamp))
    expect(times.size).toBe(1)
    expect([...times][0]).toBeGreaterThanOrEqual(before)
    expect([...times][0]).toBeLessThanOrEqual(Date.now())
  })

  test("batches of Kafka's own producer are read", async () => {
    const topic = await kafka.createTopic(1)
    const lines = Array.from({ length: 2_000 }, (_, i) => `trace:${i}\tk${i}\tvalue ${i}`)
    const properties = ['parse.key=true', 'parse.headers=true'].flatMap((each) => ['--reader-property', each])
    for (const codec of ['gzip', 'snappy', 'lz4', 'zstd']) {
      const args = ['--bootstrap-server', kafka.brokers, '--topic', topic, '--compression-codec', codec, ...properties]
      const stdin = `${lines.join('\n')}\n`
      const { code, stderr } = await runTool('org.apache.kafka.tools.ConsoleProducer', args, { stdin })
      expect(code, stderr).toBe(0)
    }
    const { records } = (await fetched(kafka, topic)).result
    const expected = [0, 1, 2, 3].flatMap(() => lines)
    expect(records.map(({ key, value, headers }) => `trace:${headers?.trace}\t${key}\t${value}`)).toEqual(expected)
  })
})

const offsetsOf = ({ records }: { records: readonly { offset: number }[] }) => records.map(({ offset }) => offset)

describeKafka(
  'what Kafka compacts',
  () => {
    let own: Awaited<ReturnType<typeof startOwnBroker>> | undefined
    beforeAll(async () => {
      own = await startOwnBroker({ properties: { 'log.cleaner.backoff.ms': '100' } })
    })
    afterAll(() => own?.stop())

    test.each(['uncompressed', 'gzip', 'zstd'])(
      'the records that are left are read at their offsets: %s',
      async (codec) => {
        const { kafka } = own as NonNullable<typeof own>
        const topic = await kafka.createTopic(1, {
          config: {
            'compression.type': codec,
            'cleanup.policy': 'compact',
            'min.cleanable.dirty.ratio': '0.001',
            'segment.ms': '100',
            // Tombstones remain, in batches whose first timestamp is the time until which they do.
            'delete.retention.ms': '86400000',
          },
        })
        const latest = new Map<string, { offset: number; value: string | null; timestamp: number }>()
        let offset = 0
        const produce = async (count: number) => {
          const batch = Array.from({ length: count }, (_, i) => ({
            partition: 0,
            key: `k${(i * 7) % 40}`,
            value: i % 9 === 0 ? null : `value ${offset + i}`,
            timestamp: String(1_700_000_000_000 + offset + i),
          }))
          await kafka.produce(topic, batch)
          for (const { key, value, timestamp } of batch)
            latest.set(key, { offset: offset++, value, timestamp: Number(timestamp) })
        }
        await produce(60)
        await produce(25)
        // The segment that is written to is not compacted: each round begins another one, whose key no other has.
        const last = async () => {
          await kafka.produce(topic, [{ partition: 0, key: `end ${offset}`, value: 'end' }])
          offset++
        }
        await until(
          'all is compacted',
          async () => {
            await last()
            const { result } = await fetched(kafka, topic)
            return result.records.filter(({ offset }) => offset < 85).length === latest.size
          },
          40_000,
        )
        const { set, result } = await fetched(kafka, topic)
        const left = [...latest.values()].sort((a, b) => a.offset - b.offset)
        const read = result.records.filter(({ offset }) => offset < 85)
        expect(
          read.map(({ offset, timestamp, value }) => ({ offset, timestamp, value: value && String(value) })),
        ).toEqual(left)
        expect(set.readInt16BE(ATTRIBUTES) & 0x40).toBe(0x40)
      },
    )
  },
  { ownBroker: true },
)
