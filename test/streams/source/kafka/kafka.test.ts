import { afterAll, afterEach, expect, test } from 'vitest'
import { createKafka, type KafkaLog } from '../../../../src/streams/source/kafka/kafka.ts'
import { describeKafka } from '../../../kit/kafka.ts'
import { fetchAll, fetchRecords, valuesOf } from '../fetch-contract.ts'
import { eventually, from, portContract, Recorder } from '../port-contract.ts'

describeKafka('Kafka', (kafka) => {
  let log: KafkaLog | undefined
  const open = () => {
    log ??= createKafka({ brokers: [kafka.brokers], clientId: 'contract', log: () => {} })
    return log
  }
  const readers = new Set<Recorder>()
  const read = (start: ReturnType<typeof from>): Recorder => {
    const reader = new Recorder(open().source, start)
    readers.add(reader)
    return reader
  }
  afterEach(async () => {
    const all = [...readers]
    readers.clear()
    await Promise.all(all.map((reader) => reader.stop()))
  })
  afterAll(() => log?.close())

  portContract(
    () => ({
      source: open().source,
      sink: open().sink,
      createTopic: (partitions) => kafka.createTopic(partitions),
      addPartitions: kafka.addPartitions,
      deleteRecords: kafka.deleteRecords,
      openAnother: () => createKafka({ brokers: [kafka.brokers], clientId: 'contract', log: () => {} }),
    }),
    { runs: 5 },
  )

  test("a reader passes the marker of a transaction that ends a partition, and the gateway's start is not held up", async () => {
    const topic = await kafka.createTopic(1)
    const transaction = await kafka.beginTransaction()
    await transaction.send(topic, [{ value: 'a' }, { value: 'b' }])
    await transaction.commit()
    // Two records, and the marker, which is written after the commit has been answered.
    await eventually(async () => expect((await open().source.ranges(topic))[0]?.next).toBe(3))
    const reader = read(from(topic, { 0: 0 }))
    await reader.until(() => reader.next(topic, 0) === 3)
    expect(reader.values(0)).toEqual(['a', 'b'])
  })

  test('a reader that stands before nothing but a marker passes it, and so it does with an aborted transaction', async () => {
    const topic = await kafka.createTopic(1)
    const transaction = await kafka.beginTransaction()
    await transaction.send(topic, [{ value: 'a' }, { value: 'b' }])
    await transaction.abort()
    await eventually(async () => expect((await open().source.ranges(topic))[0]?.next).toBe(3))
    for (const start of [0, 2]) {
      const reader = read(from(topic, { 0: start }))
      await reader.until(() => reader.next(topic, 0) === 3)
      expect(reader.records).toEqual([])
      const fetched = await fetchRecords(open().source, topic, start)
      expect(fetched).toEqual({ kind: 'records', records: [], nextOffset: 3, endOffset: 3 })
    }
  })

  test('a reader that has read everything passes a marker that comes later', async () => {
    const topic = await kafka.createTopic(1)
    const transaction = await kafka.beginTransaction()
    await transaction.send(topic, [{ value: 'a' }])
    const reader = read(from(topic, { 0: 0 }))
    await reader.until(() => reader.state?.kind === 'reading')
    await transaction.commit()
    await reader.until(() => reader.next(topic, 0) === 2)
    expect(reader.values(0)).toEqual(['a'])
  })

  test('records of aborted transactions are never delivered, however they interleave', async () => {
    const topic = await kafka.createTopic(1)
    const [one, two, three] = await Promise.all([
      kafka.beginTransaction(),
      kafka.beginTransaction(),
      kafka.beginTransaction(),
    ])
    // A key of four zero bytes looks like the marker of an abort to a careless reader.
    await one.send(topic, [{ key: Buffer.alloc(4), value: 'aborted 1' }])
    await two.send(topic, [{ value: 'aborted 2' }])
    await three.send(topic, [{ value: 'committed 3' }])
    await kafka.produce(topic, [{ value: 'plain' }])
    await one.send(topic, [{ value: 'aborted 1 again' }])
    await two.send(topic, [{ value: 'aborted 2 again' }])
    await two.abort()
    await three.send(topic, [{ value: 'committed 3 again' }])
    await three.commit()
    await one.abort()
    const end = 10 // seven records and three markers
    await eventually(async () => expect((await open().source.ranges(topic))[0]?.next).toBe(end))
    for (const start of [0, 1, 3, 5]) {
      const reader = read(from(topic, { 0: start }))
      await reader.until(() => reader.next(topic, 0) === end)
      const committed = ['committed 3', 'plain', 'committed 3 again']
      expect(reader.values(0)).toEqual(committed.slice(start > 3 ? 2 : start > 2 ? 1 : 0))
      // The same in fetches, of everything at once and of a batch each.
      for (const maxBytes of [1_000_000, 1]) {
        const { records, next } = await fetchAll(open().source, topic, start, { maxBytes })
        expect([valuesOf(records), next]).toEqual([reader.values(0), end])
      }
    }
  })

  test('an open transaction is not waited for: the end of the log is before it', async () => {
    const topic = await kafka.createTopic(1)
    await kafka.produce(topic, [{ value: 'before' }])
    const transaction = await kafka.beginTransaction()
    await transaction.send(topic, [{ value: 'open' }])
    expect((await open().source.ranges(topic))[0]?.next).toBe(1)
    const reader = read(from(topic, { 0: 0 }))
    await reader.until(() => reader.next(topic, 0) === 1)
    expect(reader.values(0)).toEqual(['before'])
    const { source } = open()
    expect(await fetchRecords(source, topic, 0)).toMatchObject({
      records: [{ offset: 0 }],
      nextOffset: 1,
      endOffset: 1,
    })
    expect(await fetchRecords(source, topic, 1)).toMatchObject({ records: [], nextOffset: 1, endOffset: 1 })
    // Within the transaction, where nobody is who reads what is committed; the broker has it all the same.
    expect(await fetchRecords(source, topic, 2)).toMatchObject({ records: [], nextOffset: 2 })
    await transaction.commit()
    await reader.until(() => reader.next(topic, 0) === 3)
    expect(reader.values(0)).toEqual(['before', 'open'])
    expect(valuesOf((await fetchAll(source, topic, 0)).records)).toEqual(['before', 'open'])
  })

  test('a topic that was deleted and recreated is a gap, and all of the new one is read', async () => {
    const topic = await kafka.createTopic(1)
    await kafka.produce(topic, [{ value: '1' }, { value: '2' }, { value: '3' }])
    const reader = read(from(topic, { 0: 0 }))
    await reader.until(() => reader.records.length === 3)
    await kafka.deleteTopic(topic)
    await reader.until(() => reader.state?.kind === 'waiting')
    await kafka.createTopicNamed(topic, 1)
    await kafka.produce(topic, [{ value: 'new' }])
    await reader.until(() => reader.records.length === 4)
    expect(reader.gaps).toEqual([{ kind: 'gap', topic, partition: 0, from: 3, to: 0, reason: 'truncation' }])
    expect(reader.values(0)).toEqual(['1', '2', '3', 'new'])
  })

  test('a reader waits for a topic that is not there yet, and says so', async () => {
    const topic = `later-${crypto.randomUUID()}`
    const reader = read(from(topic, {}))
    const waits = (why: RegExp) => reader.states.some((state) => state.kind === 'waiting' && why.test(state.reason))
    await reader.until(() => waits(/does not know the topic/))
    await kafka.createTopicNamed(topic, 1)
    await kafka.produce(topic, [{ value: 'first' }])
    await reader.until(() => reader.values(0)[0] === 'first')
    expect(reader.state).toEqual({ kind: 'reading' })
  })

  test('a topic with more than 256 partitions is refused', async () => {
    const topic = await kafka.createTopic(257)
    await expect(open().source.ranges(topic)).rejects.toThrow('257 partitions, and 256 are the most')
    const reader = read(from(topic, {}))
    await reader.until(() => reader.states.some((state) => state.kind === 'waiting' && /257/.test(state.reason)))
    expect(reader.calls).toBe(reader.states.length)
    await reader.stop()
    readers.delete(reader)
    await kafka.deleteTopic(topic)
  })
})
