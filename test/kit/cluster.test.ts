import { afterAll, beforeAll, expect, test } from 'vitest'
import { createKafka } from '../../src/streams/source/kafka/kafka.ts'
import { startTestCluster, type TestCluster } from './cluster.ts'
import { describeKafka } from './kafka.ts'
import { until } from './until.ts'

const PRINCIPAL = 'User:sluice'

describeKafka(
  'a cluster of three brokers',
  () => {
    let cluster: TestCluster
    beforeAll(async () => {
      cluster = await startTestCluster({ users: { sluice: 'secret' } })
    })
    afterAll(() => cluster?.stop())
    const topicOf = async (values: readonly string[]) => {
      const topic = await cluster.kafka.createTopic(3)
      await cluster.admin.produce(topic, 0, 'all', values)
      return topic
    }
    const valuesOf = async (topic: string) => (await cluster.admin.read(topic)).records.map(({ value }) => value)

    test('has each topic on all of them, and its leaders spread', async () => {
      const topic = await topicOf([])
      const partitions = await cluster.admin.describe(topic)
      expect(partitions.map(({ replicas }) => [...replicas].sort())).toEqual([
        [1, 2, 3],
        [1, 2, 3],
        [1, 2, 3],
      ])
      expect(new Set(partitions.map(({ leader }) => leader)).size).toBe(3)
    })

    test('reads and writes on while any of them is killed, stopped or frozen, and is whole again after it', async () => {
      const topic = await topicOf(['a'])
      const leaderOf = async () => (await cluster.admin.describe(topic))[0]?.leader
      for (const fail of ['kill', 'stop', 'freeze'] as const) {
        const leader = await leaderOf()
        const broker = cluster.brokers.find(({ id }) => id === leader)!
        await broker[fail]()
        await cluster.untilTopic(topic, 'another leads', ([first]) => ![leader, -1].includes(first!.leader))
        await cluster.admin.produce(topic, 0, 'all', [fail])
        expect(broker.isRunning).toBe(fail === 'freeze')
        if (fail === 'freeze') broker.thaw()
        else await broker.restart()
        await cluster.untilInSync(topic)
      }
      expect(await valuesOf(topic)).toEqual(['a', 'kill', 'stop', 'freeze'])
    }, 180_000)

    test('gets other leaders by reassignment, and those that it should have by preferred election', async () => {
      const topic = await topicOf(['a'])
      const untilLed = (leaders: string) =>
        cluster.untilTopic(topic, `${leaders} lead`, (states) => states.map(({ leader }) => leader).join() === leaders)
      await cluster.admin.reassign(topic, [[1, 2], [1, 2], [2, 1]]) // biome-ignore format: a partition each
      await cluster.admin.electLeaders(topic)
      await untilLed('1,1,2')
      await cluster.admin.reassign(topic, [[3, 2, 1], [2, 3, 1], [1, 2, 3]]) // biome-ignore format: a partition each
      await cluster.admin.electLeaders(topic)
      await untilLed('3,2,1')
      await cluster.admin.addPartitions(topic, 5)
      await cluster.untilTopic(topic, 'it has five partitions', ({ length }) => length === 5)
      expect(await valuesOf(topic)).toEqual(['a'])
    })

    test('refuses one topic to one principal, until it is admitted', async () => {
      const [denied, other] = [await topicOf(['a']), await topicOf(['b'])]
      const sasl = { mechanism: 'plain', username: 'sluice', password: 'secret' } as const
      const brokers = cluster.bootstrapOf('SASL_PLAINTEXT').split(',')
      const log = createKafka({ brokers, sasl, clientId: 'test', log: () => {} })
      const nextOf = (topic: string) =>
        log.source.ranges(topic).then(
          ([first]) => first?.next,
          () => undefined,
        )
      try {
        await until('it may read', async () => (await nextOf(denied)) === 1)
        await cluster.deny(denied, PRINCIPAL)
        await until('it may not', async () => (await nextOf(denied)) === undefined)
        expect(await nextOf(other)).toBe(1)
        await cluster.admit(denied, PRINCIPAL)
        await until('it may again', async () => (await nextOf(denied)) === 1)
      } finally {
        await log.close()
      }
    })

    test('has a topic without leaders while another is read, and then without the topic', async () => {
      const [topic, other] = [await topicOf(['a']), await topicOf(['b'])]
      const broker = cluster.brokers[2]!
      await cluster.makeLeaderless(topic, broker)
      expect((await cluster.admin.describe(topic)).map(({ leader }) => leader)).toEqual([-1, -1, -1])
      expect(await valuesOf(other)).toEqual(['b'])
      await broker.restart()
      await cluster.untilInSync(topic)
      expect(await valuesOf(topic)).toEqual(['a'])
      await cluster.deleteTopic(topic)
      await expect(cluster.admin.describe(topic)).rejects.toThrow(/UnknownTopic/)
    }, 120_000)

    test('slows down a client id with a quota', async () => {
      await cluster.admin.setQuota('slow', 20_000)
      const describe = ['--bootstrap-server', cluster.bootstrap, '--describe', '--entity-type', 'clients']
      const { stdout } = await cluster.run('kafka.admin.ConfigCommand', describe)
      expect(stdout).toMatch(/'slow' are consumer_byte_rate=20000/)
      await cluster.admin.setQuota('slow', null)
    })
  },
  { ownBroker: true },
)
