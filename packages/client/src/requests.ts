import { isEventStream } from './attempt.ts'
import type { Block } from './blocks.ts'
import { errorOfResult, SluiceClientError, UNEXPECTED } from './client-error.ts'
import type { SluiceClientOptions } from './client-options.ts'
import type { Result } from './operation.ts'
import { type Alarm, retryAfterMs, toldMs, type Waits, wait, waitMs } from './retry.ts'
import type { Subscription } from './subscription.ts'
import { type Limits, read, within } from './whole-blocks.ts'

/** Of an error's answer so much is read. Those of the gateway are far below. */
const MAX_ERROR_BYTES = 64 * 1024

export interface GatewayRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  readonly accept: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  /** Added to the URL. */
  readonly search?: string
  readonly signal?: AbortSignal | undefined
}

/**
 * Sends requests with the client's credentials, which are asked for anew each time, and once more after a 401: a token
 * may just have expired.
 */
export type Send = (request: GatewayRequest) => Promise<Response>

export function sender({ url, auth, fetch: send }: SluiceClientOptions): Send {
  return async ({ method, accept, headers, body, search, signal }) => {
    const once = async () => {
      const credentials = typeof auth === 'function' ? await auth() : auth
      return (send ?? fetch)(search ? `${url}${url.includes('?') ? '&' : '?'}${search}` : url, {
        method,
        headers: {
          accept,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
          ...(typeof credentials === 'string' ? { authorization: `Bearer ${credentials}` } : credentials),
        },
        ...(body === undefined ? {} : { body }),
        ...(signal ? { signal } : {}),
      })
    }
    const response = await once()
    if (response.status !== 401 || typeof auth !== 'function') return response
    discard(response)
    return once()
  }
}

/** What the attempts of all subscriptions of a client share. */
export interface Attempts {
  readonly send: Send
  readonly limits: Limits
  readonly waits: Waits
  readonly alarm: Alarm
}

/** Waits until it is time for the next attempt. */
export function pause(hints: Subscription, signal: AbortSignal, { waits, alarm }: Attempts): Promise<void> {
  return wait(waitMs(hints, 0, waits), signal, alarm, toldMs(hints))
}

/**
 * The answer to a request, if it is the one that was wanted: an event stream, or one of this status.
 * @param hints learns how long the server wants the next attempt to wait
 * @throws SluiceClientError for any other; ResumeError STREAM_SILENT; what `fetch` and `auth` throw
 */
export async function demand(
  request: GatewayRequest,
  wants: 'stream' | 200 | 201 | 202,
  { send, limits, alarm }: Attempts,
  hints: Subscription,
): Promise<Response> {
  const sent = send(request)
  const response = await within(limits.heartbeatTimeoutMs, sent, alarm).catch((error) => {
    // An answer that comes after all is not waited for any more.
    sent.then(discard, () => {})
    throw error
  })
  const isRight = wants === 'stream' ? isEventStream(response) && response.body : response.status === wants
  if (isRight) {
    // A `fetch` that pays no attention to signals: nobody waits for its answer any more.
    if (!request.signal?.aborted) return response
    discard(response)
    throw request.signal.reason
  }
  hints.notBefore = Date.now() + retryAfterMs(response.headers.get('retry-after'), Date.now())
  throw await errorOf(response, limits, alarm)
}

/** The blocks of an event stream, until it ends or the signal aborts. @throws ResumeError; what the stream breaks with */
export async function* blocksOf(
  { body }: Response,
  signal: AbortSignal,
  { limits, alarm }: Attempts,
): AsyncGenerator<Block, undefined> {
  if (!body) return
  const reader = body.getReader()
  const cancel = () => void reader.cancel().catch(() => {}) // it may have broken already
  signal.addEventListener('abort', cancel)
  try {
    for await (const block of read(reader, limits, alarm)) {
      if (signal.aborted) return
      yield block
    }
  } finally {
    cancel()
  }
}

/** The error that an answer stands for: the gateway's own, where its body has one. */
async function errorOf(response: Response, limits: Limits, alarm: Alarm): Promise<SluiceClientError> {
  const { status, ok } = response
  const body = await parsed(response, limits, alarm)
  if (body?.errors?.length) return errorOfResult(body, `HTTP_${status}`, status)
  if (!ok) return errorOfResult({}, `HTTP_${status}`, status)
  const type = response.body ? response.headers.get('content-type') : 'without a body that can be read'
  return new SluiceClientError(
    UNEXPECTED,
    `The answer of status ${status} is ${type}, which is not what was asked for`,
    { status },
  )
}

async function parsed(response: Response, { heartbeatTimeoutMs }: Limits, alarm: Alarm): Promise<Result | undefined> {
  const reader = response.body?.getReader()
  const decoder = new TextDecoder()
  let text = ''
  let bytes = 0
  try {
    while (reader && bytes <= MAX_ERROR_BYTES) {
      const { value } = await within(heartbeatTimeoutMs, reader.read(), alarm)
      if (!value) break
      bytes += value.length
      text += decoder.decode(value, { stream: true })
    }
    const value = JSON.parse(text)
    return Array.isArray(value?.errors) ? value : undefined
  } catch {
    return undefined // no JSON, cut, or silent: its status has to do
  } finally {
    reader?.cancel().catch(() => {})
  }
}

/** Nobody reads the body: its connection is free. */
export function discard({ body }: Response): void {
  body?.cancel().catch(() => {})
}
