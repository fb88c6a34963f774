import { REPLAYS } from '../../streams/turn-budget.ts'

/** Who has more to do than one turn of the event loop should take. */
export interface Worker {
  /** Does a little. True: there is more to do at once. */
  step(): boolean
  /** `step` threw: it gets no more turns by itself. Should not throw. */
  failed(error: unknown): void
}

/** Lets workers do a little in turn, and everything else in between. */
export class RoundRobin<W extends Worker> {
  #queue: W[] = []
  #next = 0
  readonly #waiting = new Set<W>()
  readonly #failed: (error: unknown) => void
  #scheduled: NodeJS.Immediate | undefined

  /** `failed` is told of a worker that cannot even be told that it has failed. */
  constructor(failed: (error: unknown) => void) {
    this.#failed = failed
  }

  get length(): number {
    return this.#waiting.size
  }

  /** Has it take its turn, behind those that wait. Once, however often it is asked for before. */
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
    const end = performance.now() + REPLAYS.ms
    while (this.#next < this.#queue.length && performance.now() < end) {
      const worker = this.#queue[this.#next++] as W
      this.#waiting.delete(worker)
      this.#step(worker)
    }
    if (this.#next > this.#queue.length / 2) {
      this.#queue = this.#queue.slice(this.#next)
      this.#next = 0
    }
    if (this.#queue.length > this.#next) this.#scheduled ??= setImmediate(() => this.#run())
  }

  /** One's mistake must not cost the others their turns. */
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
