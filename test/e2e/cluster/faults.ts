import { setTimeout as delay } from 'node:timers/promises'
import type { ClusterBroker } from '../../../deploy/kafka/cluster.ts'
import { until } from '../../kit/until.ts'
import { nameOf, someOrders } from '../order-log.ts'
import { REGION } from './clients.ts'
import { TOPIC, type World } from './world.ts'

/** How long a fault lasts, ms, and how long the cluster is left alone after it, before it is looked at. */
export interface Durations {
  readonly down: number
  readonly frozen: number
  readonly throttled: number
  readonly calm: number
  /** Whether another gateway is started while a broker is frozen, and how long it takes to be ready is told. */
  readonly anotherGateway: boolean
}

export interface Fault {
  readonly name: string
  /** Planned by whoever runs the cluster: at least one gateway has to be ready all the time. */
  readonly isPlanned?: boolean
  /** Resolves when nothing fails any more, with what there is to tell about it. */
  run(world: World, durations: Durations): Promise<string>
}

/** Of each broker, which would give a client some 30 KB/s of 300 orders a second. */
const QUOTA_BYTES_PER_SECOND = 20_000
const MORE_PARTITIONS = 12
/** Written to one broker alone, and lost with it. */
const LOST_ORDERS = 50
const SEED_OF_LOST = 5_000
const MOVED_TIMEOUT_MS = 60_000

const brokerOf = ({ cluster }: World, id: number): ClusterBroker =>
  cluster.brokers.find((broker) => broker.id === id) as ClusterBroker

const statesOf = ({ cluster }: World) => cluster.admin.describe(TOPIC)

async function leaderOf(world: World, partition: number): Promise<number> {
  return (await statesOf(world))[partition]?.leader ?? -1
}

const killOfALeader: Fault = {
  name: 'kill -9 of a leader',
  async run(world, { down }) {
    const leader = brokerOf(world, await leaderOf(world, 0))
    await leader.kill()
    await delay(down)
    await leader.restart()
    return `broker ${leader.id}`
  },
}

/** A broker that keeps its connections, and answers nothing. */
function freeze(place: number, name: string): Fault {
  return {
    name: `SIGSTOP of a broker, ${name} in KAFKA_BROKERS`,
    async run(world, { frozen, anotherGateway }) {
      const broker = world.cluster.brokers[place] as ClusterBroker
      broker.freeze()
      const thawed = delay(frozen).then(() => broker.thaw())
      if (!anotherGateway) {
        await thawed
        return `broker ${broker.id}`
      }
      const began = performance.now()
      const gateway = await world.anotherGateway()
      try {
        const ready = gateway.untilReady(frozen).then(
          () => `was ready after ${((performance.now() - began) / 1000).toFixed(1)} s`,
          () => 'was not ready meanwhile',
        )
        await thawed
        return `broker ${broker.id}; another gateway ${await ready}`
      } finally {
        await gateway.kill()
      }
    },
  }
}

const rollingRestart: Fault = {
  name: 'graceful restart of all brokers, one by one',
  isPlanned: true,
  async run(world) {
    for (const broker of world.cluster.brokers) {
      await broker.restart()
      await world.cluster.untilInSync(TOPIC)
    }
    return ''
  },
}

const preferredElection: Fault = {
  name: 'preferred election of other leaders',
  isPlanned: true,
  async run(world) {
    const { admin } = world.cluster
    const before = await statesOf(world)
    // Each partition prefers another of its replicas than the one that leads it.
    const replicas = before.map(({ leader, replicas: all }) => [...all.filter((id) => id !== leader), leader])
    await admin.reassign(TOPIC, replicas)
    await admin.electLeaders(TOPIC)
    await world.cluster.untilTopic(TOPIC, 'all partitions have another leader', (states) =>
      states.every(({ leader, partition }) => leader === replicas[partition]?.[0]),
    )
    return `${before.length} leaders moved`
  },
}

