import type { ClientRequest, IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import type { OrderEvent, REGIONS } from '../../src/streams/topics/orders.ts'
import { nameOf } from '../e2e/order-log.ts'
import { type Block, onBlocks } from '../kit/blocks.ts'
import type { Tally } from './rolling-tally.ts'

type Region = (typeof REGIONS)[number]

const QUERY = 'subscription ($region: Region!) { ordersByRegion(region: $region) { id status } }'
/** Until a stream has said otherwise. */
const FIRST_RETRY_MS = 1_000
/** Nginx limits the open requests of one address. */
const CLIENTS_PER_ADDRESS = 100

/** What all clients ask. */
export interface Front {
  /** Of GraphQL, through Nginx. */
  readonly url: string
  /** The text of its certificate. */
  readonly ca: string
  readonly tally: Tally
  readonly results: Results
}

/**
 * What results say, each parsed once for all clients that get it: their load would else be that of the test, not of
 * what it tests.
 */
export class Results {
  readonly #known = new Map<string, { readonly name?: string; readonly errors: readonly string[] }>()

  of(data: string) {
    let known = this.#known.get(data)
    if (!known) {
      const { data: result, errors = [] } = JSON.parse(data) as {
        data?: { ordersByRegion: Pick<OrderEvent, 'id' | 'status'> } | null
        errors?: { message: string; extensions?: { code?: string } }[]
      }
      known = {
        ...(result && { name: nameOf(result.ordersByRegion) }),
        errors: errors.map(({ message, extensions }) => `${extensions?.code}: ${message}`),
      }
      this.#known.set(data, known)
    }
    return known
  }
}

/** Asks for a stream on a connection of its own: by POST, or by GET with what a browser's EventSource sends. */
function openStream(
  { url, ca }: Front,
  { region, byGet, from, lastEventId }: { region: Region; byGet: boolean; from: number; lastEventId: string },
  onResponse: (response: IncomingMessage) => void,
): ClientRequest {
  const headers = {
    accept: 'text/event-stream',
    ...(!byGet && { 'content-type': 'application/json' }),
    ...(lastEventId && { 'last-event-id': lastEventId }),
  }
  const search = `?${new URLSearchParams({ query: QUERY, variables: JSON.stringify({ region }) })}`
  const localAddress = `127.0.0.${2 + from}`
  const options = { method: byGet ? 'GET' : 'POST', headers, agent: false, ca, localAddress }
  const request = httpsRequest(byGet ? url + search : url, options, onResponse)
  request.end(byGet ? undefined : JSON.stringify({ query: QUERY, variables: { region } }))
  return request
}

/**
 * A client of one region's orders that goes on where it was whenever its stream ends. It waits for as long as `retry:`
 * or `Retry-After` says, and counts an id once the whole of its block has come, as an EventSource does.
 */
export class RollingClient {
  readonly region: Region
  /** The names (see `nameOf`) of the orders that came, in the order in which they did. */
  readonly received: string[] = []
  /** What should not come: gaps, errors, `complete`, an answer at which an EventSource stops for good. */
  readonly errors: string[] = []
  opened = 0
  /** The longest time between the end of a stream and the first block of the next, ms. */
  longestAwayMs = 0
  /** When the newest block came, in milliseconds of the monotonic clock. */
  heardAt = 0
  readonly #front: Front
  readonly #byGet: boolean
  readonly #from: number
  #lastEventId = ''
  #retryMs = FIRST_RETRY_MS
  #request: ClientRequest | undefined
  #timer: NodeJS.Timeout | undefined
  #awaySince = 0
  #hasStream = false
  #closed = false

  constructor(front: Front, number: number, region: Region) {
    this.#front = front
    this.#byGet = number % 2 === 1
    this.#from = Math.floor(number / CLIENTS_PER_ADDRESS)
    this.region = region
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
    const { tally } = this.#front
    // Whichever of its events comes first is the end of it.
    let over = false
    let answered = false
    const end = (error?: Error) => {
      if (over || this.#closed) return
      over = true
      if (!answered) tally.answer((error as NodeJS.ErrnoException | undefined)?.code ?? 'no answer')
      this.#comeBack()
    }
    const how = { region: this.region, byGet: this.#byGet, from: this.#from, lastEventId: this.#lastEventId }
    const request = openStream(this.#front, how, (response) => {
      answered = true
      response.on('close', () => end()).on('error', end)
      this.#answer(response)
    })
    request.on('error', end).on('close', () => end())
    this.#request = request
  }

  #answer(response: IncomingMessage): void {
    const { statusCode: status = 0 } = response
    if (status !== 200) {
      this.#front.tally.refusal(response)
      if (this.#byGet) this.errors.push(`${status}, at which an EventSource stops for good`)
      this.#retryMs = Number(response.headers['retry-after'] ?? 1) * 1000
      return
    }
    let begun = false
    onBlocks(response, (block) => {
      this.#take(block)
      begun ||= this.#hasStream
    })
    response.once('close', () => {
      if (!begun && !this.#closed) this.#front.tally.answer('told to wait')
    })
  }

  #take({ id = '', event = '', data = '', retry }: Block): void {
    if (retry !== undefined) this.#retryMs = Number(retry)
    if (event === 'next') {
      const { name, errors } = this.#front.results.of(data)
      this.errors.push(...errors)
      if (name !== undefined) this.received.push(name)
    } else if (event !== '') this.errors.push(event)
    if (id === '') return
    this.#lastEventId = id
    this.heardAt = performance.now()
    if (this.#hasStream) return
    this.#hasStream = true
    this.opened++
    this.#front.tally.answer(200)
    if (this.#awaySince !== 0) this.longestAwayMs = Math.max(this.longestAwayMs, this.heardAt - this.#awaySince)
    this.#awaySince = 0
  }

  #comeBack(): void {
    const now = performance.now()
    if (this.#hasStream) {
      this.#awaySince = now
      this.#front.tally.ends.push(now)
    }
    this.#hasStream = false
    this.#timer = setTimeout(() => {
      this.#front.tally.returns.push(performance.now())
      this.#connect()
    }, this.#retryMs)
  }
}

/**
 * Clients that were never here before, one after the other without an end: each opens a stream, leaves at its first
 * block, and tells the tally what it was answered.
 */
export class Newcomers {
  readonly #timer: NodeJS.Timeout
  readonly #open = new Set<ClientRequest>()
  #closed = false
  /** The address of theirs; see `CLIENTS_PER_ADDRESS`. */
  static readonly #FROM = 100

  constructor(front: Front, everyMs: number) {
    let count = 0
    this.#timer = setInterval(() => this.#come(front, count++), everyMs)
  }

  close(): void {
    this.#closed = true
    clearInterval(this.#timer)
    for (const request of this.#open) request.destroy()
  }

  #come(front: Front, number: number): void {
    let over = false
    const end = (outcome: number | string) => {
      if (over) return
      over = true
      if (!this.#closed) front.tally.answer(outcome)
      this.#open.delete(request)
      request.destroy()
    }
    const how = { region: 'EUROPE', byGet: number % 2 === 1, from: Newcomers.#FROM, lastEventId: '' } as const
    const request = openStream(front, how, (response) => {
      if (response.statusCode !== 200) {
        over = true
        front.tally.refusal(response)
        response.on('close', () => this.#open.delete(request))
        return
      }
      let text = ''
      response.setEncoding('utf8').on('data', (more: string) => {
        text += more
        if (/^id: /m.test(text)) end(200)
      })
      response.on('end', () => end('told to wait')).on('error', ({ message }) => end(message))
    })
    request.on('error', (error: NodeJS.ErrnoException) => end(error.code ?? error.message))
    this.#open.add(request)
  }
}
