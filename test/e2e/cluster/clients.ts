import { type ClientRequest, request as httpRequest } from 'node:http'
import { createClient } from 'graphql-sse'
import { decodeCursor } from '../../../src/streams/cursor/cursor.ts'
import type { OrderEvent } from '../../../src/streams/topics/orders.ts'
import { type Block, onBlocks } from '../../kit/blocks.ts'
import { nameOf } from '../order-log.ts'

/** More than half of all orders: each partition has many a second. */
export const REGION = 'ASIA'
const QUERY = `subscription { ordersByRegion(region: ${REGION}) { id status } }`
/** How soon a client whose stream was refused or cut asks again. */
const BACK_MS = 100

export interface OrderCame {
  readonly kind: 'order'
  /** See `nameOf`. */
  readonly name: string
  /** Milliseconds since the epoch. */
  readonly at: number
}

/** The offsets from `from` up to the one before `to` are gone; reading goes on at `to`. */
export interface GapCame {
  readonly kind: 'gap'
  readonly partition: number
  readonly from: number
  readonly to: number
  readonly reason: string
}

export type Came = OrderCame | GapCame

interface Result {
  readonly data?: { readonly ordersByRegion: Pick<OrderEvent, 'id' | 'status'> } | null
  readonly errors?: readonly {
    readonly message: string
    readonly extensions?: { readonly code?: string; readonly gaps?: readonly Omit<GapCame, 'kind'>[] }
  }[]
}

/** A client of the orders of `REGION`, from its start until it is closed. */
export abstract class OrdersClient {
  readonly name: string
  /** In the order in which it came. */
  readonly came: Came[] = []
  /** Of all orders that came. */
  readonly names = new Set<string>()
  /** What should not come. */
  readonly errors: string[] = []
  /** Streams that it had. */
  opened = 0

  constructor(name: string) {
    this.name = name
  }

  abstract close(): void

  protected take({ data, errors = [] }: Result): readonly Omit<GapCame, 'kind'>[] {
    const gaps = errors.flatMap(({ message, extensions }) => {
      if (extensions?.code === 'CURSOR_EXPIRED' && extensions.gaps) return extensions.gaps
      this.errors.push(`${extensions?.code}: ${message}`)
      return []
    })
    for (const gap of gaps) this.came.push({ kind: 'gap', ...gap })
    if (data) {
      const name = nameOf(data.ordersByRegion)
      this.came.push({ kind: 'order', name, at: Date.now() })
      this.names.add(name)
    }
    return gaps
  }
}

/** The official client, at one gateway. It knows of no cursor: its stream must never end. */
export class OfficialClient extends OrdersClient {
  readonly #sse: ReturnType<typeof createClient>

  constructor(name: string, url: string) {
    super(name)
    const connected = () => void this.opened++
    this.#sse = createClient({ url: `${url}/graphql`, retryAttempts: Number.POSITIVE_INFINITY, on: { connected } })
    this.#sse.subscribe<NonNullable<Result['data']>>(
      { query: QUERY },
      {
        next: (result) => void this.take(result as Result),
        error: (error) => this.errors.push(String(error)),
        complete: () => this.errors.push('complete'),
      },
    )
  }

  close(): void {
    this.#sse.dispose()
  }
}

/** A client that keeps the cursor of each block, and comes back with it; its cursor must not go back in any partition. */
export class CursorClient extends OrdersClient {
  /** Streams that were refused. */
  refused = 0
  /** Streams at another gateway than the one before. */
  moved = 0
  readonly #urls: readonly string[]
  readonly #moveEveryMs: number | undefined
  #lastEventId = ''
  #positions: readonly number[] = []
  #lastUrl: string | undefined
  #request: ClientRequest | undefined
  #timer: NodeJS.Timeout | undefined
  #closed = false

  /** @param moveEveryMs how often it leaves its stream for one at any of the gateways, itself included */
  constructor(name: string, urls: readonly string[], moveEveryMs?: number) {
    super(name)
    this.#urls = urls
    this.#moveEveryMs = moveEveryMs
    this.#connect()
  }

  close(): void {
    this.#closed = true
    clearTimeout(this.#timer)
    this.#request?.destroy()
  }

  #connect(): void {
    const url = this.#urls[Math.floor(Math.random() * this.#urls.length)] as string
    const headers = {
      accept: 'text/event-stream',
      'content-type': 'application/json',
      ...(this.#lastEventId && { 'last-event-id': this.#lastEventId }),
    }
    // Whichever of its events comes first is the end of it.
    let over = false
    const end = () => {
      if (over || this.#closed) return
      over = true
      clearTimeout(this.#timer)
      this.#timer = setTimeout(() => this.#connect(), BACK_MS)
    }
    const request = httpRequest(`${url}/graphql`, { method: 'POST', headers, agent: false }, (response) => {
      response.on('close', end).on('error', end)
      if (response.statusCode !== 200) {
        this.refused++
        response.resume()
        return
      }
      this.opened++
      if (this.#lastUrl !== undefined && this.#lastUrl !== url) this.moved++
      this.#lastUrl = url
      if (this.#moveEveryMs !== undefined) this.#timer = setTimeout(() => request.destroy(), this.#moveEveryMs)
      onBlocks(response, (block) => {
        if (!over) this.#takeBlock(block)
      })
    })
    request.on('error', end).on('close', end)
    request.end(JSON.stringify({ query: QUERY }))
    this.#request = request
  }

  #takeBlock({ id = '', event = '', data = '' }: Block): void {
    let gaps: readonly Omit<GapCame, 'kind'>[] = []
    if (event === 'next') gaps = this.take(JSON.parse(data) as Result)
    else if (event !== '') this.errors.push(event)
    if (id === '') return
    this.#lastEventId = id
    const { positions } = decodeCursor('orders', id)
    for (const [partition, position] of positions.entries()) {
      const before = this.#positions[partition] ?? -1
      if (position >= before || gaps.some((gap) => gap.partition === partition)) continue
      this.errors.push(`The cursor went back from ${before} to ${position} in partition ${partition}`)
    }
    if (positions.length < this.#positions.length) this.errors.push('The cursor has lost a partition')
    this.#positions = positions
  }
}
