import { afterAll, expect, test } from 'vitest'
import { runTool } from '../../../../deploy/kafka/broker.ts'
import { createKafka } from '../../../../src/streams/source/kafka/kafka.ts'
import { describeKafka } from '../../../kit/kafka.ts'
import { fetchAll, fetchRecords, type Records, valuesOf } from '../fetch-contract.ts'
import { from, Recorder } from '../port-contract.ts'

const CONSOLE_PRODUCER = 'org.apache.kafka.tools.ConsoleProducer'

describeKafka("Kafka's own producer", (kafka) => {
  let log: ReturnType<typeof createKafka> | undefined
  const open = () => {
    log ??= createKafka({ brokers: [kafka.brokers], clientId: 'producers', log: () => {} })
    return log
  }
  afterAll(() => log?.close())
  const produce = async (topic: string, lines: readonly string[], args: readonly string[]) => {
    const common = ['--bootstrap-server', kafka.brokers, '--topic', topic]
    const { code, stderr } = await runTool(CONSOLE_PRODUCER, [...common, ...args], { stdin: `${lines.join('\n')}\n` })
    if (code !== 0) throw new Error(stderr)
  }
  const readAll = async (topic: string, count: number) => {
    const reader = new Recorder(open().source, from(topic, {}))
    await reader.until(() => reader.records.length >= count, `${count} records`)
    await reader.stop()
    return reader
  }

  // Records that compress well, badly and not at all, and one larger than the windows of the formats.
  const lines = [
    ...Array.from({ length: 2_000 }, (_, i) => `{"id":"ord_${i}","amount":"${(i * 7919) % 1000}.00"}`),
    ...Array.from({ length: 200 }, () => crypto.randomUUID()),
    'ab'.repeat(100_000),
    'a',
  ]
  for (const codec of ['none', 'gzip', 'snappy', 'lz4', 'zstd']) {
    test(`batches compressed with ${codec} are read`, async () => {
      const topic = await kafka.createTopic(1)
      await produce(topic, lines, ['--compression-codec', codec, '--batch-size', '300000'])
      const reader = await readAll(topic, lines.length)
      expect(reader.values(0)).toEqual(lines)
      for (const start of [0, 1_234, 2_199]) {
        const { records } = await fetchAll(open().source, topic, start, { maxBytes: 5_000 })
        expect(valuesOf(records)).toEqual(lines.slice(start))
      }
    })
  }

  test('fetches of compressed batches are about as large as was asked for, once the first has shown how well they compress', async () => {
    const topic = await kafka.createTopic(1)
    const many = Array.from({ length: 20_000 }, (_, i) => `{"id":"ord_${i}","text":"${'abcdefghij'.repeat(20)}"}`)
    await produce(topic, many, ['--compression-codec', 'gzip', '--batch-size', '60000'])
    const { source } = open()
    const first = await fetchRecords(source, topic, 0, { maxBytes: 300_000 })
    const second = await fetchRecords(source, topic, first.nextOffset, { maxBytes: 300_000 })
    const sizeOf = ({ records }: Records) => valuesOf(records).reduce((sum, value) => sum + value.length, 0)
    expect(sizeOf(first)).toBeGreaterThan(1_000_000)
    expect(sizeOf(second)).toBeLessThan(600_000)
    const { records } = await fetchAll(source, topic, 0, { maxBytes: 300_000 })
    expect(valuesOf(records)).toEqual(many)
  })

  test('puts a key into the partition that the sink puts it into', async () => {
    const topic = await kafka.createTopic(7)
    const keys = Array.from({ length: 50 }, (_, i) => `m_${i}é`)
    const byJava = keys.map((key) => `${key}\tjava`)
    await produce(topic, byJava, ['--reader-property', 'parse.key=true'])
    await open().sink.send(
      topic,
      keys.map((key) => ({ key, value: 'sluice' })),
    )
    const { records } = await readAll(topic, 2 * keys.length)
    for (const key of keys) {
      const partitions = records.filter((each) => String(each.key) === key).map(({ partition }) => partition)
      expect(new Set(partitions).size).toBe(1)
      expect(partitions.length).toBe(2)
    }
  })
})
