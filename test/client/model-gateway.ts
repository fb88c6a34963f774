/** What happens to one request, or to the stream that it opens. */
export type Fault =
  | { readonly kind: 'none' }
  /** It never arrives. */
  | { readonly kind: 'network' }
  /** It is served, and its answer does not arrive. */
  | { readonly kind: 'lost' }
  | { readonly kind: 'unavailable' }
  /** A page of a proxy. */
  | { readonly kind: 'page' }
  /** A stream of no blocks. */
  | { readonly kind: 'empty' }
  /** The stream breaks after so many bytes. */
  | { readonly kind: 'cut'; readonly bytes: number }
  /** The stream ends as planned after so many blocks. */
  | { readonly kind: 'end'; readonly blocks: number }
  /** The gateway's process is replaced: all tokens and streams are gone. */
  | { readonly kind: 'restart' }

interface Stream {
  readonly operations: Map<string, Reader>
  write: ((text: string) => void) | undefined
}

interface Reader {
  readonly flush: () => void
}

const JSON_TYPE = { 'content-type': 'application/json; charset=utf-8' }

/**
 * The gateway's side of both modes as a `fetch` without sockets: one log, whose positions are numbers, and a fault for
 * each request by a script, after which there are none.
 */
export class ModelGateway {
  readonly log: number[] = []
  /** What it was asked, by method, and how it went. */
  readonly requests: string[] = []
  isFinished = false
  readonly #script: Fault[]
  readonly #streams = new Map<string, Stream>()
  readonly #distinct = new Set<Reader>()
  #tokens = 0

  constructor(script: readonly Fault[] = []) {
    this.#script = [...script]
  }

  /** Operations that run, of both modes. */
  get running(): number {
    let running = this.#distinct.size
    for (const { operations } of this.#streams.values()) running += operations.size
    return running
  }

  /** Streams in single connection mode. */
  get open(): number {
    return this.#streams.size
  }

  append(...events: number[]): void {
    this.log.push(...events)
    this.#flush()
  }

  finish(): void {
    this.isFinished = true
    this.#flush()
  }

  restart(): void {
    for (const stream of this.#streams.values()) stream.write?.('')
    this.#streams.clear()
  }

  readonly fetch = async (input: unknown, init: RequestInit = {}): Promise<Response> => {
    const { method = 'GET', signal } = init
    const fault = this.#script.shift() ?? { kind: 'none' }
    this.requests.push(`${method} ${fault.kind}`)
    await new Promise<void>((resolve) => queueMicrotask(resolve))
    signal?.throwIfAborted()
    if (fault.kind === 'network') throw new TypeError('fetch failed')
    if (fault.kind === 'unavailable') return refusal(503, 'NOT_READY', { 'retry-after': '0' })
    if (fault.kind === 'page') return new Response('<!doctype html>', { headers: { 'content-type': 'text/html' } })
    if (fault.kind === 'restart') this.#streams.clear()
    const headers = new Headers(init.headers)
    const token = headers.get('x-graphql-event-stream-token')
    const answer = this.#serve(String(input), method, token, headers, init, fault)
    if (fault.kind !== 'lost') return answer
    await answer.body?.cancel()
    throw new TypeError('terminated')
  }

  #serve(url: string, method: string, token: string | null, headers: Headers, init: RequestInit, fault: Fault) {
    if (method === 'PUT') return this.#reserve()
    const stream = token === null ? undefined : this.#streams.get(token)
    if (token !== null && !stream) return refusal(404, 'STREAM_NOT_FOUND')
    if (method === 'DELETE') {
      stream?.operations.delete(new URL(url).searchParams.get('operationId') ?? '')
      return new Response('')
    }
    if (method === 'GET') return this.#open(token as string, stream as Stream, fault, init.signal)
    const { extensions = {} } = JSON.parse(String(init.body))
    if (stream) return this.#start(stream, extensions)
    const from = headers.get('last-event-id')
    return this.#distinctStream(from === null ? this.log.length : Number(from), fault, init.signal)
  }

  #reserve(): Response {
    const token = `token-${++this.#tokens}`
    this.#streams.set(token, { operations: new Map(), write: undefined })
    return new Response(token, { status: 201, headers: { 'content-type': 'text/plain' } })
  }

