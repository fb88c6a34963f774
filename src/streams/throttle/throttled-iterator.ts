import type { Gap, StreamEvent } from '../event.ts'
import { ThrottleRoom } from './room.ts'
import { Throttle, type ThrottleRule } from './throttle.ts'

type Item = StreamEvent | Gap
type Result = IteratorResult<Item, undefined>

interface Waiting {
  readonly resolve: (result: Result) => void
  readonly reject: (error: unknown) => void
}

const DONE = { done: true, value: undefined } as const
/** Keys are bounded by their number here: an iterator has one consumer, and is not opened by clients. */
const ANY_BYTES = Number.POSITIVE_INFINITY

/**
 * A throttled iterator of events: at most one of a key in an interval, for executors that know no groups. It reads while
 * somebody waits for an item, and holds at most one event of a key. A gap comes after all that was found before it.
 */
export class ThrottledIterator implements AsyncIterableIterator<Item, undefined> {
  readonly #source: AsyncIterator<Item, undefined>
  readonly #keyOf: (event: StreamEvent) => unknown
  readonly #throttle: Throttle<StreamEvent>
  readonly #waiting: Waiting[] = []
  #isReading = false
  /** What comes after all that is held: nothing is read until then. */
  #next: Gap | 'end' | undefined
  #timer: NodeJS.Timeout | undefined
  #failure: { readonly error: unknown } | undefined
  #done = false

  constructor(
    source: AsyncIterable<Item, undefined>,
    { keyOf, ...rule }: ThrottleRule & { readonly keyOf: (event: StreamEvent) => unknown },
  ) {
    this.#source = source[Symbol.asyncIterator]()
    this.#keyOf = keyOf
    this.#throttle = new Throttle(rule, new ThrottleRoom(ANY_BYTES), () => 0)
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  next(): Promise<Result> {
    if (this.#done) return Promise.resolve(DONE)
    const { promise, resolve, reject } = Promise.withResolvers<Result>()
    this.#waiting.push({ resolve, reject })
    this.#pump()
    return promise
  }

  async return(): Promise<Result> {
    this.#end()
    await this.#source.return?.()
    return DONE
  }

  /** Settles waiting calls with what goes out now, and reads on while there are any. */
  #pump(): void {
    while (this.#waiting.length > 0 && !this.#done) {
      const item = this.#take()
      if (item === undefined) break
      if (item === 'end') this.#end()
      else this.#waiting.shift()?.resolve({ done: false, value: item })
    }
    clearTimeout(this.#timer)
    if (this.#waiting.length === 0 || this.#done) return
    const { due } = this.#throttle
    if (due !== undefined) this.#timer = setTimeout(() => this.#pump(), Math.max(1, due - performance.now()))
    if (!this.#isReading && this.#next === undefined) this.#read()
  }

  #take(): Item | 'end' | undefined {
    const event = this.#throttle.next(performance.now())
    if (event) {
      this.#throttle.released(performance.now())
      return event
    }
    if (this.#failure) {
      this.#waiting.shift()?.reject(this.#failure.error)
      return 'end'
    }
    const next = this.#next
    this.#next = undefined
    return next
  }

  #read(): void {
    this.#isReading = true
    this.#source
      .next()
      .then(
        (result) => {
          if (result.done) this.#after('end')
          else if (result.value.kind === 'gap') this.#after(result.value)
          else this.#throttle.offer(this.#keyOf(result.value), result.value, performance.now())
        },
        (error: unknown) => {
          this.#failure = { error }
          this.#throttle.flush()
        },
      )
      .finally(() => {
        this.#isReading = false
        this.#pump()
      })
  }

  #after(item: Gap | 'end'): void {
    this.#throttle.flush()
    this.#next = item
  }

  #end(): void {
    this.#done = true
    clearTimeout(this.#timer)
    this.#throttle.clear()
    for (const { resolve } of this.#waiting.splice(0)) resolve(DONE)
  }
}
