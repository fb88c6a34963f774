import fc from 'fast-check'
import { expect } from 'vitest'
import { createKafka } from '../../src/streams/source/kafka/kafka.ts'
import type { OutgoingRecord, Source } from '../../src/streams/source/port.ts'
import type { TestKafka } from '../kit/kafka.ts'
import { STAMP_NAMES, type StampName } from '../kit/stamps.ts'
import { Statistics } from '../kit/statistics.ts'
import { Gate } from '../kit/two-instances.ts'
import { REAL } from './clock.ts'
import type { TestLog } from './log.ts'
import { run, schedules } from './schedules.ts'
import { CASES } from './world.ts'

/** Kafka's timestamps are 64-bit integers; NaN, fractions and the like are the embedded log's alone. */
const ODD_STAMPS: readonly StampName[] = ['microseconds', 'nanoseconds', 'beyond 48 bits', 'none, as Kafka says it']
/** A broker of version 4 refuses what is more than an hour ahead by default; earlier ones take it. */
const ANY_TIMESTAMP = { 'message.timestamp.after.max.ms': String(2n ** 63n - 1n) }
const takesStamp = (name: StampName) => ODD_STAMPS.includes(name)

/** What a few runs are sure to see; the rest is for many. */
const SEEN_BY_FEW = ['events', 'came to the same instance', 'came to the other instance', 'instance behind the cursor']

/** A log whose topic `paints` has another name in Kafka, so that each is one of its own. */
async function openTopic(kafka: TestKafka, source: Source, partitions: number): Promise<TestLog> {
  const topic = await kafka.createTopic(partitions, { label: 'paints', config: ANY_TIMESTAMP })
  return {
    source: {
      ...source,
      ranges: () => source.ranges(topic),
      ends: () => source.ends(topic),
      offsetsAt: (_topic, timestamp) => source.offsetsAt(topic, timestamp),
      fetch: (_topic, ...rest) => source.fetch(topic, ...rest),
    },
    epoch: undefined,
    async append(records: OutgoingRecord[]) {
      const messages = records.map(({ value, partition, timestamp }) => {
        return { key: null, value, partition: partition as number, timestamp: String(timestamp) }
      })
      await kafka.produce(topic, messages)
    },
    retain: (partition, earliest) => kafka.deleteRecords(topic, partition, earliest),
    grow: (total) => kafka.addPartitions(topic, total),
    // Left to the broker of the run: a producer fails for good once a topic that it has sent to is gone.
    close: async () => {},
  }
}

/** The property of `resume.test.ts` over topics of a real broker, whose pages, ranges and times it reads. */
export async function resumeOnKafka(kafka: TestKafka, runs: number): Promise<void> {
  const seen = CASES.filter((name) => !STAMP_NAMES.includes(name as StampName) || takesStamp(name as StampName))
  const statistics = new Statistics('resume on Kafka', runs >= 200 ? seen : SEEN_BY_FEW)
  const log = createKafka({ brokers: [kafka.brokers], clientId: 'resume', log: () => {} })
  const around = {
    clock: REAL,
    openLog: (partitions: number) => openTopic(kafka, log.source, partitions),
    gate: new Gate(),
    statistics,
    takesStamp,
  }
  let done = 0
  try {
    await fc.assert(
      fc.asyncProperty(schedules, async (schedule) => {
        await run({ ...schedule, options: { ...schedule.options, hasEpoch: false } }, around)
        done++
      }),
      { numRuns: runs, endOnFailure: true },
    )
    expect(done).toBe(runs)
  } finally {
    await log.close()
  }
  statistics.report()
}
