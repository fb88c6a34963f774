import { execFileSync } from 'node:child_process'
import { availableParallelism } from 'node:os'

/** What is measured has a core to itself. */
export const SERVER_CORE = 0
/** The load generator, this process, and the Kafka broker where there is one share the other. */
const LOAD_CORE = 1

const CORES_WANTED = 2

/** Pins this process, and with it whatever it starts from now on. */
export function pinThisProcess(): void {
  if (availableParallelism() < CORES_WANTED) throw new Error(`The bench needs ${CORES_WANTED} cores`)
  execFileSync('taskset', ['-acp', String(LOAD_CORE), String(process.pid)], { stdio: 'ignore' })
}
