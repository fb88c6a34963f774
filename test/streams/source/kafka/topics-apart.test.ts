import { randomUUID } from 'node:crypto'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import { createKafka, type KafkaLog } from '../../../../src/streams/source/kafka/kafka.ts'
import type { SaslOptions } from '../../../../src/streams/source/kafka/options.ts'
import { Streams } from '../../../../src/streams/streams.ts'
import { defineTopic } from '../../../../src/streams/topic/topic.ts'
import { type BadBroker, lyingServer, silentServer } from '../../../kit/bad-brokers.ts'
import { startTestCluster, type TestCluster } from '../../../kit/cluster.ts'
import { ROOMY } from '../../../kit/feeds.ts'
import { describeKafka } from '../../../kit/kafka.ts'
import { recordedLog } from '../../../kit/log-lines.ts'
import { until } from '../../../kit/until.ts'

const sasl: SaslOptions = { mechanism: 'plain', username: 'sluice', password: 'secret' }
/** Ready by then, whatever a seed does. */
const READY_MS = 10_000
const TIMEOUT_MS = 180_000

describeKafka(
  'topics of a cluster',
  () => {
    let cluster: TestCluster
    beforeAll(async () => {
      cluster = await startTestCluster({ users: { sluice: 'secret' } })
    }, TIMEOUT_MS)
    afterAll(() => cluster?.stop())
    const closing: (() => Promise<void>)[] = []
    afterEach(async () => {
      for (const close of closing.splice(0).reverse()) await close()
    })
    const open = (brokers: readonly string[], credentials?: SaslOptions): KafkaLog => {
      const log = createKafka({ brokers, clientId: 'apart', ...(credentials && { sasl: credentials }), log: () => {} })
      closing.push(() => log.close())
      return log
    }
    /** Streams of topics that anything is an event of. */
    const start = (source: KafkaLog['source'], names: readonly string[], log = recordedLog()) => {
      const topics = names.map((name) => defineTopic(name, { schema: z.unknown() }))
      const streams = new Streams({ topics, source, limits: ROOMY, log: log.log })
      closing.push(() => streams.close())
      streams.start()
      return { streams, topics, lines: log.lines }
    }

    test(
      'one that is deleted, one that is denied and one without a leader wait by name, and the fourth goes on',
      async () => {
        const { kafka } = cluster
        const names = await Promise.all(
          ['good', 'deleted', 'denied', 'leaderless'].map((label) => kafka.createTopic(2, { label })),
        )
        const [good, deleted, denied, leaderless] = names as [string, string, string, string]
        const log = open(cluster.bootstrapOf('SASL_PLAINTEXT').split(','), sasl)
        const { streams, topics, lines } = start(log.source, names)
        await until('all are read', () => streams.readiness().ready)

        const events = streams.feed(topics[0]!).subscribe()
        let sent = 0
        let longestMs = 0
        /** An order goes through, at any time. */
        const pass = async () => {
          const since = performance.now()
          await kafka.produce(good, [{ value: String(++sent), partition: sent % 2 }])
          expect(await events.next()).toMatchObject({ value: { kind: 'event', value: sent } })
          longestMs = Math.max(longestMs, performance.now() - since)
        }
        const reasonOf = (name: string) => {
          const state = streams.states.get(name)
          return state?.kind === 'waiting' ? state.reason : undefined
        }
        const untilWaits = async (name: string, why: RegExp) => {
          for (const since = Date.now(); !why.test(reasonOf(name) ?? ''); ) {
            await pass()
            if (Date.now() - since > TIMEOUT_MS / 3) expect(reasonOf(name)).toMatch(why)
          }
        }
        await cluster.deleteTopic(deleted)
        await untilWaits(deleted, /does not know the topic/)
        await cluster.deny(denied, 'User:sluice')
        await untilWaits(denied, /does not permit this user|does not know the topic/)
        const stopping = cluster.makeLeaderless(leaderless)
        await untilWaits(leaderless, /has no leader/)
        await stopping
        for (let time = 0; time < 20; time++) await pass()
        console.log(
          `${sent} events of the fourth topic, each within ${Math.round(longestMs)} ms, its producer's time included`,
        )

        const state = streams.readiness()
        for (const name of [deleted, denied, leaderless]) {
          expect(state).toMatchObject({ ready: false, reason: expect.stringContaining(`Topic "${name}"`) })
          expect(lines.some(({ msg, topic }) => msg === 'Not reading' && topic === name)).toBe(true)
        }
        expect(state).toMatchObject({ reason: expect.not.stringContaining(good) })
        expect(streams.states.get(good)).toEqual({ kind: 'ready' })
        expect(lines.filter(({ msg, topic }) => msg === 'Not reading' && topic === good).length).toBeLessThanOrEqual(1)

        await cluster.brokers.at(-1)?.restart()
        await cluster.admit(denied, 'User:sluice')
        await until('the denied one is read again', () => streams.states.get(denied)?.kind === 'ready', TIMEOUT_MS / 3)
        await until('the third has leaders', () => streams.states.get(leaderless)?.kind === 'ready', TIMEOUT_MS / 3)
        await events.return()
      },
      TIMEOUT_MS,
    )

    test.each<[string, (brokers: readonly string[]) => Promise<BadBroker>]>([
      ['accepts connections and never answers', () => silentServer()],
      ['names addresses at which nobody is', (brokers) => lyingServer(brokers, 1)],
    ])(
      'a seed that %s, first of three, is left, for reading and for writing',
      async (_how, startBad) => {
        const brokers = cluster.bootstrap.split(',')
        const bad = await startBad(brokers)
        closing.push(() => bad.close())
        const topic = `seeded-${randomUUID()}`
        await cluster.admin.createTopic(topic, { partitions: 3 })
        const log = open([bad.address, ...brokers.slice(0, 2)])
        const since = performance.now()
        const { streams, topics } = start(log.source, [topic])
        await until('it is ready', () => streams.readiness().ready, READY_MS)
        const ready = performance.now() - since
        const events = streams.feed(topics[0]!).subscribe()
        const sending = performance.now()
        await log.sink.send(topic, [{ key: null, value: '1', partition: 1 }])
        expect(await events.next()).toMatchObject({ value: { value: 1 } })
        console.log(`ready after ${Math.round(ready)} ms, written after ${Math.round(performance.now() - sending)} ms`)
        await events.return()
      },
      TIMEOUT_MS,
    )
  },
  { ownBroker: true },
)
