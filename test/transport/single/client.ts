import type { Block } from '../../kit/blocks.ts'
import { type RawRequest, RawStream } from '../../kit/raw-stream.ts'
import { until } from '../../kit/until.ts'

const HEADER = 'x-graphql-event-stream-token'

/** What a frame of single connection mode says. */
export interface Told {
  readonly event: string
  readonly id: string
  readonly payload?: {
    readonly data?: Record<string, unknown> | null
    readonly errors?: readonly { readonly message: string; readonly extensions: Record<string, unknown> }[]
    readonly extensions?: { readonly cursor?: string; readonly caughtUp?: boolean }
  }
}

/** A client in single connection mode, over bare sockets: each request on a connection of its own. */
export class SingleClient {
  readonly url: string
  readonly token: string
  readonly headers: Readonly<Record<string, string>>
  #stream: RawStream | undefined

  constructor(url: string, token: string, headers: Record<string, string> = {}) {
    this.url = url
    this.token = token
    this.headers = headers
  }

  static async reserve(url: string, headers: Record<string, string> = {}): Promise<SingleClient> {
    const answer = await RawStream.answer(url, { method: 'PUT', headers })
    if (answer.status !== 201) throw new Error(`A reservation was answered with ${answer.received}`)
    return new SingleClient(url, answer.body, headers)
  }

  /** Reserves a stream, and opens it. */
  static async open(url: string, headers: Record<string, string> = {}): Promise<SingleClient> {
    const client = await SingleClient.reserve(url, headers)
    await client.openStream()
    return client
  }

  get stream(): RawStream {
    if (!this.#stream) throw new Error('The stream is not open')
    return this.#stream
  }

  async openStream(): Promise<RawStream> {
    this.#stream = await this.#send({ headers: { accept: 'text/event-stream' } })
    await this.#stream.untilHead()
    return this.#stream
  }

  /** Sends a request with the token in the header, and waits for its answer. */
  async ask(request: RawRequest): Promise<RawStream> {
    const answer = await this.#send(request)
    await answer.untilWhole()
    return answer
  }

  start(operationId: unknown, query: string, more: { variables?: object; extensions?: object } = {}) {
    const extensions = { ...(operationId !== undefined && { operationId }), ...more.extensions }
    return this.ask({ method: 'POST', body: { query, variables: more.variables, extensions } })
  }

  stop(operationId: string): Promise<RawStream> {
    return this.ask({ method: 'DELETE', search: `?operationId=${encodeURIComponent(operationId)}` })
  }

  /** What came for an operation, or for all. */
  told(id?: string): Told[] {
    return this.stream.blocks.flatMap(toldBy).filter((each) => id === undefined || each.id === id)
  }

  /** Data of the results of an operation. */
  data(id: string): unknown[] {
    return this.told(id).flatMap(({ payload }) => (payload?.data ? [payload.data] : []))
  }

  async untilTold(count: number, id?: string): Promise<Told[]> {
    await until(`${count} frames arrived`, () => this.told(id).length >= count)
    return this.told(id)
  }

  #send(request: RawRequest): Promise<RawStream> {
    const headers = { connection: 'close', ...this.headers, [HEADER]: this.token, ...request.headers }
    return RawStream.send(this.url, { ...request, headers })
  }
}

function toldBy({ event, data }: Block): Told[] {
  return event === undefined ? [] : [{ event, ...JSON.parse(data ?? '') }]
}
