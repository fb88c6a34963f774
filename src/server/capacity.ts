import { readdir, stat } from 'node:fs/promises'
import { performance as hooks } from 'node:perf_hooks'
import { getHeapStatistics } from 'node:v8'
import type { Logger } from 'pino'
import type { Faults } from '../errors/faults.ts'
import { readOpenFilesLimit } from './descriptors.ts'

const CHECK_MS = 5_000
/** Utilization from which a limit is near. */
const NEAR = 0.8
/**
 * Debounce: consecutive checks before a limit is reported. A start, or a burst of clients, makes the event loop busy
 * for some seconds.
 */
const CHECKS = 3
/** Period of repeated warnings while a limit stays near. */
const SAY_AGAIN_MS = 5 * 60_000

export interface Limit {
  readonly used: () => number
  readonly limit: number
}

/** Utilization of this process's limits. */
export class Capacity {
  readonly #limits: Readonly<Record<string, Limit>>
  readonly #log: Logger
  readonly #faults: Faults
  readonly #saidAt = new Map<string, number>()
  /** Number of consecutive checks at which each limit was near. */
  readonly #found = new Map<string, number>()
  readonly #timer: NodeJS.Timeout
  #loop = hooks.eventLoopUtilization()
  /** Utilization of the event loop over the last few seconds. */
  eventLoopUtilization = 0
  openFiles = 0
  readonly openFilesLimit = readOpenFilesLimit()

  /** `limits` by name, beside those of the process: open files, memory and the event loop. */
  constructor(limits: Readonly<Record<string, Limit>>, log: Logger, faults: Faults) {
    const heap = getHeapStatistics().heap_size_limit
    // Without a control group it is larger than any machine's memory.
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

  /** All limits by name, with what is used of each now. */
  *all(): Iterable<{ readonly name: string; readonly used: number; readonly limit: number; readonly isNear: boolean }> {
    for (const [name, { used, limit }] of Object.entries(this.#limits))
      yield { name, used: used(), limit, isNear: (this.#found.get(name) ?? 0) >= CHECKS }
  }

  /** All limits by name, and whether each is near. */
  *near(): Iterable<readonly [name: string, isNear: boolean]> {
    for (const name of Object.keys(this.#limits)) yield [name, (this.#found.get(name) ?? 0) >= CHECKS]
  }

  /** Checks all limits, and warns of those that are near. It also runs periodically. */
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

/** `limit` where the descriptors cannot be counted, because all are in use. */
async function countOpenFiles(limit: number): Promise<number> {
  try {
    // From Linux 6.2 on the directory's size is the number of its entries, which is cheaper than a listing.
    const { size } = await stat('/proc/self/fd')
    return size > 0 ? size : (await readdir('/proc/self/fd')).length
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EMFILE' ? limit : 0 // 0: not Linux
  }
}
