import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { kafkaJars } from './install.ts'
import { onFreePorts } from './kafka-process.ts'
import { KafkaNode } from './node.ts'
import { freePorts, isFree } from './probe.ts'
import type { ListenerProtocol } from './properties.ts'
import { newClusterId } from './storage.ts'
import { type RunTool, runTool } from './tool.ts'

export { kafkaMissing } from './install.ts'
export type { ListenerProtocol } from './properties.ts'
export { runTool } from './tool.ts'

const BROKER_JVM = ['-Xms128m', '-Xmx512m']
const NODE_ID = 1

export interface BrokerOptions {
  /** Server properties that are added, or replace those in `properties.ts`. */
  readonly properties?: Readonly<Record<string, string>>
  /** Listeners beside the plaintext one, which is always there. What they need more goes into `properties`. */
  readonly listeners?: readonly ListenerProtocol[]
  /** The port of the plaintext listener; a free one, if absent. */
  readonly port?: number
  /** More arguments for formatting the storage, such as `--add-scram`. */
  readonly format?: readonly string[]
  readonly log?: (line: string) => void
}

export interface Broker {
  /** `127.0.0.1:PORT` of the plaintext listener. */
  readonly brokers: string
  /** Of the broker's Java process. */
  readonly pid: number
  /** `127.0.0.1:PORT` of another listener. */
  address(protocol: ListenerProtocol): string
  /** SIGKILL; the data is kept. */
  kill(): Promise<void>
  /** Starts it again after `kill`, on the same ports and data, and resolves when it answers. */
  restart(): Promise<void>
  /** Stops it in good order, and removes its data. */
  stop(): Promise<void>
  /** One of Kafka's own command line tools. */
  readonly run: RunTool
}

/**
 * Starts an Apache Kafka broker (KRaft, one node) on free ports of 127.0.0.1 with its data in a temporary folder, and
 * resolves when it answers.
 *
 * It does not outlive this process, even one that is killed with -9: a shell waits at the end of a pipe that closes
 * with us, kills the broker then, and removes its data.
 * @throws KafkaMissing when Java or the jars are not to be had; Error with the broker's last lines when it does not start.
 */
export async function startBroker(options: BrokerOptions = {}): Promise<Broker> {
  const jars = join(await kafkaJars(), '*')
  return onFreePorts(() => startOnce(jars, options), { fixed: options.port !== undefined, log: options.log })
}

async function startOnce(jars: string, options: BrokerOptions): Promise<Broker> {
  const protocols: ListenerProtocol[] = [...new Set<ListenerProtocol>(['PLAINTEXT', ...(options.listeners ?? [])])]
  const free = await freePorts(protocols.length + 1)
  const ports = new Map(protocols.map((protocol, i) => [protocol, free[i] as number]))
  if (options.port !== undefined) {
    if (!(await isFree(options.port))) throw new Error(`Port ${options.port} of 127.0.0.1 is in use`)
    ports.set('PLAINTEXT', options.port)
  }
  const node = new KafkaNode({
    jars,
    folder: await mkdtemp(join(tmpdir(), 'sluice-kafka-')),
    jvm: BROKER_JVM,
    id: NODE_ID,
    roles: 'broker,controller',
    ports,
    controller: { id: NODE_ID, port: free.at(-1) as number },
    brokers: 1,
    overrides: options.properties ?? {},
    format: options.format,
    log: options.log,
  })
  try {
    await node.format(newClusterId())
    await node.start()
  } catch (error) {
    await node.remove()
    throw error
  }

  return {
    brokers: node.address('PLAINTEXT'),
    get pid() {
      return node.pid
    },
    address: (protocol) => node.address(protocol),
    run: runTool,
    kill: () => node.end('SIGKILL'),
    async restart() {
      await node.end('SIGKILL')
      await node.start()
    },
    async stop() {
      await node.end('SIGTERM')
      await node.remove()
    },
  }
}
