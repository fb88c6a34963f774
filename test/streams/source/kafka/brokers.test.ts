import { expect, test } from 'vitest'
import { type BrokerPool, Brokers } from '../../../../src/streams/source/kafka/brokers.ts'
import { SourceUnavailable } from '../../../../src/streams/source/port.ts'

const MIB = 1024 * 1024
const { signal } = new AbortController()
const wanted = (partition: number, offset = 0, topic = 't') => ({ topic, partition, offset, maxBytes: MIB })

interface Request {
  readonly maxBytes: number
  readonly topics: readonly [{ readonly topic: string; readonly partitions: readonly [{ partition: number }] }]
}

/** A pool whose brokers lead the partitions named, and answer when and what a test says. */
function poolOf(leaders: Record<string, number[]>) {
  const asked: string[] = []
  const sizes: number[] = []
  const answers: ((records?: object[], rest?: object) => void)[] = []
  const broker = (nodeId: number) => ({
    fetch({ maxBytes, topics: [{ topic, partitions }] }: Request) {
      asked.push(`${topic}/${partitions[0].partition} of ${nodeId}`)
      sizes.push(maxBytes)
      return new Promise<never>((resolve) => {
        answers.push((records = [], { lastStableOffset = '9', ...notes }: { lastStableOffset?: string } = {}) => {
          const messages = Object.assign(records, notes)
          resolve({ answers: [{ partitions: [{ lastStableOffset, messages }] }] } as never)
        })
      })
    },
    listOffsets: async () => ({ responses: [] }),
  })
  const pool = {
    metadata: null as BrokerPool['metadata'],
    connect: async () => {},
    disconnect: async () => {},
    async refreshMetadata([topic = '']: readonly string[]) {
      asked.push(`leaders of ${topic}`)
      await new Promise(setImmediate)
      const known = leaders[topic]
      if (!known) throw Object.assign(new Error(), { type: 'UNKNOWN_TOPIC_OR_PARTITION', retriable: true })
      const partitionMetadata = known.map((leader, partitionId) => ({ partitionId, leader }))
      pool.metadata = { topicMetadata: [{ topic, partitionMetadata }] }
    },
    findBroker: async ({ nodeId }: { nodeId: number }) => broker(nodeId) as never,
  }
  const turn = () => new Promise((resolve) => setTimeout(resolve))
  return { brokers: new Brokers(pool, (closed) => closed), asked, sizes, answers, turn, leaders }
}

const message = (offset: number, bytes = 1) => ({
  offset: String(offset),
  timestamp: '0',
  key: null,
  value: Buffer.alloc(bytes),
})

test('a broker is asked one thing at a time, and several brokers at once', async () => {
  const { brokers, asked, answers, turn } = poolOf({ t: [1, 1, 2] })
  const fetched = Promise.all([0, 1, 2].map((partition) => brokers.fetch(wanted(partition), signal)))
  await turn()
  await turn()
  expect(asked).toEqual(['leaders of t', 't/0 of 1', 't/2 of 2'])
  answers[0]?.()
  await turn()
  expect(asked.at(-1)).toBe('t/1 of 1')
  answers[1]?.()
  answers[2]?.()
  expect(await fetched).toHaveLength(3)
})

test('what was aborted before its turn is not asked', async () => {
  const { brokers, asked, answers, turn } = poolOf({ t: [1] })
  const aborting = new AbortController()
  const first = brokers.fetch(wanted(0, 1), signal)
  const second = expect(brokers.fetch(wanted(0, 2), aborting.signal)).rejects.toThrow('Enough')
  await turn()
  await turn()
  aborting.abort(new Error('Enough'))
  answers[0]?.()
  await Promise.all([first, second])
  expect(asked).toEqual(['leaders of t', 't/0 of 1'])
})

test('leaders of each topic are kept, and looked for again when one was wrong', async () => {
  const { brokers, asked, answers, turn, leaders } = poolOf({ t: [1], u: [2] })
  const fetch = async (topic: string) => {
    const fetched = brokers.fetch(wanted(0, 0, topic), signal)
    const before = answers.length
    while (answers.length === before) await turn()
    answers.at(-1)?.()
    await fetched
  }
  for (const topic of ['t', 'u', 't', 'u']) await fetch(topic)
  expect(asked).toEqual(['leaders of t', 't/0 of 1', 'leaders of u', 'u/0 of 2', 't/0 of 1', 'u/0 of 2'])
  leaders.t = [2]
  brokers.forgetLeader('t', 0)
  await fetch('t')
  expect(asked.slice(-2)).toEqual(['leaders of t', 't/0 of 2'])
})

test('a topic that Kafka does not know is no trouble of another', async () => {
  const { brokers, answers, turn } = poolOf({ t: [1] })
  const lost = expect(brokers.fetch(wanted(0, 0, 'lost'), signal)).rejects.toThrow(SourceUnavailable)
  const fetched = brokers.fetch(wanted(0), signal)
  await lost
  await turn()
  await turn()
  answers[0]?.([], { nextOffset: 4 })
  expect(await fetched).toMatchObject({ kind: 'records', nextOffset: 4, endOffset: 9 })
  await expect(brokers.fetch(wanted(1), signal)).rejects.toThrow('has no partition 1')
})

test('records of the batch before the offset are left out, and the end is never before what was read', async () => {
  const { brokers, answers, turn } = poolOf({ t: [1] })
  const fetched = brokers.fetch(wanted(0, 6), signal)
  await turn()
  await turn()
  answers[0]?.([message(4), message(6), message(8)], { nextOffset: 12 })
  expect(await fetched).toMatchObject({ records: [{ offset: 6 }, { offset: 8 }], nextOffset: 12, endOffset: 12 })
})

test('of a topic that compresses well, less is asked for', async () => {
  const { brokers, sizes, answers, turn } = poolOf({ t: [1] })
  for (const [offset, bytes] of [1_000, 1_000, 10].entries()) {
    const fetched = brokers.fetch(wanted(0, offset), signal)
    while (answers.length <= offset) await turn()
    answers[offset]?.([message(offset, bytes)], { nextOffset: offset + 1, bytes: 100 })
    await fetched
  }
  void brokers.fetch(wanted(0, 3), signal)
  while (sizes.length < 4) await turn()
  // Never more than was wanted, also where batches are larger than what a reader sees of them.
  expect(sizes).toEqual([MIB, Math.ceil(MIB / 10), Math.ceil(MIB / 10), MIB])
})
