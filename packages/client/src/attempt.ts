import { ResumeError } from './resume-error.ts'
import { retryAfterMs } from './retry.ts'
import { Subscription } from './subscription.ts'
import { type Limits, turn, wholeBlocks, within } from './whole-blocks.ts'

/** One request of a subscription. */
export interface Attempt {
  readonly subscription: Subscription
  /** Its caller's. */
  readonly signal: AbortSignal | undefined
  /** ms until the answer must have begun; Infinity for a request that wants no stream, whose answer may take its time. */
  readonly answerMs: number
  /** Sends it. The position is '' where there is none. */
  readonly send: (position: string, signal: AbortSignal) => Promise<Response>
  /** Nothing of the subscription needs remembering any more. */
  readonly forget: () => void
  /** The attempt failed, or its stream broke: its caller hears of it in this turn of the event loop. */
  readonly failed: (subscription: Subscription) => void
}

/**
 * Makes one attempt.
 * @returns the answer as it came, or, where it is an event stream, one whose body keeps the subscription's position
 * @throws what `send` throws
 * @throws ResumeError STREAM_SILENT, ALREADY_OPEN, BODY_NOT_READABLE
 */
export async function makeAttempt(attempt: Attempt, limits: Limits): Promise<Response> {
  const { signal, forget } = attempt
  const isSecond = attempt.subscription.open
  // A second request beside an open stream may be answered without a stream, and then does no harm.
  const subscription = isSecond ? new Subscription() : attempt.subscription
  const failed = async () => {
    await turn()
    attempt.failed(subscription)
  }

  const number = subscription.begin(signal)
  const own = new AbortController()
  let response: Response
  try {
    response = await within(attempt.answerMs, attempt.send(subscription.position, either(signal, own)))
  } catch (error) {
    own.abort(error)
    subscription.end(number)
    if (signal?.aborted) forget()
    else await failed()
    throw error
  }

  const { body } = response
  if (!body || !isEventStream(response)) {
    subscription.end(number)
    if (response.ok) {
      if (!subscription.position) forget()
    } else {
      subscription.notBefore = Date.now() + retryAfterMs(response.headers.get('retry-after'), Date.now())
      await failed()
    }
    return response
  }
  const objection = isSecond ? alreadyOpen() : typeof body.getReader === 'function' ? undefined : notReadable()
  if (objection) {
    own.abort(objection)
    subscription.end(number)
    throw objection
  }

  let completed = false
  const whole = wholeBlocks(body, limits, {
    handing({ event, hasData }) {
      // With data it is the end of one operation of several, in single connection mode.
      if (event !== 'complete' || hasData) return
      completed = true
      subscription.complete(number)
      forget()
    },
    taken: (block) => subscription.take(number, block),
    ended(cancelled) {
      subscription.end(number)
      if (signal?.aborted) forget()
      else if (!completed && !cancelled) attempt.failed(subscription)
    },
  })
  // A Response that is made has no URL.
  return Object.defineProperty(new Response(whole, response), 'url', { value: response.url })
}

/** Node 18 and older browsers have no `AbortSignal.any`: there a signal keeps a listener for each attempt. */
function either(signal: AbortSignal | undefined, own: AbortController): AbortSignal {
  if (!signal) return own.signal
  if ('any' in AbortSignal) return AbortSignal.any([signal, own.signal])
  const abort = () => own.abort(signal.reason)
  if (signal.aborted) abort()
  else signal.addEventListener('abort', abort, { once: true })
  return own.signal
}

export function isEventStream({ ok, headers }: Response): boolean {
  return ok && /^text\/event-stream\b/i.test(headers.get('content-type') ?? '')
}

function alreadyOpen(): ResumeError {
  return new ResumeError(
    'ALREADY_OPEN',
    'This subscription has an open stream. Give each subscription a signal of its own, or use subscription()',
  )
}

function notReadable(): ResumeError {
  return new ResumeError('BODY_NOT_READABLE', 'The fetch in use gives bodies that are no ReadableStream')
}
