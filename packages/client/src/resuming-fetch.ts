import { makeAttempt } from './attempt.ts'
import { utf8 } from './header-text.ts'
import { limitsOf } from './limits.ts'
import { type Waits, wait, waitMs } from './retry.ts'
import { Subscription, Subscriptions } from './subscription.ts'
import type { Limits } from './whole-blocks.ts'

type Fetch = typeof globalThis.fetch

export interface ResumeOptions extends Partial<Waits>, Partial<Limits> {
  /** What does the fetching. Default: the global `fetch`, looked up at each request. */
  readonly fetch?: Fetch
}

/** One subscription, for clients that do not give each a signal of its own, or keep positions over page loads. */
export interface ResumingSubscription {
  /** As `fetch`. Whatever is fetched through it belongs to this one subscription, one stream at a time. */
  readonly fetch: Fetch
  /** Waits until it is time for the next attempt, or until the signal of the last one aborts. */
  readonly retryWait: () => Promise<void>
  /** The position behind the last event that was taken; '' while there is none, and after `complete`. */
  readonly lastEventId: string
}

export interface ResumingFetch {
  (...request: Parameters<Fetch>): Promise<Response>
  /** For graphql-sse's option `retry`. */
  readonly retryWait: (retries: number) => Promise<void>
  /** @param lastEventId where to begin; default: where the request says */
  readonly subscription: (lastEventId?: string) => ResumingSubscription
}

/**
 * A `fetch` whose event streams can be resumed. A stream is handed on in whole blocks, and how far it was taken is
 * remembered; the next request of the same subscription asks, by `Last-Event-ID`, for what comes behind that. Answers
 * that are no event streams pass as they are.
 *
 * Requests are of one subscription if they have the same `signal` and the same body text (where there is no body, the
 * same URL) and accept `text/event-stream`. graphql-sse gives each subscription a signal, the same for all its
 * attempts. Where two streams at one time would go by one signal and body, the second is refused (ALREADY_OPEN).
 * A request without a signal, or with a body that is no string, is not resumed: see `subscription`.
 *
 * @throws RangeError for options that are no times or sizes
 */
export function createResumingFetch(options: ResumeOptions = {}): ResumingFetch {
  const { fetch: send = (...request) => fetch(...request) } = options
  const { limits, waits } = limitsOf(options)
  const known = new Subscriptions()

  /**
   * Whose failure is being told in this turn of the event loop. graphql-sse calls `retry` without a word of whose it
   * is, but in the turn in which it hears of the failure; and each failure is told in a turn of its own.
   */
  let failing: Subscription | undefined
  const failed = (subscription: Subscription) => {
    subscription.failures++
    failing = subscription
    setTimeout(() => {
      if (failing === subscription) failing = undefined
    })
  }
  const waitFor = (subscription = new Subscription(), tries = 0) =>
    wait(waitMs(subscription, tries, waits), subscription.signal)

  /** @param handle the subscription it belongs to; default: to be found by its signal and body */
  function resume(handle: Subscription | undefined, [input, init]: Parameters<Fetch>): Promise<Response> {
    const request = input instanceof Request ? input : undefined
    const signal = init?.signal ?? request?.signal
    const headers = new Headers(init?.headers ?? request?.headers)
    const wantsStream = /\btext\/event-stream\b/i.test(headers.get('accept') ?? '')
    // The body of a Request cannot be looked at.
    const url = request && request.method !== 'GET' ? undefined : (request?.url ?? String(input))
    const body = init?.body ?? url
    const isKnown = !handle && wantsStream && signal && typeof body === 'string'
    return makeAttempt(
      {
        subscription: handle ?? (isKnown ? known.get(signal, body) : new Subscription()),
        signal,
        answerMs: wantsStream ? limits.heartbeatTimeoutMs : Number.POSITIVE_INFINITY,
        send(position, either) {
          if (position) headers.set('last-event-id', utf8(position))
          return send(input, { ...init, headers, signal: either })
        },
        forget: () => void (isKnown && known.forget(signal, body)),
        failed,
      },
      limits,
    )
  }

  return Object.assign((...request: Parameters<Fetch>) => resume(undefined, request), {
    retryWait: (retries: number) => waitFor(failing, retries),
    subscription(lastEventId = ''): ResumingSubscription {
      const subscription = new Subscription(lastEventId)
      return {
        fetch: (...request) => resume(subscription, request),
        retryWait: () => waitFor(subscription),
        get lastEventId() {
          return subscription.position
        },
      }
    },
  })
}
