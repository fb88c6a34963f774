import type { ClientRequest, IncomingMessage } from 'node:http'
import { request } from 'node:https'
import { type Block, onBlocks } from '../../kit/blocks.ts'

export type Region = 'ASIA' | 'EUROPE'

/** Credentials, for one request; made again for each. */
export type Credentials = () => Promise<Record<string, string>>

export interface Result {
  readonly data?: { readonly ordersByRegion: { readonly id: string } } | null
  readonly errors?: readonly { readonly message: string; readonly extensions: { readonly code: string } }[]
}

const QUERY = 'subscription Watch($region: Region!) { ordersByRegion(region: $region) { id } }'

/** A client of the orders of one region, by TLS, that comes back by its cursor until it is told not to, or closed. */
export abstract class Watcher {
  readonly url: string
  readonly region: Region
  /** Ids of the orders that came, in the order in which they did. */
  readonly received: string[] = []
  /** Codes of errors on its streams, and when each came, in ms since the epoch. */
  readonly told: { readonly code: string; readonly at: number }[] = []
  /** Statuses by which it was refused. */
  readonly refused: number[] = []
  opened = 0
  /** It was told not to come back, or is refused for good. */
  isOver = false
  readonly #credentials: Credentials
  readonly #requests = new Set<ClientRequest>()
  #isClosed = false
  #timer: NodeJS.Timeout | undefined

  constructor(url: string, region: Region, credentials: Credentials) {
    this.url = url
    this.region = region
    this.#credentials = credentials
  }

  get codes(): string[] {
    return this.told.map(({ code }) => code)
  }

  close(): void {
    this.#isClosed = true
    clearTimeout(this.#timer)
    for (const each of this.#requests) each.destroy()
  }

  /** Opens its stream, and whatever is to be read from it. Resolves when it is open, or refused. */
  abstract open(): Promise<void>

  protected get operation(): { query: string; variables: object } {
    return { query: QUERY, variables: { region: this.region } }
  }

  protected take({ data, errors = [] }: Result): void {
    for (const { extensions } of errors) this.told.push({ code: extensions.code, at: Date.now() })
    if (data) this.received.push(data.ordersByRegion.id)
  }

  /** Sends a request over a connection of its own, and resolves with the head of its answer. */
  protected async send(
    method: string,
    more: { headers?: object; search?: string; body?: object },
  ): Promise<IncomingMessage> {
    const { headers = {}, search = '', body } = more
    const all = { ...(await this.#credentials()), ...(body && { 'content-type': 'application/json' }), ...headers }
    return new Promise((resolve, reject) => {
      const sent = request(`${this.url}${search}`, { method, headers: all, agent: false }, resolve)
      this.#requests.add(sent)
      sent.on('close', () => this.#requests.delete(sent)).on('error', reject)
      sent.end(body && JSON.stringify(body))
    })
  }

  /** Reads the blocks of its stream, and comes back when it has ended. */
  protected read(response: IncomingMessage, take: (block: Block) => void): void {
    this.opened++
    let retryMs = 0
    onBlocks(response, (block) => {
      if (block.retry !== undefined) retryMs = Number(block.retry)
      take(block)
    })
    response.on('error', () => {}).on('close', () => this.#comeBack(retryMs))
  }

  /** Its request was refused: for good, if its credentials are revoked. */
  protected refusedBy(response: IncomingMessage): void {
    const { statusCode = 0 } = response
    response.resume()
    this.refused.push(statusCode)
    if (statusCode === 403) this.isOver = true
    else this.#comeBack(100)
  }

  #comeBack(ms: number): void {
    if (this.#isClosed || this.isOver) return
    this.#timer = setTimeout(() => {
      this.open().catch(() => this.#comeBack(100))
    }, ms)
  }
}

/** In distinct connections mode. */
export class DistinctWatcher extends Watcher {
  #lastEventId = ''

  async open(): Promise<void> {
    const headers = { accept: 'text/event-stream', ...(this.#lastEventId && { 'last-event-id': this.#lastEventId }) }
    const response = await this.send('POST', { headers, body: this.operation })
    if (response.statusCode !== 200) return this.refusedBy(response)
    const begun = Promise.withResolvers<void>()
    response.on('close', () => begun.resolve())
    this.read(response, ({ id, event, data = '' }) => {
      if (event === 'next') this.take(JSON.parse(data))
      if (event === 'complete') this.isOver = true
      if (id !== undefined) this.#lastEventId = id
      begun.resolve()
    })
    await begun.promise
  }
}

const TOKEN = 'x-graphql-event-stream-token'

/** In single connection mode: one operation, which resumes by the cursor in its results. */
export class SingleWatcher extends Watcher {
  #cursor: string | undefined

  async open(): Promise<void> {
    const reserved = await this.send('PUT', {})
    if (reserved.statusCode !== 201) return this.refusedBy(reserved)
    let token = ''
    for await (const chunk of reserved.setEncoding('utf8')) token += chunk
    const own = { [TOKEN]: token }
    const stream = await this.send('GET', { headers: { ...own, accept: 'text/event-stream' } })
    if (stream.statusCode !== 200) return this.refusedBy(stream)
    const begun = Promise.withResolvers<void>()
    stream.on('close', () => begun.resolve())
    this.read(stream, ({ event, data = '' }) => {
      if (event === undefined) return
      const { payload } = JSON.parse(data) as { payload?: Result & { extensions?: { cursor?: string } } }
      if (payload) this.take(payload)
      if (event === 'complete') this.isOver = true
      this.#cursor = payload?.extensions?.cursor ?? this.#cursor
      begun.resolve()
    })
    const extensions = {
      operationId: '1',
      cursor: true,
      markers: true,
      ...(this.#cursor && { lastEventId: this.#cursor }),
    }
    const started = await this.send('POST', { headers: own, body: { ...this.operation, extensions } })
    started.resume()
    if (started.statusCode !== 202) this.refused.push(started.statusCode ?? 0)
    // The marker, which has the position that it begins at.
    await begun.promise
  }
}
