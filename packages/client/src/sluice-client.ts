import type { SluiceClientOptions, SubscribeOptions } from './client-options.ts'
import type { ConnectionState } from './connection-state.ts'
import { Delivery, type Hand } from './delivery.ts'
import { runDistinct } from './distinct.ts'
import { executeOperation } from './execute.ts'
import { KeptPosition } from './kept-position.ts'
import { limitsOf } from './limits.ts'
import type { Observer } from './observer.ts'
import { type AnyOperation, type Operation, type Result, requestBody } from './operation.ts'
import { Page } from './page.ts'
import { report } from './report.ts'
import { sender } from './requests.ts'
import { ResultQueue } from './result-queue.ts'
import { SingleConnection } from './single-connection.ts'

export { SluiceClientError } from './client-error.ts'
export type { Auth, PositionStorage, SluiceClientOptions, SubscribeOptions } from './client-options.ts'
export type { ConnectionState } from './connection-state.ts'
export type { Gap, Observer } from './observer.ts'
export type { DocumentInput, Operation, Result, ResultError } from './operation.ts'

export interface SluiceSubscription {
  readonly state: ConnectionState
  /** The position behind the last event that was delivered; '' while there is none. */
  readonly position: string
  /** Ends it, at any moment and any number of times. Nothing is told after it, but the state `ended`. */
  unsubscribe(): void
  /** Breaks its connection, as a lost network would: it comes back by itself. For demonstrations and tests. */
  cut(): void
}

export interface SluiceClient {
  /** @throws TypeError for a document or variables that cannot be sent */
  subscribe<Data, Variables>(
    operation: Operation<Data, Variables>,
    observer: Observer<Data>,
    options?: SubscribeOptions,
  ): SluiceSubscription
  /**
   * The results of a subscription, one after the other; leaving the loop unsubscribes, and so does the signal, which
   * ends the loop. Gaps and events that failed come as results, unless there are callbacks for them. It begins with the
   * first `next()`. Of results that nobody takes 64 wait here, and the others on the way from the gateway.
   * @throws SluiceClientError for a refusal
   */
  iterate<Data, Variables>(
    operation: Operation<Data, Variables>,
    options?: SubscribeOptions &
      Omit<Observer<Data>, 'next' | 'error' | 'complete'> & { readonly signal?: AbortSignal },
  ): AsyncIterableIterator<Result<Data>>
  /**
   * A query or a mutation, sent once. Its errors are in the result, with their codes.
   * @throws SluiceClientError for an answer that is no result; what `fetch` throws.
   */
  execute<Data, Variables>(operation: Operation<Data, Variables>, signal?: AbortSignal): Promise<Result<Data>>
  /** Ends all subscriptions. */
  dispose(): void
}

/**
 * A client of a Sluice gateway: its subscriptions come back, each to where it was, until they are refused or stopped.
 * @throws RangeError for options that are no times or sizes
 */
export function createSluiceClient(options: SluiceClientOptions): SluiceClient {
  const { storage, url } = options
  const { limits, waits } = limitsOf(options)
  const page = new Page()
  const attempts = { send: sender(options), limits, waits, alarm: page.alarm }
  const connection = options.singleConnection ? new SingleConnection(attempts) : undefined
  const open = new Set<SluiceSubscription>()

  function run(
    operation: AnyOperation,
    { from = '', keep }: SubscribeOptions,
    observer: Omit<Observer<never>, 'next'>,
    hand: Hand,
  ): SluiceSubscription {
    const body = requestBody(operation)
    const kept = storage && keep !== undefined ? new KeptPosition(storage, keep, url + body()) : undefined
    const delivery = new Delivery(kept?.read() || from, observer as Omit<Observer<unknown>, 'next'>, hand)
    const running = connection?.run(delivery, body) ?? runDistinct(delivery, body, attempts)
    const release = page.use(() => kept?.write())
    const subscription: SluiceSubscription = {
      get state() {
        return delivery.state
      },
      get position() {
        return delivery.position
      },
      unsubscribe: () => delivery.stop(),
      cut: () => running.cut(),
    }
    open.add(subscription)
    delivery.onMoved = () => {
      const { state } = delivery
      if (state.status === 'ended' && state.why !== 'stopped') return
      kept?.save(delivery.position)
      // Moved by the callback that stopped it.
      if (delivery.isEnded) kept?.write()
    }
    delivery.onEnd = () => {
      const { state } = delivery
      open.delete(subscription)
      release()
      if (state.status === 'ended' && state.why === 'stopped') kept?.write()
      else kept?.forget()
      running.stop()
    }
    return subscription
  }

  return {
    subscribe(operation, observer, options = {}) {
      return run(operation, options, observer as Observer<never>, (result, counted) => {
        try {
          observer.next(result as never)
        } catch (error) {
          report(error)
        }
        counted()
        return undefined
      })
    },

    iterate<Data>(operation: AnyOperation, { signal, ...options }: Parameters<SluiceClient['iterate']>[1] = {}) {
      const queue = new ResultQueue()
      let subscription: SluiceSubscription | undefined
      const stop = () => {
        queue.drop()
        subscription?.unsubscribe()
        signal?.removeEventListener('abort', stop)
      }
      const begin = () => {
        if (signal?.aborted) return stop()
        const { onState, onGap, onCaughtUp, onEventError } = options
        const end = (error?: unknown) => {
          queue.end(error)
          signal?.removeEventListener('abort', stop)
        }
        const observer = { onState, onGap, onCaughtUp, onEventError, error: end, complete: () => end() }
        subscription = run(operation, options, observer as never, (...given) => queue.push(...given))
        signal?.addEventListener('abort', stop)
      }
      let isBegun = false
      return {
        async next() {
          if (!isBegun) {
            isBegun = true
            begin()
          }
          return (await queue.next()) as IteratorResult<Result<Data>, undefined>
        },
        async return() {
          isBegun = true
          stop()
          return { value: undefined, done: true }
        },
        async throw(error: unknown) {
          isBegun = true
          stop()
          throw error
        },
        [Symbol.asyncIterator]() {
          return this
        },
      }
    },

    execute: (operation, signal) => executeOperation(attempts.send, requestBody(operation), signal),

    dispose() {
      for (const subscription of [...open]) subscription.unsubscribe()
      connection?.close()
    },
  }
}
