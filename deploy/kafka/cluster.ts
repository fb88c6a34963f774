import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Administrator } from './administrator.ts'
import { kafkaJars } from './install.ts'
import { onFreePorts } from './kafka-process.ts'
import { KafkaNode } from './node.ts'
import { freePorts, isFree } from './probe.ts'
import type { ListenerProtocol } from './properties.ts'
import { newClusterId } from './storage.ts'
import { type RunTool, runTool } from './tool.ts'

/** Apart from those of brokers, whatever their number. */
const CONTROLLER_ID = 100
/** Small heaps, and no optimizing compiler: at low rates it costs more CPU than it saves. */
const BROKER_JVM = ['-Xms96m', '-Xmx256m', '-XX:TieredStopAtLevel=1']
const CONTROLLER_JVM = ['-Xms48m', '-Xmx128m', '-XX:TieredStopAtLevel=1']
const PLAIN = 'org.apache.kafka.common.security.plain.PlainLoginModule'

export interface ClusterOptions {
  /** Three, if absent. */
  readonly brokers?: number
  /** Server properties of all nodes that are added, or replace those in `properties.ts`. */
  readonly properties?: Readonly<Record<string, string>>
  /** The port of the first broker's plaintext listener, the others' follow; free ones, if absent. */
  readonly firstPort?: number
  /**
   * Access control: users with their passwords for SASL/PLAIN, over listeners SASL_PLAINTEXT. They have no rights until
   * these are given by `admin.allow`; clients of the plaintext listeners may do everything.
   */
  readonly users?: Readonly<Record<string, string>>
  readonly log?: (line: string) => void
}

export interface ClusterBroker {
  readonly id: number
  /** `127.0.0.1:PORT` of the plaintext listener; the same after a restart. */
  readonly address: string
  /** Of its Java process, or of the last one. */
  readonly pid: number
  readonly isRunning: boolean
  /** `127.0.0.1:PORT` of another listener. */
  addressOf(protocol: ListenerProtocol): string
  /** SIGKILL; the data is kept. */
  kill(): Promise<void>
  /** SIGTERM: it hands over what it leads, and ends. The data is kept. */
  stop(): Promise<void>
  /** Starts it again; one that runs is stopped first. Resolves when it answers and is a member of the cluster. */
  restart(): Promise<void>
  /** SIGSTOP: it keeps its connections, and answers nothing. */
  freeze(): void
  thaw(): void
}

export interface Cluster {
  readonly brokers: readonly ClusterBroker[]
  /** The addresses of all plaintext listeners, comma separated, in the order of `brokers`. */
  readonly bootstrap: string
  /** The same of another listener. */
  bootstrapOf(protocol: ListenerProtocol): string
  readonly admin: Administrator
  /** One of Kafka's own command line tools. */
  readonly run: RunTool
  /** Stops all nodes, the controller last, and removes their data. */
  stop(): Promise<void>
}

/**
 * Starts an Apache Kafka cluster (KRaft) on free ports of 127.0.0.1 with its data in a temporary folder: brokers with
 * the racks r1, r2 and so on, and a controller of its own, so that any of the brokers may fail without taking the
 * quorum along. Topics have three replicas, and writers wait for two. Resolves when all brokers are members.
 *
 * It does not outlive this process, even one that is killed with -9 (see `launch`).
 * @throws KafkaMissing when Java or the jars are not to be had; Error with a node's last lines when it does not start.
 */
export async function startCluster(options: ClusterOptions = {}): Promise<Cluster> {
  const jars = join(await kafkaJars(), '*')
  return onFreePorts(() => startOnce(jars, options), { fixed: options.firstPort !== undefined, log: options.log })
}

