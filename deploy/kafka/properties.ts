/** A protocol that clients speak to a listener. */
export type ListenerProtocol = 'PLAINTEXT' | 'SSL' | 'SASL_PLAINTEXT' | 'SASL_SSL'

/** A single KRaft node that is broker and controller, small, on 127.0.0.1 only, as the lines of its properties file. */
export function serverProperties(options: {
  readonly data: string
  readonly ports: ReadonlyMap<ListenerProtocol, number>
  readonly controllerPort: number
  readonly overrides: Readonly<Record<string, string>>
}): string {
  const listeners = [...options.ports].map(([protocol, port]) => `${protocol}://127.0.0.1:${port}`).join(',')
  const properties: Record<string, string> = {
    'process.roles': 'broker,controller',
    'node.id': '1',
    'controller.quorum.voters': `1@127.0.0.1:${options.controllerPort}`,
    'controller.listener.names': 'CONTROLLER',
    'listener.security.protocol.map': [...options.ports.keys(), 'CONTROLLER']
      .map((name) => `${name}:${name === 'CONTROLLER' ? 'PLAINTEXT' : name}`)
      .join(','),
    listeners: `${listeners},CONTROLLER://127.0.0.1:${options.controllerPort}`,
    'advertised.listeners': listeners,
    'inter.broker.listener.name': 'PLAINTEXT',
    'log.dirs': options.data,
    'auto.create.topics.enable': 'false',
    // A production broker waits 3 s here for more members; nobody else joins the groups of a gateway.
    'group.initial.rebalance.delay.ms': '0',
    // Killed and started again, a broker is let in only when its former session is over: 9 s by default.
    'broker.session.timeout.ms': '3000',
    'broker.heartbeat.interval.ms': '500',
    // One node, so one replica of everything; and few partitions of the internal topics, which start faster.
    'default.replication.factor': '1',
    'offsets.topic.replication.factor': '1',
    'offsets.topic.num.partitions': '1',
    'transaction.state.log.replication.factor': '1',
    'transaction.state.log.min.isr': '1',
    'transaction.state.log.num.partitions': '1',
    'share.coordinator.state.topic.replication.factor': '1',
    'share.coordinator.state.topic.min.isr': '1',
    // Threads and buffers for one machine that runs clients too; the default dedupe buffer alone is 128 MiB.
    'num.network.threads': '2',
    'num.io.threads': '4',
    'background.threads': '2',
    'num.recovery.threads.per.data.dir': '2',
    'log.cleaner.dedupe.buffer.size': '16777216',
    ...options.overrides,
  }
  return Object.entries(properties)
    .map(([name, value]) => `${name}=${value.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}\n`)
    .join('')
}
