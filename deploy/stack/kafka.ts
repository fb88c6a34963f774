import { setTimeout as delay } from 'node:timers/promises'
import { type Broker, startBroker } from '../kafka/broker.ts'

const TAIL_LINES = 20
const LOOK_EVERY_MS = 500

export interface StackKafka {
  readonly broker: Broker
  /** Resolves with what it said last when it has ended by itself. */
  readonly died: Promise<string>
  stop(): Promise<void>
}

/** A broker, with a topic in it, and one of which the latest value of each key is kept. */
export async function startKafka(port: number, topic: string, table: string, partitions: number): Promise<StackKafka> {
  const tail: string[] = []
  const log = (line: string): void => {
    tail.push(line)
    if (tail.length > TAIL_LINES) tail.shift()
  }
  const broker = await startBroker({ port, log })
  try {
    for (const [name, ...config] of [[topic], [table, '--config', 'cleanup.policy=compact']] as [
      string,
      ...string[],
    ][]) {
      const create = ['--create', '--topic', name, '--partitions', String(partitions), ...config]
      const args = ['--bootstrap-server', broker.brokers, ...create]
      const created = await broker.run('org.apache.kafka.tools.TopicCommand', args)
      if (created.code !== 0) throw new Error(`The topic ${name} was not created: ${created.stderr || created.stdout}`)
    }
  } catch (error) {
    await broker.stop()
    throw error
  }
  const stopped = new AbortController()
  return {
    broker,
    died: deathOf(broker.pid, stopped.signal).then(() => `Kafka ended\n${tail.map((line) => `  ${line}`).join('\n')}`),
    stop() {
      stopped.abort()
      return broker.stop()
    },
  }
}

/** A broker tells nobody of its end: it is looked for. Never resolves once `signal` is aborted. */
async function deathOf(pid: number, signal: AbortSignal): Promise<void> {
  while (!signal.aborted && isAlive(pid)) await delay(LOOK_EVERY_MS, undefined, { ref: false })
  if (signal.aborted) await new Promise(() => {})
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false // our own child: it can only be gone
  }
}
