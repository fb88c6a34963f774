import { REPLAYS } from '../../streams/turn-budget.ts'
import type { ClientShare } from '../outlet.ts'

/** Work that may take longer than one turn of the event loop should. */
export interface Worker {
  /** Whom its time is charged to; absent: nobody. */
  readonly share?: ClientShare | undefined
  /** Does a part of the work. True: there is more. */
  step(): boolean
  /** `step` threw: the worker is removed. Should not throw. */
  failed(error: unknown): void
}

/** Round robin scheduler: each worker does one step in turn, in time slices with other events in between. */
export class RoundRobin<W extends Worker> {
  #queue: W[] = []
  #next = 0
  readonly #waiting = new Set<W>()
  readonly #failed: (error: unknown) => void
  #scheduled: NodeJS.Immediate | undefined

  /** `failed` is called where a worker's own `failed` throws. */
  constructor(failed: (error: unknown) => void) {
    this.#failed = failed
  }

  get length(): number {
    return this.#waiting.size
  }

  /** Queues a worker behind the others; once, if it is queued already. */
  add(worker: W): void {
    if (this.#waiting.has(worker)) return
    this.#waiting.add(worker)
    this.#queue.push(worker)
    this.#scheduled ??= setImmediate(() => this.#run())
  }

  stop(): void {
    clearImmediate(this.#scheduled)
    this.#queue = []
    this.#waiting.clear()
  }

  #run(): void {
    this.#scheduled = undefined
    let now = performance.now()
    const end = now + REPLAYS.ms
    while (this.#next < this.#queue.length && now < end) {
      const worker = this.#queue[this.#next++] as W
      this.#waiting.delete(worker)
      const began = now
      this.#step(worker)
      now = performance.now()
      worker.share?.charge(now - began)
    }
    if (this.#next > this.#queue.length / 2) {
      this.#queue = this.#queue.slice(this.#next)
      this.#next = 0
    }
    if (this.#queue.length > this.#next) this.#scheduled ??= setImmediate(() => this.#run())
  }

  /** Containment: the failure of one worker does not affect the others. */
  #step(worker: W): void {
    try {
      if (worker.step()) this.add(worker)
    } catch (error) {
      try {
        worker.failed(error)
      } catch (failure) {
        this.#failed(failure)
      }
    }
  }
}
