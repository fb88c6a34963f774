/** A protocol that clients speak to a listener. */
export type ListenerProtocol = 'PLAINTEXT' | 'SSL' | 'SASL_PLAINTEXT' | 'SASL_SSL'

export interface NodeProperties {
  /** Different for any two nodes of a cluster. */
  readonly id: number
  readonly roles: 'broker' | 'controller' | 'broker,controller'
  readonly data: string
  /** Of what clients connect to; none, if it is a controller only. */
  readonly ports: ReadonlyMap<ListenerProtocol, number>
  /** The cluster's one controller. */
  readonly controller: { readonly id: number; readonly port: number }
  /** How many brokers the cluster has: topics are replicated to as many of them, three at most. */
  readonly brokers: number
  readonly rack?: string | undefined
  readonly overrides: Readonly<Record<string, string>>
}

/** Kafka's own default, and what production clusters have. */
const MOST_REPLICAS = 3

/** A small KRaft node, on 127.0.0.1 only, as the lines of its properties file. */
export function serverProperties(node: NodeProperties): string {
  const { id, roles, data, ports, controller, rack, overrides } = node
  const listeners = [...ports].map(([protocol, port]) => `${protocol}://127.0.0.1:${port}`)
  const ofController = roles === 'broker' ? [] : [`CONTROLLER://127.0.0.1:${controller.port}`]
  const replicas = String(Math.min(MOST_REPLICAS, node.brokers))
  // Writers wait for two replicas, so that one broker may be down.
  const inSync = String(Math.min(2, node.brokers))
  const properties: Record<string, string> = {
    'process.roles': roles,
    'node.id': String(id),
    'controller.quorum.voters': `${controller.id}@127.0.0.1:${controller.port}`,
    'controller.listener.names': 'CONTROLLER',
    'listener.security.protocol.map': [...ports.keys(), 'CONTROLLER']
      .map((name) => `${name}:${name === 'CONTROLLER' ? 'PLAINTEXT' : name}`)
      .join(','),
    listeners: [...listeners, ...ofController].join(','),
    ...(listeners.length > 0 && {
      'advertised.listeners': listeners.join(','),
      'inter.broker.listener.name': 'PLAINTEXT',
    }),
    'log.dirs': data,
    'auto.create.topics.enable': 'false',
    // A production broker waits 3 s here for more members; nobody else joins the groups of a gateway.
    'group.initial.rebalance.delay.ms': '0',
    // Killed and started again, a broker is let in only when its former session is over: 9 s by default.
    'broker.session.timeout.ms': '3000',
    'broker.heartbeat.interval.ms': '500',
    'default.replication.factor': replicas,
    'offsets.topic.replication.factor': replicas,
    'transaction.state.log.replication.factor': replicas,
    'transaction.state.log.min.isr': inSync,
    'share.coordinator.state.topic.replication.factor': replicas,
    'share.coordinator.state.topic.min.isr': inSync,
    // As many partitions of the internal topics as brokers, so that each coordinates: few start faster than 50.
    'offsets.topic.num.partitions': String(node.brokers),
    'transaction.state.log.num.partitions': String(node.brokers),
    // Threads and buffers for one machine that runs clients too; the default dedupe buffer alone is 128 MiB.
    'num.network.threads': '2',
    'num.io.threads': '4',
    'background.threads': '2',
    'num.recovery.threads.per.data.dir': '2',
    'log.cleaner.dedupe.buffer.size': '16777216',
    ...(node.brokers > 1 && { 'min.insync.replicas': inSync }),
    ...(rack !== undefined && {
      'broker.rack': rack,
      // A consumer that says its rack reads from the replica in it.
      'replica.selector.class': 'org.apache.kafka.common.replica.RackAwareReplicaSelector',
    }),
    ...overrides,
  }
  return Object.entries(properties)
    .map(([name, value]) => `${name}=${value.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}\n`)
    .join('')
}
