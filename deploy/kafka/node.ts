import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type KafkaProcess, launch } from './kafka-process.ts'
import { answers, listens, untilFree } from './probe.ts'
import { type ListenerProtocol, type NodeProperties, serverProperties } from './properties.ts'
import { formatStorage } from './storage.ts'

export interface NodeOptions extends Omit<NodeProperties, 'data'> {
  readonly jars: string
  /** Its own; made if it is not there. */
  readonly folder: string
  /** A folder around it that is removed with the last node in it, should this process die. */
  readonly root?: string
  readonly jvm: readonly string[]
  /** More arguments for formatting the storage. */
  readonly format?: readonly string[] | undefined
  readonly log?: ((line: string) => void) | undefined
}

/** One Kafka server, broker or controller or both, on the same ports and data each time that it is started. */
export class KafkaNode {
  readonly #options: NodeOptions
  readonly #config: string
  readonly #port: number
  #process: KafkaProcess | undefined

  constructor(options: NodeOptions) {
    this.#options = options
    this.#config = join(options.folder, 'server.properties')
    this.#port = options.ports.get('PLAINTEXT') ?? options.controller.port
  }

  /** Of its Java process, or of the last one. */
  get pid(): number {
    if (!this.#process) throw new Error('This node has not been started')
    return this.#process.pid
  }

  get isRunning(): boolean {
    return this.#process?.isRunning ?? false
  }

  /** `127.0.0.1:PORT` of a listener. */
  address(protocol: ListenerProtocol): string {
    const port = this.#options.ports.get(protocol)
    if (port === undefined) throw new Error(`This broker has no ${protocol} listener`)
    return `127.0.0.1:${port}`
  }

  /** Writes its properties, and formats its storage. */
  async format(clusterId: string): Promise<void> {
    const { folder, format } = this.#options
    await mkdir(folder, { recursive: true })
    await writeFile(this.#config, serverProperties({ ...this.#options, data: join(folder, 'data') }))
    await formatStorage(clusterId, this.#config, format)
  }

  /** Resolves when it is up: a broker, when it answers and is a member of its cluster. */
  async start(): Promise<void> {
    const { jars, folder, root, jvm, log, roles } = this.#options
    const port = this.#port
    // The kernel may hold a killed process's sockets for a moment more.
    await untilFree(port)
    const isUp = () => (roles === 'controller' ? listens(port) : answers(port))
    this.#process = await launch({ jars, folder, root, config: this.#config, jvm, port, isUp, log })
  }

  /** Resolves when it is down; the data is kept. */
  async end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    await this.#process?.end(signal)
  }

  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.#process?.signal(signal)
  }

  async remove(): Promise<void> {
    await rm(this.#options.folder, { recursive: true, force: true, maxRetries: 5 })
  }
}
