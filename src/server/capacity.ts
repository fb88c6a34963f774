import { readdir, stat } from 'node:fs/promises'
import { performance as hooks } from 'node:perf_hooks'
import { getHeapStatistics } from 'node:v8'
import type { Logger } from 'pino'
import type { Faults } from '../errors/faults.ts'
import { readOpenFilesLimit } from './descriptors.ts'

const CHECK_MS = 5_000
/** Part of a limit from which it is near. */
const NEAR = 0.8
/** Looked at so often in a row, it is: a start, or a burst of clients, makes the event loop busy for some seconds. */
const CHECKS = 3
/** While a limit stays near, it is said this often. */
const SAY_AGAIN_MS = 5 * 60_000

export interface Limit {
  readonly used: () => number
  readonly limit: number
}

/** How near this process is to what it can bear. */
export class Capacity {
  readonly #limits: Readonly<Record<string, Limit>>
  readonly #log: Logger
  readonly #faults: Faults
  readonly #saidAt = new Map<string, number>()
  /** How often in a row each was found near. */
  readonly #found = new Map<string, number>()
  readonly #timer: NodeJS.Timeout
  #loop = hooks.eventLoopUtilization()
  /** Part of the time in which the event loop did something, over the last few seconds. */
  eventLoopUtilization = 0
  openFiles = 0
  readonly openFilesLimit = readOpenFilesLimit()

  /** `limits` by name, beside those of the process: open files, memory and the event loop. */
  constructor(limits: Readonly<Record<string, Limit>>, log: Logger, faults: Faults) {
    const heap = getHeapStatistics().heap_size_limit
    // Without a control group it is more than any machine has.
    const memory = process.constrainedMemory() || Number.POSITIVE_INFINITY
    this.#log = log
    this.#faults = faults
    this.#limits = {
      open_files: { used: () => this.openFiles, limit: this.openFilesLimit },
      heap_bytes: { used: () => getHeapStatistics().used_heap_size, limit: heap },
      memory_bytes: { used: () => process.memoryUsage.rss(), limit: memory },
      event_loop: { used: () => this.eventLoopUtilization, limit: 1 },
      ...limits,
    }
    this.#timer = setInterval(() => {
      this.check().catch((error: unknown) => faults.tell('capacity', error))
    }, CHECK_MS)
    this.#timer.unref()
  }

  /** The names of all limits, and whether each is near. */
  *near(): Iterable<readonly [name: string, isNear: boolean]> {
    for (const name of Object.keys(this.#limits)) yield [name, (this.#found.get(name) ?? 0) >= CHECKS]
  }

  /** Looks at all limits, and warns of those that are near. It looks by itself, every few seconds. */
  async check(): Promise<void> {
    const loop = hooks.eventLoopUtilization()
    this.eventLoopUtilization = hooks.eventLoopUtilization(loop, this.#loop).utilization
    this.#loop = loop
    this.openFiles = await countOpenFiles(this.openFilesLimit)
    const now = performance.now()
    for (const [name, limit] of Object.entries(this.#limits))
      this.#faults.contain('capacity', () => this.#look(name, limit, now))
  }

  #look(name: string, { used, limit }: Limit, now: number): void {
    const value = used()
    const found = value < NEAR * limit ? 0 : (this.#found.get(name) ?? 0) + 1
    this.#found.set(name, found)
    if (found < CHECKS) return
    if (now < (this.#saidAt.get(name) ?? Number.NEGATIVE_INFINITY) + SAY_AGAIN_MS) return
    this.#saidAt.set(name, now)
    this.#log.warn({ name, used: value, limit }, 'Near a limit')
  }

  close(): void {
    clearInterval(this.#timer)
  }
}

/** `limit` where they cannot be counted, since all are in use. */
async function countOpenFiles(limit: number): Promise<number> {
  try {
    // From Linux 6.2 on the size of the folder is the number of its entries, which is cheaper than to list them.
    const { size } = await stat('/proc/self/fd')
    return size > 0 ? size : (await readdir('/proc/self/fd')).length
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EMFILE' ? limit : 0 // 0: another system
  }
}
