import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { kafkaJars } from '../../deploy/kafka/install.ts'
import { QUIET } from '../../deploy/kafka/tool.ts'
import { until } from './until.ts'

/** Compiling its source, and a cold client on a busy machine. */
const START_TIMEOUT_MS = 60_000
const JVM = ['-Xmx192m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1']
const TAIL_LINES = 10

/** A record of the log, and when it came to somebody, or when its producer knew that it is in the log. */
export interface Placed {
  readonly partition: number
  readonly offset: number
  /** Milliseconds since the epoch. */
  readonly at: number
}

/** Kafka's own consumer, without a group, from its start on. */
export interface LogFollower {
  readonly clientId: string
  /** In the order in which they came. */
  readonly arrivals: Placed[]
  stop(): Promise<void>
}

export async function followLog(
  bootstrap: string,
  topic: string,
  { clientId, metadataMaxAgeMs }: { clientId: string; metadataMaxAgeMs: number },
): Promise<LogFollower> {
  const arrivals: Placed[] = []
  let isReady = false
  const program = await run('LogFollower.java', [bootstrap, topic, clientId, String(metadataMaxAgeMs)], (line) => {
    if (line === 'ready') isReady = true
    else {
      const [partition, offset, at] = line.split(' ').map(Number) as [number, number, number]
      arrivals.push({ partition, offset, at })
    }
  })
  await program.until("Kafka's own consumer follows the log", () => isReady)
  return { clientId, arrivals, stop: program.stop }
}

/** An idempotent Java producer. */
export interface AckedProducer {
  /** By the number of the line. */
  readonly acked: ReadonlyMap<number, Placed>
  /** The number of lines that were sent. */
  readonly sent: number
  /** Each a key, a tab and a value. */
  send(lines: readonly string[]): void
  /** All that was sent is in the log. */
  untilAcked(timeoutMs: number): Promise<void>
  stop(): Promise<void>
}

export async function startProducer(bootstrap: string, topic: string): Promise<AckedProducer> {
  const acked = new Map<number, Placed>()
  const failed: string[] = []
  let sent = 0
  const program = await run('OrderProducer.java', [bootstrap, topic], (line) => {
    const [number, partition, offset, at] = line.split(' ').map(Number) as [number, number, number, number]
    if (Number.isNaN(partition)) failed.push(line)
    else acked.set(number, { partition, offset, at })
  })
  return {
    acked,
    get sent() {
      return sent
    },
    send(lines) {
      sent += lines.length
      program.child.stdin?.write(lines.map((line) => `${line}\n`).join(''))
    },
    async untilAcked(timeoutMs) {
      const isDone = () => {
        if (failed.length > 0) throw new Error(`The producer failed: ${failed[0]}`)
        return acked.size === sent
      }
      await program.until('all orders are in the log', isDone, timeoutMs)
    },
    stop: program.stop,
  }
}

/** One of the programs in `java/`; it ends with its standard input, and so with this process. */
async function run(source: string, args: readonly string[], take: (line: string) => void) {
  const jars = join(await kafkaJars(), '*')
  const file = join(import.meta.dirname, 'java', source)
  const child: ChildProcess = spawn('java', [...JVM, ...QUIET, '-cp', jars, file, ...args], {
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  const tail: string[] = []
  let ended = false
  // Rejected: it could not be started.
  const end = Promise.allSettled([once(child, 'close')]).then(() => {
    ended = true
  })
  child.stdin?.on('error', () => {}) // its end says more than our broken pipe
  if (child.stdout) createInterface({ input: child.stdout }).on('line', take)
  if (child.stderr) {
    createInterface({ input: child.stderr }).on('line', (line) => {
      tail.push(line)
      if (tail.length > TAIL_LINES) tail.shift()
    })
  }
  return {
    child,
    until(what: string, holds: () => boolean, timeoutMs = START_TIMEOUT_MS): Promise<void> {
      return until(
        what,
        () => {
          if (ended) throw new Error(`${source} ended:\n${tail.join('\n')}`)
          return holds()
        },
        timeoutMs,
      )
    },
    async stop() {
      child.kill('SIGKILL')
      await end
    },
  }
}
