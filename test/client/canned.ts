/** A body that a test writes by hand. */
export class Body {
  readonly stream: ReadableStream<Uint8Array>
  cancelled: unknown
  #controller!: ReadableStreamDefaultController<Uint8Array>

  constructor(...texts: string[]) {
    this.stream = new ReadableStream<Uint8Array>({
      start: (controller) => {
        this.#controller = controller
      },
      cancel: (reason) => {
        this.cancelled = reason ?? 'cancelled'
      },
    })
    this.write(...texts)
  }

  write(...texts: string[]): this {
    for (const text of texts) this.#controller.enqueue(new TextEncoder().encode(text))
    return this
  }

  end(): this {
    this.#controller.close()
    return this
  }

  break(): this {
    this.#controller.error(new TypeError('terminated'))
    return this
  }
}

type Answer = Body | Response | Error

/** A `fetch` with prepared answers, in order; the last one goes on indefinitely. Remembers what it was asked. */
export function cannedFetch(...answers: (Answer | (() => Answer))[]) {
  const lastEventIds: (string | null)[] = []
  const signals: (AbortSignal | undefined)[] = []
  const fetch = async (_input: unknown, init?: RequestInit): Promise<Response> => {
    lastEventIds.push(new Headers(init?.headers).get('last-event-id'))
    signals.push(init?.signal ?? undefined)
    const next = answers.length > 1 ? answers.shift() : answers[0]
    const answer = typeof next === 'function' ? next() : next
    if (answer instanceof Error) throw answer
    if (answer instanceof Response) return answer
    return new Response(answer?.stream ?? null, { headers: { 'content-type': 'text/event-stream; charset=utf-8' } })
  }
  return { fetch, lastEventIds, signals }
}

export const OPENING = 'retry: 0\nid: 0\n\n'
export const COMPLETE = 'event: complete\ndata:\n\n'

export function result(n: number): string {
  return `id: ${n}\nevent: next\ndata: {"data":{"n":${n}}}\n\n`
}

/** What a client that wants a stream sends. */
export function asking(init: RequestInit = {}): RequestInit {
  return { method: 'POST', headers: { accept: 'text/event-stream' }, body: '{"query":"subscription { n }"}', ...init }
}
