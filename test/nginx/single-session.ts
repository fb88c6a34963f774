import type { IncomingMessage } from 'node:http'
import { request } from 'node:https'
import { onTestFinished } from 'vitest'

const HEADER = 'x-graphql-event-stream-token'
const ID = /"id":"([^"]+)","payload":\{"data":\{"ordersByRegion":\{"id":"([^"]+)"\}/g

export interface Asked {
  readonly method: string
  /** Parameters of the URL. */
  readonly query?: Readonly<Record<string, string>>
  readonly headers?: Readonly<Record<string, string>>
  /** Sent as JSON. */
  readonly body?: unknown
}

export interface Answer {
  readonly status: number
  readonly body: string
  /** As the gateway says, and Nginx in its access log. */
  readonly requestId: string
}

/** Sends a request over a connection of its own, and waits for the whole of the answer. */
export async function ask(url: string, asked: Asked): Promise<Answer> {
  const response = await send(url, asked)
  let body = ''
  for await (const chunk of response.setEncoding('utf8')) body += chunk
  return { status: statusOf(response), body, requestId: requestIdOf(response) }
}

/** Where a request's token is. */
export type TokenIn = 'header' | 'query'

/** A stream in single connection mode, each request of which goes over a connection of its own. */
export class SingleSession {
  readonly token: string
  readonly #url: string
  readonly #tokenIn: TokenIn
  /** The ids of the answers to requests with the token. */
  readonly requestIds: string[] = []
  #stream: IncomingMessage | undefined
  #received = ''

  private constructor(url: string, token: string, tokenIn: TokenIn) {
    this.#url = url
    this.token = token
    this.#tokenIn = tokenIn
  }

  /** @throws Error if there is no reservation. */
  static async reserve(url: string, tokenIn: TokenIn): Promise<SingleSession> {
    const { status, body } = await ask(url, { method: 'PUT' })
    if (status !== 201) throw new Error(`A reservation was answered ${status}: ${body}`)
    return new SingleSession(url, body, tokenIn)
  }

  /** The instance that its token names. */
  get instance(): string {
    return this.token.slice(0, this.token.indexOf('.'))
  }

  /** The status of an answer. */
  async ask(asked: Asked): Promise<number> {
    const { status, requestId } = await ask(this.#url, this.#withToken(asked))
    this.requestIds.push(requestId)
    return status
  }

  start(method: 'GET' | 'POST', operationId: string, query: string): Promise<number> {
    const extensions = { operationId }
    if (method === 'POST') return this.ask({ method, body: { query, extensions } })
    return this.ask({ method, query: { query, extensions: JSON.stringify(extensions) } })
  }

  delete(operationId: string): Promise<number> {
    return this.ask({ method: 'DELETE', query: { operationId } })
  }

  /** Opens the stream, if the status is 200. */
  async open(): Promise<number> {
    const response = await send(this.#url, this.#withToken({ method: 'GET', headers: { accept: 'text/event-stream' } }))
    this.requestIds.push(requestIdOf(response))
    if (response.statusCode !== 200) {
      response.destroy()
      return statusOf(response)
    }
    this.#stream = response
    onTestFinished(() => this.close())
    response.on('error', () => {}) // it ends when its instance does
    response.setEncoding('utf8').on('data', (text: string) => {
      this.#received += text
    })
    return 200
  }

  /** The orders that came, as `OPERATION ORDER`. */
  get orders(): string[] {
    return [...this.#received.matchAll(ID)].map(([, operation, order]) => `${operation} ${order}`)
  }

  close(): void {
    this.#stream?.destroy()
  }

  #withToken({ query, headers, ...asked }: Asked): Asked {
    if (this.#tokenIn === 'query')
      return { ...asked, ...(headers && { headers }), query: { ...query, token: this.token } }
    return { ...asked, ...(query && { query }), headers: { ...headers, [HEADER]: this.token } }
  }
}

function send(url: string, { method, query, headers, body }: Asked): Promise<IncomingMessage> {
  const target = query ? `${url}?${new URLSearchParams(query)}` : url
  const json = body === undefined ? {} : { 'content-type': 'application/json' }
  return new Promise((resolve, reject) => {
    const sent = request(target, { method, headers: { ...json, ...headers }, agent: false }, resolve)
    sent.on('error', reject)
    sent.end(body === undefined ? undefined : JSON.stringify(body))
  })
}

const statusOf = (response: IncomingMessage): number => response.statusCode ?? 0
const requestIdOf = (response: IncomingMessage): string => String(response.headers['x-request-id'])

/** Does it for 0, 1, 2…, so many at a time. */
export async function forEach<T>(count: number, atOnce: number, does: (i: number) => Promise<T>): Promise<T[]> {
  const results: T[] = []
  let next = 0
  const worker = async () => {
    while (next < count) {
      const i = next++
      results[i] = await does(i)
    }
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
  return results
}

/** How often each comes. */
export function tally(values: readonly (string | number)[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const value of values) counts[value] = (counts[value] ?? 0) + 1
  return counts
}
