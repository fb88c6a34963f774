import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { QUIET, TOOL_JVM } from './tool.ts'

const SOURCE = join(import.meta.dirname, 'Administrator.java')
/** What is told of a program that ended by itself. */
const TAIL_LINES = 20

export interface PartitionState {
  readonly partition: number
  /** The id of a broker; -1: none. */
  readonly leader: number
  /** The first of them is the preferred leader. */
  readonly replicas: readonly number[]
  readonly isr: readonly number[]
}

export interface NewTopic {
  /** Six, if absent. */
  readonly partitions?: number
  /** By partition the brokers that are to have it, the preferred leader first; else Kafka chooses. */
  readonly replicas?: readonly (readonly number[])[]
  readonly config?: Readonly<Record<string, string>>
}

/** A right, or its refusal, on topics and groups of these names; `*` is any. */
export interface Access {
  /** Such as `User:sluice`; `User:*` is everybody. */
  readonly principal: string
  readonly topic?: string
  readonly group?: string
  /** All of them, if absent. */
  readonly operation?: 'ALL' | 'READ' | 'WRITE' | 'DESCRIBE'
}

export interface LogRecord {
  readonly partition: number
  readonly offset: number
  readonly key: string | null
  readonly value: string | null
}

/** By partition. */
export type Offsets = Readonly<Record<number, number>>

/**
 * Administers a cluster by Kafka's own client, in one Java program that is started by the first command and lives as
 * long as this process: a command line tool of Kafka takes a second or two for each. It does one command after the
 * other, and asks another broker if one does not answer.
 */
export class Administrator {
  readonly #jars: string
  readonly #bootstrap: string
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>()
  readonly #tail: string[] = []
  #child: ChildProcess | undefined
  #commands = 0

  constructor(jars: string, bootstrap: string) {
    this.#jars = jars
    this.#bootstrap = bootstrap
  }

  async createTopic(topic: string, { partitions = 6, replicas, config = {} }: NewTopic = {}): Promise<void> {
    await this.#ask('createTopic', { topic, config, ...(replicas ? { replicas } : { partitions }) })
  }

  async deleteTopic(topic: string): Promise<void> {
    await this.#ask('deleteTopic', { topic })
  }

  async addPartitions(topic: string, total: number): Promise<void> {
    await this.#ask('addPartitions', { topic, total })
  }

  /** Null: the default. */
  async setTopicConfig(topic: string, config: Readonly<Record<string, string | null>>): Promise<void> {
    await this.#ask('setTopicConfig', { topic, config })
  }

  describe(topic: string): Promise<readonly PartitionState[]> {
    return this.#ask('describe', { topic })
  }

  /** Makes the first replica of each partition its leader; unclean: any replica that is there, where there is no leader. */
  async electLeaders(topic: string, election: 'PREFERRED' | 'UNCLEAN' = 'PREFERRED'): Promise<void> {
    await this.#ask('electLeaders', { topic, election })
  }

  /** Resolves when the brokers have copied what they are to have. */
  async reassign(topic: string, replicas: readonly (readonly number[])[]): Promise<void> {
    await this.#ask('reassign', { topic, replicas })
  }

  /** What a broker gives to a client id, in bytes of responses to fetches a second; null: without a limit. */
  async setQuota(clientId: string, consumerByteRate: number | null): Promise<void> {
    await this.#ask('setQuota', { clientId, consumerByteRate })
  }

  async allow(access: Access): Promise<void> {
    await this.#ask('access', { ...access, permission: 'ALLOW' })
  }

  /** Precedes whatever is allowed. */
  async deny(access: Access): Promise<void> {
    await this.#ask('access', { ...access, permission: 'DENY' })
  }

  /** Takes back an `allow` or a `deny`. */
  async forget(access: Access, permission: 'ALLOW' | 'DENY'): Promise<void> {
    await this.#ask('access', { ...access, permission, remove: true })
  }

  /** Writes to one partition, without a retry, when its leader has them (1) or all in sync (all); returns the offsets. */
  produce(topic: string, partition: number, acks: '1' | 'all', values: readonly string[]): Promise<number[]> {
    return this.#ask('produce', { topic, partition, acks, values })
  }

  /** All committed records from these offsets (the oldest, where there is none) to the ends at this moment. */
  async read(topic: string, from: Offsets = {}): Promise<{ records: LogRecord[]; ends: Offsets }> {
    const { records, ends } = await this.#ask<{
      records: [number, number, string | null, string | null][]
      ends: Offsets
    }>('read', { topic, from })
    return { records: records.map(([partition, offset, key, value]) => ({ partition, offset, key, value })), ends }
  }

  async close(): Promise<void> {
    const child = this.#child
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const gone = once(child, 'close')
    child.kill('SIGKILL') // it keeps nothing
    await gone
  }

  #ask<T>(command: string, args: object): Promise<T> {
    const child = this.#start()
    const id = ++this.#commands
    const answer = Promise.withResolvers<unknown>()
    this.#waiting.set(id, answer)
    child.stdin?.write(`${JSON.stringify({ id, command, ...args })}\n`)
    return answer.promise as Promise<T>
  }

  #start(): ChildProcess {
    if (this.#child) return this.#child
    // It ends with its standard input, and so with this process.
    const child = spawn('java', [...TOOL_JVM, ...QUIET, '-cp', this.#jars, SOURCE, this.#bootstrap], {
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    this.#child = child
    createInterface({ input: child.stdout }).on('line', (line) => this.#answer(line))
    createInterface({ input: child.stderr }).on('line', (line) => {
      this.#tail.push(line)
      if (this.#tail.length > TAIL_LINES) this.#tail.shift()
    })
    child.stdin.on('error', () => {}) // its end says more than our broken pipe
    const ended = (error?: Error) => {
      this.#child = undefined
      const reason = `The administrator ended: ${error?.message ?? this.#tail.join('\n')}`
      for (const { reject } of this.#waiting.values()) reject(new Error(reason))
      this.#waiting.clear()
    }
    child.once('error', ended)
    child.once('close', () => ended())
    return child
  }

  #answer(line: string): void {
    const { id, value, error } = JSON.parse(line) as { id: number; value?: unknown; error?: string }
    const waiting = this.#waiting.get(id)
    this.#waiting.delete(id)
    if (error === undefined) waiting?.resolve(value)
    else waiting?.reject(new Error(error))
  }
}
