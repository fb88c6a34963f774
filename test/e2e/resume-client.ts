import { type ClientRequest, request as httpRequest } from 'node:http'
import type { OrderEvent, REGIONS } from '../../src/streams/topics/orders.ts'
import { type Block, onBlocks } from '../kit/blocks.ts'
import { nameOf } from './order-log.ts'

type Region = (typeof REGIONS)[number]

const QUERY = 'subscription ($region: Region!) { ordersByRegion(region: $region) { id status } }'
/** How soon a client that was cut comes back, at random between the two, ms: impatient ones find more faults. */
const BACK_MIN_MS = 5
const BACK_MAX_MS = 100

interface Result {
  readonly data?: { readonly ordersByRegion: Pick<OrderEvent, 'id' | 'status'> } | null
  readonly errors?: readonly { readonly message: string; readonly extensions?: { readonly code?: string } }[]
}

/**
 * A client of the orders of one region that goes from one gateway to another whenever its stream is cut or refused. It
 * counts an id once the whole of its block has come, as an EventSource does.
 */
export class ResumingListener {
  readonly region: Region
  /** The names (see `nameOf`) of the orders that came, in the order in which they did. */
  readonly received: string[] = []
  /** What should not come: gaps, errors, `complete`. */
  readonly errors: string[] = []
  /** Streams that were opened, and those of them at another gateway than the one before. */
  opened = 0
  moved = 0
  refused = 0
  /** The longest time between the end of a stream and the first block of the next, ms. */
  longestAwayMs = 0
  readonly #urls: readonly string[]
  #at: number
  #lastAt: number | undefined
  #lastEventId = ''
  #request: ClientRequest | undefined
  #timer: NodeJS.Timeout | undefined
  /** When its stream ended, in milliseconds of the monotonic clock; 0: it has a stream, or never had one. */
  #awaySince = 0
  #hasStream = false
  #closed = false

  /** @param first which of the gateways it asks first */
  constructor(urls: readonly string[], region: Region, first: number) {
    this.#urls = urls
    this.region = region
    this.#at = first
    this.#connect()
  }

  /** Whether it has a position, from which on nothing may be missed. */
  get hasBegun(): boolean {
    return this.#lastEventId !== ''
  }

  close(): void {
    this.#closed = true
    clearTimeout(this.#timer)
    this.#request?.destroy()
  }

  #connect(): void {
    const headers = {
      accept: 'text/event-stream',
      'content-type': 'application/json',
      ...(this.#lastEventId && { 'last-event-id': this.#lastEventId }),
    }
    // Whichever of its events comes first is the end of it.
    let over = false
    const end = () => {
      if (over) return
      over = true
      this.#comeBack()
    }
    const request = httpRequest(
      `${this.#urls[this.#at]}/graphql`,
      { method: 'POST', headers, agent: false },
      (response) => {
        response.on('close', end).on('error', end)
        if (response.statusCode !== 200) {
          this.refused++
          response.resume()
          return
        }
        onBlocks(response, (block) => this.#take(block))
      },
    )
    request.on('error', end).on('close', end)
    request.end(JSON.stringify({ query: QUERY, variables: { region: this.region } }))
    this.#request = request
  }

  #take({ id = '', event = '', data = '' }: Block): void {
    if (event === 'next') {
      const { data: order, errors } = JSON.parse(data) as Result
      for (const { message, extensions } of errors ?? []) this.errors.push(`${extensions?.code}: ${message}`)
      if (order) this.received.push(nameOf(order.ordersByRegion))
    } else if (event !== '') this.errors.push(event)
    if (id === '') return
    this.#lastEventId = id
    if (this.#hasStream) return
    this.#hasStream = true
    this.opened++
    if (this.#lastAt !== undefined && this.#lastAt !== this.#at) this.moved++
    this.#lastAt = this.#at
    if (this.#awaySince !== 0) this.longestAwayMs = Math.max(this.longestAwayMs, performance.now() - this.#awaySince)
    this.#awaySince = 0
  }

  #comeBack(): void {
    if (this.#closed) return
    if (this.#hasStream) this.#awaySince = performance.now()
    this.#hasStream = false
    this.#at = (this.#at + 1) % this.#urls.length
    this.#timer = setTimeout(() => this.#connect(), BACK_MIN_MS + Math.random() * (BACK_MAX_MS - BACK_MIN_MS))
  }
}
