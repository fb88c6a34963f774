import type { Result } from './operation.ts'

/** Results that may wait for whoever iterates. Beyond them the stream is not read on: its sender sees a slow client. */
const MAX_WAITING = 64

interface Taker {
  resolve(taken: IteratorResult<Result, undefined>): void
  reject(error: unknown): void
}

/**
 * Results between a subscription and a `for await`. One counts as handed on when the next one is asked for: a loop that
 * is left in the middle of a result gets that result again from the position it kept.
 */
export class ResultQueue {
  readonly #waiting: { result: Result; counted: () => void }[] = []
  readonly #takers: Taker[] = []
  #counted = () => {}
  #full: Promise<void> | undefined
  #hasRoom = () => {}
  #isEnded = false
  #error: unknown

  /** @returns a promise when there is no more room, until there is */
  push(result: Result, counted: () => void): Promise<void> | undefined {
    if (this.#isEnded) return
    const taker = this.#takers.shift()
    if (taker) {
      this.#counted = counted
      taker.resolve({ value: result, done: false })
      return
    }
    this.#waiting.push({ result, counted })
    if (this.#waiting.length < MAX_WAITING) return
    this.#full ??= new Promise((resolve) => {
      this.#hasRoom = resolve
    })
    return this.#full
  }

  next(): Promise<IteratorResult<Result, undefined>> {
    this.#counted()
    this.#counted = () => {}
    const first = this.#waiting.shift()
    if (this.#waiting.length <= MAX_WAITING / 2) this.#makeRoom()
    if (first) {
      this.#counted = first.counted
      return Promise.resolve({ value: first.result, done: false })
    }
    return new Promise((resolve, reject) => {
      this.#takers.push({ resolve, reject })
      if (this.#isEnded) this.#tellEnd()
    })
  }

  /** What waits is given out before the end, which is an error if there is one. */
  end(error?: unknown): void {
    this.#isEnded = true
    this.#error = error
    this.#makeRoom()
    this.#tellEnd()
  }

  /** Nothing is given out any more. */
  drop(): void {
    this.#counted = () => {}
    this.#waiting.length = 0
    this.end()
  }

  /** An error is thrown once. */
  #tellEnd(): void {
    for (const { resolve, reject } of this.#takers.splice(0)) {
      const error = this.#error
      this.#error = undefined
      if (error === undefined) resolve({ value: undefined, done: true })
      else reject(error)
    }
  }

  #makeRoom(): void {
    this.#hasRoom()
    this.#full = undefined
  }
}
