/** One execution in so many is measured: the others pay for an addition. */
const ONE_IN = 16
/** The first are all measured, so that what is rare has a cost as well. */
const FIRST = 16
/** Weight of a new measurement in the mean: it follows a change within some tens of measurements. */
const WEIGHT = 1 / 16

/** What the executions of one operation cost: their number, and the mean time of those that were measured. */
export class RenderCost {
  executions = 0
  /** CPU time of an execution, in ms: the time until it returned. */
  cpuMs = 0
  /** Time for which an execution with asynchronous resolvers waited, in ms. */
  waitMs = 0
  #measured = 0
  #waited = 0

  /** Counts an execution. True: it is to be measured. */
  isDue(): boolean {
    return this.executions++ % ONE_IN === 0 || this.executions <= FIRST
  }

  measure<T>(execute: () => T): T {
    const began = performance.now()
    const result = execute()
    const returned = performance.now()
    this.cpuMs = mean(this.cpuMs, returned - began, ++this.#measured)
    if (result instanceof Promise) {
      const settled = (): void => {
        this.waitMs = mean(this.waitMs, performance.now() - returned, ++this.#waited)
      }
      result.then(settled, settled)
    }
    return result
  }
}

function mean(before: number, value: number, count: number): number {
  return before + (value - before) * Math.max(WEIGHT, 1 / count)
}
