import { setTimeout as delay } from 'node:timers/promises'
import type { PartitionState } from '../../deploy/kafka/administrator.ts'
import { type Cluster, type ClusterBroker, type ClusterOptions, startCluster } from '../../deploy/kafka/cluster.ts'
import { type TestKafka, testKafka } from './kafka.ts'
import { until } from './until.ts'

/** A broker that was killed reads its logs, and copies what it has missed. */
const STATE_TIMEOUT_MS = 120_000
/** Slower than `until` looks: each look is work for the brokers that a test waits for. */
const LOOK_EVERY_MS = 100

export interface TestCluster extends Cluster {
  /** The kit's client of it, by the plaintext listeners. */
  readonly kafka: TestKafka
  /** Waits until the partitions of a topic are in a state. */
  untilTopic(topic: string, what: string, holds: (partitions: readonly PartitionState[]) => boolean): Promise<void>
  /** Every replica of the topic is there, and has what its leader has. */
  untilInSync(topic: string): Promise<void>
  deleteTopic(topic: string): Promise<void>
  /** Whatever `principal` (such as `User:sluice`) asks about the topic is refused, until `admit`. */
  deny(topic: string, principal: string): Promise<void>
  admit(topic: string, principal: string): Promise<void>
  /**
   * Moves the topic to one broker alone, the last if no other is given, and stops that: its partitions have no leader
   * until the broker is started again. Topics with other replicas get other leaders.
   */
  makeLeaderless(topic: string, broker?: ClusterBroker): Promise<void>
}

/**
 * A cluster of the caller's own. Use it in a `describeKafka` with `ownBroker`, which has made sure that it will start.
 * With `users`, all of these may do everything until they are denied it.
 */
export async function startTestCluster(options: ClusterOptions = {}): Promise<TestCluster> {
  const cluster = await startCluster(options)
  const { admin, brokers, bootstrap } = cluster
  const { kafka, close } = testKafka(() => bootstrap)
  if (options.users) await admin.allow({ principal: 'User:*', topic: '*', group: '*' })
  const untilTopic: TestCluster['untilTopic'] = async (topic, what, holds) => {
    const isSo = async () => {
      if (holds(await admin.describe(topic))) return true
      await delay(LOOK_EVERY_MS)
      return false
    }
    await until(`${what} (${topic})`, isSo, STATE_TIMEOUT_MS)
  }
  return {
    ...cluster,
    kafka,
    untilTopic,
    untilInSync: (topic) =>
      untilTopic(topic, 'all replicas are in sync', (partitions) =>
        partitions.every(({ leader, replicas, isr }) => leader >= 0 && isr.length === replicas.length),
      ),
    deleteTopic: (topic) => admin.deleteTopic(topic),
    deny: (topic, principal) => admin.deny({ topic, principal }),
    admit: (topic, principal) => admin.forget({ topic, principal }, 'DENY'),
    async makeLeaderless(topic, broker = brokers.at(-1) as ClusterBroker) {
      const partitions = await admin.describe(topic)
      // Writes with acks=all would fail with a single replica.
      await admin.setTopicConfig(topic, { 'min.insync.replicas': '1' })
      await admin.reassign(
        topic,
        partitions.map(() => [broker.id]),
      )
      await broker.stop()
      await untilTopic(topic, 'no partition has a leader', (states) => states.every(({ leader }) => leader < 0))
    },
    async stop() {
      await close()
      await cluster.stop()
    },
  }
}