  #open(token: string, stream: Stream, fault: Fault, signal: AbortSignal | null | undefined): Response {
    if (stream.write) return refusal(409, 'STREAM_ALREADY_OPEN')
    const { response, write } = body(fault, signal, () => this.#streams.delete(token))
    write('retry: 0\n\n')
    // Whatever breaks the stream above has deleted it.
    stream.write = write
    for (const operation of stream.operations.values()) operation.flush()
    return response
  }

  #start({ operations, ...stream }: Stream, extensions: { operationId?: string; lastEventId?: string }): Response {
    const { operationId = '', lastEventId } = extensions
    if (operations.has(operationId)) return refusal(409, 'OPERATION_ID_IN_USE')
    const envelope = (event: string, payload?: object) =>
      stream.write?.(`event: ${event}\ndata: ${JSON.stringify({ id: operationId, payload })}\n\n`)
    let at = lastEventId === undefined ? this.log.length : Number(lastEventId)
    let isTold = false
    const flush = () => {
      for (; operations.has(operationId) && at < this.log.length; at++) {
        envelope('next', { data: { n: this.log[at] }, extensions: { cursor: String(at + 1) } })
      }
      if (!isTold) envelope('next', { extensions: { caughtUp: true, cursor: String(at) } })
      isTold = true
      if (this.isFinished && operations.delete(operationId)) envelope('complete')
    }
    operations.set(operationId, { flush })
    flush()
    return new Response(null, { status: 202 })
  }

  #distinctStream(from: number, fault: Fault, signal: AbortSignal | null | undefined): Response {
    let at = from
    let isTold = false
    const reader: Reader = {
      flush: () => {
        const isOpen = () => this.#distinct.has(reader)
        for (; isOpen() && at < this.log.length; at++) {
          write(`id: ${at + 1}\nevent: next\ndata: {"data":{"n":${this.log[at]}}}\n\n`)
        }
        if (!isTold) write(`id: ${at}\nevent: next\ndata: {"extensions":{"caughtUp":true,"cursor":"${at}"}}\n\n`)
        isTold = true
        if (this.isFinished && this.#distinct.delete(reader)) write('event: complete\ndata:\n\n')
      },
    }
    const { response, write } = body(fault, signal, () => this.#distinct.delete(reader))
    this.#distinct.add(reader)
    write(`retry: 0\nid: ${from}\n\n`)
    reader.flush()
    return response
  }

  #flush(): void {
    for (const reader of [...this.#distinct]) reader.flush()
    for (const { operations } of [...this.#streams.values()]) for (const each of operations.values()) each.flush()
  }
}

/** A body that is written to until its fault, or until its reader leaves. */
function body(fault: Fault, signal: AbortSignal | null | undefined, onGone: () => void) {
  let left = fault.kind === 'cut' ? fault.bytes : Number.POSITIVE_INFINITY
  let blocks = fault.kind === 'end' ? fault.blocks : fault.kind === 'empty' ? 0 : Number.POSITIVE_INFINITY
  let controller!: ReadableStreamDefaultController<Uint8Array>
  let isGone = false
  const gone = (end?: () => void) => {
    if (isGone) return
    isGone = true
    onGone()
    end?.()
  }
  const stream = new ReadableStream<Uint8Array>({
    start: (own) => {
      controller = own
    },
    cancel: () => gone(),
  })
  signal?.addEventListener('abort', () => gone(() => controller.error(signal.reason)))
  const write = (text: string) => {
    if (isGone) return
    if (text === '') return gone(() => controller.close())
    if (blocks-- <= 0) return gone(() => controller.close())
    const bytes = new TextEncoder().encode(text).subarray(0, left)
    left -= bytes.length
    controller.enqueue(bytes)
    if (left <= 0) gone(() => controller.error(new TypeError('terminated')))
  }
  const response = new Response(stream, { headers: { 'content-type': 'text/event-stream; charset=utf-8' } })
  return { response, write }
}

export function refusal(status: number, code: string, headers: Record<string, string> = {}): Response {
  const body = JSON.stringify({ errors: [{ message: `It is ${code}`, extensions: { code } }] })
  return new Response(body, { status, headers: { ...JSON_TYPE, ...headers } })
}