const reassignment: Fault = {
  name: 'reassignment away from the leaders, and back',
  isPlanned: true,
  async run(world) {
    const { admin } = world.cluster
    const before = await statesOf(world)
    await admin.reassign(
      TOPIC,
      before.map(({ leader, replicas }) => replicas.filter((id) => id !== leader)),
    )
    await admin.reassign(
      TOPIC,
      before.map(({ replicas }) => replicas),
    )
    return `${before.length} partitions, copied again to where they had been`
  },
}

const morePartitions: Fault = {
  name: `6 to ${MORE_PARTITIONS} partitions`,
  isPlanned: true,
  async run(world) {
    const began = Date.now()
    const from = world.load.sent
    await world.cluster.admin.addPartitions(TOPIC, MORE_PARTITIONS)
    const used = () => new Set(world.load.placed(from).map(({ partition }) => partition)).size === MORE_PARTITIONS
    await until('the producer uses all partitions', used, MOVED_TIMEOUT_MS)
    return `used after ${((Date.now() - began) / 1000).toFixed(1)} s`
  },
}

const quota: Fault = {
  name: `a quota of ${QUOTA_BYTES_PER_SECOND / 1000} KB/s a client`,
  async run(world, { throttled }) {
    const { admin } = world.cluster
    for (const clientId of world.clientIds) await admin.setQuota(clientId, QUOTA_BYTES_PER_SECOND)
    await delay(throttled)
    for (const clientId of world.clientIds) await admin.setQuota(clientId, null)
    return ''
  },
}

/** One broker goes on alone, is lost with what it alone had, and the others go on without that. */
const uncleanElection: Fault = {
  name: 'unclean election',
  async run(world) {
    const { admin } = world.cluster
    const config = { 'unclean.leader.election.enable': 'true', 'min.insync.replicas': '1' }
    await admin.setTopicConfig(TOPIC, config)
    // Where consumers are in groups, one broker alone must be able to coordinate them; else there is no such topic.
    const groups = { 'min.insync.replicas': '1' }
    await admin.setTopicConfig('__consumer_offsets', groups).catch((error: Error) => {
      if (!/UnknownTopic/.test(error.message)) throw error
    })
    await world.load.pause()
    const leader = brokerOf(world, await leaderOf(world, 0))
    const followers = world.cluster.brokers.filter((broker) => broker !== leader)
    await Promise.all(followers.map((broker) => broker.kill()))
    await world.cluster.untilTopic(TOPIC, 'one broker has all partitions alone', (states) =>
      states.every(({ isr }) => isr.join() === String(leader.id)),
    )

    const orders = someOrders(LOST_ORDERS, SEED_OF_LOST).map((order, i) => ({
      ...order,
      id: `lost-${i}`,
      region: REGION,
    }))
    for (const order of orders) world.gone.add(nameOf(order))
    await admin.produce(
      TOPIC,
      0,
      '1',
      orders.map((order) => JSON.stringify(order)),
    )
    const cameToAll = () => world.clients.every(({ names }) => [...world.gone].every((name) => names.has(name)))
    await until('every client has what will be lost', cameToAll, MOVED_TIMEOUT_MS)

    await leader.kill()
    await Promise.all(followers.map((broker) => broker.restart()))
    const others = followers.map(({ id }) => id)
    await world.cluster.untilTopic(TOPIC, 'the others lead', (states) =>
      states.every((state) => others.includes(state.leader)),
    )
    world.load.resume()
    await leader.restart()
    await world.cluster.untilInSync(TOPIC)
    await admin.setTopicConfig(TOPIC, Object.fromEntries(Object.keys(config).map((name) => [name, null])))
    return `${LOST_ORDERS} orders lost by the log`
  },
}

export const FAULTS: readonly Fault[] = [
  killOfALeader,
  freeze(0, 'first'),
  rollingRestart,
  freeze(1, 'second'),
  freeze(2, 'last'),
  preferredElection,
  reassignment,
  morePartitions,
  quota,
  uncleanElection,
]
