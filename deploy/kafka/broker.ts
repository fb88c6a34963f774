import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { type Finished, kafkaJars, runProgram } from './install.ts'
import { answers, freePorts, isFree } from './probe.ts'
import { type ListenerProtocol, serverProperties } from './properties.ts'

export { KafkaMissing, kafkaMissing } from './install.ts'
export type { ListenerProtocol } from './properties.ts'

/** A cold Java on a busy machine; it takes about 3 s on a quiet one. */
const START_TIMEOUT_MS = 90_000
const PROBE_EVERY_MS = 50
const STOP_TIMEOUT_MS = 15_000
const TOOL_TIMEOUT_MS = 60_000
const PORT_FREE_TIMEOUT_MS = 10_000
/** Somebody else may take a port between our look and Kafka's bind. */
const PORT_ATTEMPTS = 5
/** What is told of a broker that does not start, without its stack traces. */
const TAIL_LINES = 25

const BROKER_JVM = ['-Xms128m', '-Xmx512m', '-XX:+UseSerialGC', '-XX:+ExitOnOutOfMemoryError']
/** Short runs: no optimizing compiler. */
const TOOL_JVM = ['-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1']
const QUIET = ['-Dorg.slf4j.simpleLogger.defaultLogLevel=warn', '-Dorg.slf4j.simpleLogger.showDateTime=true']

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
  /** One of Kafka's own command line tools, such as `org.apache.kafka.tools.TopicCommand`, with the broker's jars. */
  run(
    mainClass: string,
    args: readonly string[],
    options?: { stdin?: string | AsyncIterable<string>; timeoutMs?: number },
  ): Promise<Finished>
}

/** One of Kafka's own command line tools; it needs no broker of ours. */
export const runTool: Broker['run'] = async (mainClass, args, { stdin = '', timeoutMs = TOOL_TIMEOUT_MS } = {}) => {
  const jars = join(await kafkaJars(), '*')
  return runProgram('java', [...TOOL_JVM, ...QUIET, '-cp', jars, mainClass, ...args], { stdin, timeoutMs })
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
  for (let attempt = 1; ; attempt++) {
    try {
      return await startOnce(jars, options)
    } catch (error) {
      if (!(error instanceof PortTaken) || options.port !== undefined || attempt === PORT_ATTEMPTS) throw error
      options.log?.(`${error.message}; trying other ports`)
    }
  }
}

class PortTaken extends Error {}

async function startOnce(jars: string, options: BrokerOptions): Promise<Broker> {
  const protocols: ListenerProtocol[] = [...new Set<ListenerProtocol>(['PLAINTEXT', ...(options.listeners ?? [])])]
  const free = await freePorts(protocols.length + 1)
  const ports = new Map(protocols.map((protocol, i) => [protocol, free[i] as number]))
  if (options.port !== undefined) {
    if (!(await isFree(options.port))) throw new Error(`Port ${options.port} of 127.0.0.1 is in use`)
    ports.set('PLAINTEXT', options.port)
  }
  const port = ports.get('PLAINTEXT') as number

  const folder = await mkdtemp(join(tmpdir(), 'sluice-kafka-'))
  const remove = () => rm(folder, { recursive: true, force: true, maxRetries: 5 })
  const config = join(folder, 'server.properties')

  let running: Running
  try {
    const overrides = options.properties ?? {}
    const controllerPort = free.at(-1) as number
    await writeFile(config, serverProperties({ data: join(folder, 'data'), ports, controllerPort, overrides }))
    // A KRaft cluster id is 16 random bytes in base64url.
    const cluster = randomBytes(16).toString('base64url').replace(/^-/, 'A')
    const format = ['format', '-t', cluster, '-c', config, ...(options.format ?? [])]
    const formatted = await runTool('kafka.tools.StorageTool', format)
    if (formatted.code !== 0)
      throw new Error(`Kafka's storage was not formatted: ${formatted.stderr || formatted.stdout}`)
    running = await launch(jars, config, folder, port, options.log)
  } catch (error) {
    await remove()
    throw error
  }

  return {
    brokers: `127.0.0.1:${port}`,
    get pid() {
      return running.pid
    },
    address(protocol) {
      if (!ports.has(protocol)) throw new Error(`This broker has no ${protocol} listener`)
      return `127.0.0.1:${ports.get(protocol)}`
    },
    run: runTool,
    kill: () => running.end('SIGKILL'),
    async restart() {
      await running.end('SIGKILL')
      // The kernel may hold a killed process's sockets for a moment more.
      const deadline = Date.now() + PORT_FREE_TIMEOUT_MS
      while (!(await isFree(port)) && Date.now() < deadline) await delay(PROBE_EVERY_MS)
      running = await launch(jars, config, folder, port, options.log)
    },
    async stop() {
      await running.end('SIGTERM')
      await remove()
    },
  }
}

interface Running {
  readonly pid: number
  end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void>
}

/** Runs the broker until it answers; what it runs in, `folder`, is removed should this process die. */
async function launch(
  jars: string,
  config: string,
  folder: string,
  port: number,
  log: ((line: string) => void) | undefined,
): Promise<Running> {
  const args = [...BROKER_JVM, ...QUIET, `-Duser.dir=${folder}`, '-cp', jars, 'kafka.Kafka', config]
  // A process group of its own: a Ctrl-C in the terminal is for us, and we stop the broker in good order.
  const java = spawn('java', args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'], detached: true })
  const tail: string[] = []
  for (const output of [java.stdout, java.stderr]) {
    createInterface({ input: output }).on('line', (line) => {
      log?.(line)
      if (!line.startsWith('\tat ')) tail.push(line)
      if (tail.length > TAIL_LINES) tail.shift()
    })
  }
  let exited = false
  const exit = new Promise<void>((resolve) => {
    const ended = () => {
      exited = true
      resolve()
    }
    java.once('error', ended)
    java.once('close', ended)
  })
  const pid = java.pid
  if (pid === undefined) throw new Error('Java did not start')
  const watchdog = watch(pid, folder)
  void exit.then(() => watchdog.kill('SIGKILL'))

  const end = async (signal: 'SIGKILL' | 'SIGTERM') => {
    if (exited) return exit
    java.kill(signal)
    const timer = setTimeout(() => java.kill('SIGKILL'), STOP_TIMEOUT_MS)
    await exit
    clearTimeout(timer)
  }

  const deadline = Date.now() + START_TIMEOUT_MS
  while (!(await answers(port))) {
    if (exited || Date.now() > deadline) {
      await end('SIGKILL')
      const said = tail.join('\n')
      if (/already in use|BindException/.test(said)) throw new PortTaken(`Port ${port} was taken meanwhile`)
      throw new Error(`The Kafka broker ${exited ? 'ended' : 'did not answer'} at its start. Its last lines:\n${said}`)
    }
    await delay(PROBE_EVERY_MS)
  }
  return { pid, end }
}

/** Its standard input ends when this process does, however that comes about. */
function watch(pid: number, folder: string): ChildProcess {
  const script = 'read _; kill -9 "$1"; rm -rf "$2"'
  const watchdog = spawn('sh', ['-c', script, 'sh', String(pid), folder], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  })
  watchdog.on('error', () => {}) // without a shell the broker is still stopped by `stop`
  watchdog.unref()
  return watchdog
}
