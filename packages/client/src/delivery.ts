import { errorOfResult, type SluiceClientError } from './client-error.ts'
import type { ConnectionState } from './connection-state.ts'
import type { Gap, Observer } from './observer.ts'
import type { Result } from './operation.ts'
import { report } from './report.ts'

/**
 * Takes a result of a subscription, and calls `counted` once its receiver is done with it. A promise: no more of the
 * subscription may be delivered until it resolves.
 */
export type Hand = (result: Result, counted: () => void) => Promise<void> | undefined

/**
 * What one subscription is told, whichever transport its results come by: its state, its results, and its end. The
 * transport calls `take` for each payload, and the rest for what happens to the stream.
 */
export class Delivery {
  /** Where its stream goes on: behind the last payload that was taken. */
  resumeAt: string
  /** The position behind the last result that was handed on: its receiver has returned. */
  position: string
  /** Called once, when it has ended. */
  onEnd = () => {}
  /** Called after the position has moved. */
  onMoved = () => {}
  #state: ConnectionState = { status: 'connecting' }
  readonly #observer: Omit<Observer<unknown>, 'next'>
  readonly #hand: Hand
  /** Results that were given out and have not been counted. */
  #inHand = 0
  /** An error without data or position: it is the reason of an end that is to come, or a result of its own. */
  #held: Result | undefined

  constructor(position: string, observer: Omit<Observer<unknown>, 'next'>, hand: Hand) {
    this.resumeAt = this.position = position
    this.#observer = observer
    this.#hand = hand
  }

  get state(): ConnectionState {
    return this.#state
  }

  get isEnded(): boolean {
    return this.#state.status === 'ended'
  }

  /** Its stream is open, and goes on behind `resumeAt`. Only the first call after `broke` counts. */
  opened(): void {
    const { status } = this.#state
    if (status === 'connecting' || status === 'reconnecting') {
      this.#become({ status: this.resumeAt ? 'replaying' : 'live' })
    }
  }

  /**
   * A payload of its stream, and the position behind it, if it has one.
   * @returns a promise where no more may be delivered until it resolves
   */
  take(payload: Result | undefined, position: string | undefined): Promise<void> | undefined {
    if (this.isEnded) return
    this.opened()
    // A delay alone says nothing of what is held.
    if (!payload && position === undefined) return
    const held = this.#held
    this.#held = undefined
    const before = held && this.#handOn(held, this.resumeAt)
    // One behind the other: whoever waits for the first has both in hand.
    const now = this.#takeOne(payload, position)
    return before === undefined || now === undefined ? (now ?? before) : before.then(() => now)
  }

  /** The gateway's `complete`. */
  complete(): void {
    const held = this.#held
    if (held) this.refuse(errorOfResult(held, 'REFUSED'))
    else if (this.#become({ status: 'ended', why: 'complete' })) this.#tell(() => this.#observer.complete?.())
  }

  refuse(error: SluiceClientError): void {
    if (!this.#become({ status: 'ended', why: 'refused', error })) return
    if (this.#observer.error) this.#tell(() => this.#observer.error?.(error))
    else report(error)
  }

  stop(): void {
    this.#become({ status: 'ended', why: 'stopped' })
  }

  /** Its stream broke, or an attempt failed. @param cause absent: a planned end */
  broke(cause: unknown): void {
    const last = this.#state.status === 'reconnecting' ? this.#state : { since: Date.now(), attempt: 0 }
    const why = this.#held ? errorOfResult(this.#held, 'REFUSED') : cause
    this.#held = undefined
    const attempt = last.attempt + 1
    this.#become({ status: 'reconnecting', since: last.since, attempt, ...(why === undefined ? {} : { cause: why }) })
  }

  #takeOne(payload: Result | undefined, position: string | undefined): Promise<void> | undefined {
    if (this.isEnded) return
    const { data, errors, extensions } = payload ?? {}
    if (payload && (data !== undefined || errors)) {
      if (data === undefined && position === undefined) {
        this.#held = payload
        return
      }
      return this.#handOn(payload, position ?? this.resumeAt)
    }
    // A position alone: it must not pass what is in hand.
    this.resumeAt = position ?? this.resumeAt
    if (this.#inHand === 0) this.#count(this.resumeAt)
    if (extensions?.caughtUp) {
      this.#become({ status: 'live' })
      this.#tell(() => this.#observer.onCaughtUp?.())
    }
  }

  #handOn(result: Result, position: string): Promise<void> | undefined {
    const observer = this.#observer
    const { data, errors } = result
    const first = errors?.[0]
    const isGap = first?.extensions?.code === 'CURSOR_EXPIRED'
    const isFailed = errors && (data === undefined || data === null)
    this.resumeAt = position
    this.#inHand++
    let inHand = 1
    const counted = () => {
      this.#inHand -= inHand
      inHand = 0
      // Positions without results may have come meanwhile.
      this.#count(this.#inHand === 0 ? this.resumeAt : position)
    }
    if (isGap && observer.onGap) {
      this.#tell(() => observer.onGap?.({ ...first.extensions, message: first.message } as unknown as Gap))
    } else if (isFailed && !isGap && observer.onEventError) {
      this.#tell(() => observer.onEventError?.(result))
    } else {
      return this.#hand(result, counted)
    }
    counted()
    return undefined
  }

  #count(position: string): void {
    if (position === this.position) return
    this.position = position
    this.onMoved()
  }

  #become(next: ConnectionState): boolean {
    const { status } = this.#state
    if (status === 'ended' || (status === next.status && status !== 'reconnecting')) return false
    this.#state = next
    if (next.status === 'ended') this.onEnd()
    this.#tell(() => this.#observer.onState?.(next))
    return true
  }

  #tell(act: () => void): void {
    try {
      act()
    } catch (error) {
      report(error)
    }
  }
}
