import { join } from 'node:path'
import kafkajs from 'kafkajs'
import { type Broker, startBroker } from '../../deploy/kafka/broker.ts'
import { freePorts } from '../../deploy/kafka/probe.ts'
import { Child } from '../harness/child.ts'
import { anOrder, REGIONS } from '../harness/load.ts'
import { atMost, type Measure, type Scenario, type Settings, told } from '../harness/scenario.ts'
import { spreadOf } from '../harness/statistics.ts'

const MIB = 1024 * 1024
const WINDOW_MIB = 64
/** Beside the windows, with nobody connected. */
const MAX_BESIDE_MIB = 150
const MAX_DECODED_PER_KEPT = 1.3
const MAX_IDLE_MS = 10
const RECORDS = 1_000_000
const RECORDS_QUICK = 100_000
const BATCH = 5_000
const SEND_AT_ONCE = 4
/** Kafka allows more; 256 are the most that Sluice takes of a topic. */
const MAX_PARTITIONS = 200
const READY_TIMEOUT_MS = 120_000

interface Case {
  readonly name: string
  readonly topics: readonly { readonly name: string; readonly partitions: number }[]
  readonly records: number
}

interface Report {
  readonly readyMs: number
  readonly ownMs: number
  readonly decoded: number
  readonly kept: number
  readonly rss: number
  readonly idleMsPerSecond: number
}

function topicsOf(label: string, partitions: number, each = MAX_PARTITIONS): Case['topics'] {
  const count = Math.ceil(partitions / each)
  return Array.from({ length: count }, (_, i) => ({ name: `${label}-${i}`, partitions: Math.ceil(partitions / count) }))
}

function casesOf(records: number): Case[] {
  return [
    { name: '6 partitions, nothing in them', topics: topicsOf('empty-6', 6), records: 0 },
    { name: '600 partitions, nothing in them', topics: topicsOf('empty-600', 600), records: 0 },
    { name: '50 topics of 12 partitions, nothing in them', topics: topicsOf('idle', 600, 12), records: 0 },
    ...[2, 6, 12, 64, 600].map((partitions) => ({
      name: `${partitions} partitions, ${records.toLocaleString('en-US')} records`,
      topics: topicsOf(`full-${partitions}`, partitions),
      records,
    })),
  ]
}

async function fill(broker: Broker, { topics, records }: Case): Promise<void> {
  const kafka = new kafkajs.Kafka({ brokers: [broker.brokers], logLevel: kafkajs.logLevel.NOTHING })
  const admin = kafka.admin()
  await admin.connect()
  await admin.createTopics({
    topics: topics.map(({ name, partitions }) => ({ topic: name, numPartitions: partitions, replicationFactor: 1 })),
    waitForLeaders: true,
  })
  await admin.disconnect()
  if (records === 0) return
  const producer = kafka.producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner })
  await producer.connect()
  const sending = new Set<Promise<unknown>>()
  for (let from = 0; from < records; from += BATCH) {
    const messages = Array.from({ length: BATCH }, (_, i) => {
      const n = from + i
      const order = anOrder({ id: `ord_${n}`, merchantId: `m_${n % 5_000}`, region: REGIONS[n % 6] as string })
      const { name, partitions } = topics[n % topics.length] as Case['topics'][number]
      return {
        topic: name,
        message: { partition: n % partitions, key: order.merchantId, value: JSON.stringify(order) },
      }
    })
    const topicMessages = topics.map(({ name }) => ({
      topic: name,
      messages: messages.filter(({ topic }) => topic === name).map(({ message }) => message),
    }))
    const sent = producer.sendBatch({ topicMessages }).finally(() => sending.delete(sent))
    sending.add(sent)
    if (sending.size >= SEND_AT_ONCE) await Promise.race(sending)
  }
  await Promise.all(sending)
  await producer.disconnect()
}

async function startIn(broker: Broker, { topics }: Case, settings: Settings): Promise<Report> {
  const [port, adminPort] = (await freePorts(2)) as [number, number]
  const { tree = join(import.meta.dirname, '..', '..') } = settings
  const child = new Child({
    program: process.execPath,
    args: [join(tree, 'bench', 'systems', 'sluice-topics.ts')],
    env: {
      NODE_ENV: 'production',
      ANONYMOUS: 'true',
      LOG_LEVEL: 'warn',
      PORT: String(port),
      ADMIN_PORT: String(adminPort),
      KAFKA_BROKERS: broker.brokers,
      WINDOW_BYTES: String(WINDOW_MIB * MIB),
      TOPICS: topics.map(({ name }) => name).join(','),
    },
    measured: true,
  })
  try {
    return JSON.parse(await child.said('{"readyMs"', 0, READY_TIMEOUT_MS)) as Report
  } finally {
    await child.stop()
  }
}

export const start: Scenario = {
  name: 'start',
  load: 'a new process reads topics from Kafka until it is ready, with nobody connected; windows of 64 MiB',
  needs: ['kafka'],
  quick: false,
  async run(settings) {
    const cases = casesOf(settings.quick ? RECORDS_QUICK : RECORDS)
    const broker = await startBroker()
    const measures: Measure[] = []
    const series: { system: string; values: number[] }[] = []
    try {
      for (const each of cases) {
        await fill(broker, each)
        const reports: Report[] = []
        // The first round only warms up the broker.
        for (let round = -1; round < settings.rounds; round++) {
          const report = await startIn(broker, each, settings)
          if (round < 0) continue
          reports.push(report)
          const { readyMs, decoded, kept, rss, idleMsPerSecond } = report
          settings.say(
            `  ${each.name}: ready after ${Math.round(readyMs)} ms, ${decoded} decoded, ${kept} kept, ` +
              `${Math.round(rss / MIB)} MiB, idle ${idleMsPerSecond.toFixed(1)} ms/s`,
          )
        }
        const spread = (of: (report: Report) => number) => spreadOf(reports.map(of))
        series.push({ system: each.name, values: reports.map(({ readyMs }) => readyMs) })
        measures.push(
          told(
            `${each.name}: from its start to ready`,
            spread(({ readyMs }) => readyMs),
            'ms',
          ),
        )
        measures.push(
          told(
            `${each.name}: the same without the start of Node`,
            spread(({ ownMs }) => ownMs),
            'ms',
          ),
        )
        if (each.records === 0) {
          measures.push(
            atMost(
              `${each.name}: idle`,
              spread((report) => report.idleMsPerSecond),
              MAX_IDLE_MS,
              'ms/s',
            ),
          )
          continue
        }
        const perKept = spread(({ decoded, kept }) => decoded / kept)
        measures.push(atMost(`${each.name}: decoded of kept`, perKept, MAX_DECODED_PER_KEPT))
        const memory = spread(({ rss }) => rss / MIB)
        const limit = WINDOW_MIB * each.topics.length + MAX_BESIDE_MIB
        measures.push(atMost(`${each.name}: resident memory`, memory, limit, 'MiB'))
      }
    } finally {
      await broker.stop()
    }
    return { measures, plot: { title: 'From the start to ready', unit: 'ms', series }, notes: [] }
  },
}