async function startOnce(jars: string, options: ClusterOptions): Promise<Cluster> {
  const { brokers: count = 3, properties = {}, users, log } = options
  const protocols: ListenerProtocol[] = users ? ['PLAINTEXT', 'SASL_PLAINTEXT'] : ['PLAINTEXT']
  const free = await freePorts(count * protocols.length + 1)
  const plaintext = await plaintextPorts(count, free, options.firstPort)
  const controller = { id: CONTROLLER_ID, port: free.pop() as number }
  const root = await mkdtemp(join(tmpdir(), 'sluice-kafka-'))
  const overrides = { ...(users && accessControl(users)), ...properties }
  const common = { jars, root, controller, brokers: count, overrides, log }
  const quorum = new KafkaNode({
    ...common,
    id: CONTROLLER_ID,
    roles: 'controller',
    folder: join(root, 'controller'),
    jvm: CONTROLLER_JVM,
    ports: new Map(),
  })
  const nodes = plaintext.map((port, i) => {
    const id = i + 1
    const ports = new Map(protocols.map((protocol) => [protocol, protocol === 'PLAINTEXT' ? port : free.pop()!]))
    const folder = join(root, `broker-${id}`)
    return new KafkaNode({ ...common, id, roles: 'broker', folder, jvm: BROKER_JVM, ports, rack: `r${id}` })
  })
  const all = [quorum, ...nodes]
  const clusterId = newClusterId()
  try {
    await inParallel(all, (node) => node.format(clusterId))
    await inParallel(all, (node) => node.start())
  } catch (error) {
    await inParallel(all, (node) => node.end('SIGKILL'))
    await rm(root, { recursive: true, force: true, maxRetries: 5 })
    throw error
  }

  const bootstrapOf = (protocol: ListenerProtocol) => nodes.map((node) => node.address(protocol)).join(',')
  const admin = new Administrator(jars, bootstrapOf('PLAINTEXT'))
  return {
    brokers: nodes.map((node, i) => clusterBroker(i + 1, node)),
    bootstrap: bootstrapOf('PLAINTEXT'),
    bootstrapOf,
    admin,
    run: runTool,
    async stop() {
      await admin.close()
      await inParallel(nodes, (node) => node.end('SIGTERM'))
      await quorum.end('SIGTERM')
      await rm(root, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}

function clusterBroker(id: number, node: KafkaNode): ClusterBroker {
  return {
    id,
    address: node.address('PLAINTEXT'),
    get pid() {
      return node.pid
    },
    get isRunning() {
      return node.isRunning
    },
    addressOf: (protocol) => node.address(protocol),
    kill: () => node.end('SIGKILL'),
    stop: () => node.end('SIGTERM'),
    async restart() {
      await node.end('SIGTERM')
      await node.start()
    },
    freeze: () => node.signal('SIGSTOP'),
    thaw: () => node.signal('SIGCONT'),
  }
}

/** Takes them from the free ones, or those from `first` on. */
async function plaintextPorts(count: number, free: number[], first: number | undefined): Promise<number[]> {
  if (first === undefined) return free.splice(0, count)
  const ports = Array.from({ length: count }, (_, i) => first + i)
  for (const port of ports) {
    if (!(await isFree(port))) throw new Error(`Port ${port} of 127.0.0.1 is in use`)
  }
  return ports
}

function accessControl(users: Readonly<Record<string, string>>): Record<string, string> {
  const entries = Object.entries(users).map(([name, password]) => `user_${name}="${password}"`)
  return {
    'sasl.enabled.mechanisms': 'PLAIN',
    'listener.name.sasl_plaintext.plain.sasl.jaas.config': `${PLAIN} required ${entries.join(' ')};`,
    'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
    'super.users': 'User:ANONYMOUS', // clients of the plaintext listeners, and the nodes themselves
  }
}

/** All of them to their end, also where one fails. @throws what the first of them threw. */
async function inParallel(nodes: readonly KafkaNode[], act: (node: KafkaNode) => Promise<void>): Promise<void> {
  const results = await Promise.allSettled(nodes.map(act))
  const failed = results.find((result) => result.status === 'rejected')
  if (failed) throw failed.reason
}
