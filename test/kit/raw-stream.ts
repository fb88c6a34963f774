import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'
import { type Block, parseBlock } from './blocks.ts'
import { type Part, partsOf } from './parts.ts'
import { until } from './until.ts'

export interface RawRequest {
  readonly method?: string
  /** What comes after /graphql: a query string, with its question mark. */
  readonly search?: string
  readonly headers?: Readonly<Record<string, string>>
  /** Sent as JSON, with its content type, unless it is text already. */
  readonly body?: unknown
  readonly httpVersion?: '1.0' | '1.1'
}

const ACCEPT_STREAM = { accept: 'text/event-stream' }

/** A request over a bare socket, so that a test sees every byte of what comes back, and when. */
export class RawStream {
  readonly socket: Socket
  /** All bytes so far, head included. */
  received = ''
  /** The server has ended the connection. */
  ended = false
  #closed = false

  private constructor(socket: Socket) {
    this.socket = socket
    socket.setEncoding('utf8')
    socket.on('data', (text: string) => {
      this.received += text
    })
    socket.on('end', () => {
      this.ended = true
      socket.end()
    })
    socket.on('close', () => {
      this.ended = true
      this.#closed = true
    })
    // A reset is an end; what was received before tells the rest.
    socket.on('error', () => {})
  }

  /** Connects, and sends these bytes, whatever they are; the socket is destroyed when the test ends. */
  static async write(url: string, bytes: string | Buffer = ''): Promise<RawStream> {
    const { hostname, port } = new URL(url)
    // Of IPv6 without its brackets.
    const socket = connect({ host: hostname.replace(/^\[|\]$/g, ''), port: Number(port), allowHalfOpen: true })
    onTestFinished(() => void socket.destroy())
    await once(socket, 'connect')
    const stream = new RawStream(socket)
    socket.write(bytes)
    return stream
  }

  /** Sends a request. */
  static send(url: string, request: RawRequest = {}): Promise<RawStream> {
    return RawStream.write(url, requestBytes(url, request))
  }

  /** Sends a request, and waits for the whole of the answer. */
  static async answer(url: string, request: RawRequest = {}): Promise<RawStream> {
    const stream = await RawStream.send(url, request)
    await stream.untilWhole()
    return stream
  }

  /** POSTs an operation for an event stream, and waits for the head of the answer. */
  static async subscribe(
    url: string,
    query: string,
    more: { variables?: object; headers?: Record<string, string> } = {},
  ) {
    const { variables, headers } = more
    const stream = await RawStream.send(url, {
      method: 'POST',
      headers: { ...ACCEPT_STREAM, ...headers },
      body: { query, variables },
    })
    await stream.untilHead()
    return stream
  }

  get hasHead(): boolean {
    return this.received.includes('\r\n\r\n')
  }

  get status(): number {
    return Number(this.received.split(' ')[1])
  }

  get headers(): Record<string, string> {
    const [head = ''] = this.received.split('\r\n\r\n')
    const lines = head.split('\r\n').slice(1)
    return Object.fromEntries(
      lines.map((line) => [line.split(': ')[0]?.toLowerCase(), line.split(': ').slice(1).join(': ')]),
    )
  }

  /** The body as it came (a chunked one with its chunk sizes). */
  get body(): string {
    return this.received.slice(this.received.indexOf('\r\n\r\n') + 4)
  }

  /** The answer is complete, as its head says where it ends. */
  get whole(): boolean {
    if (!this.hasHead) return false
    const { 'content-length': length, 'transfer-encoding': encoding } = this.headers
    if (length !== undefined) return Buffer.byteLength(this.body) >= Number(length)
    return encoding === 'chunked' ? this.body.endsWith('0\r\n\r\n') : this.ended
  }

  /** The body of a plain answer. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into it
  get json(): any {
    return JSON.parse(this.body)
  }

  /** Whole blocks so far. */
  get blocks(): Block[] {
    return this.body.split('\n\n').slice(0, -1).map(parseBlock)
  }

  /** Whole parts so far, of an answer in parts. */
  get parts(): Part[] {
    return partsOf(this.body).parts
  }

  /** Results so far: the data of every `next`. */
  get results(): {
    data?: Record<string, unknown> | null
    errors?: { message: string; extensions?: Record<string, unknown> }[]
  }[] {
    return this.blocks.filter(({ event }) => event === 'next').map(({ data }) => JSON.parse(data ?? ''))
  }

  untilHead(): Promise<void> {
    return until('the head of an answer arrived', () => this.hasHead)
  }

  untilWhole(): Promise<void> {
    return until('the answer arrived whole', () => this.whole)
  }

  async untilBlocks(count: number): Promise<Block[]> {
    await until(`${count} blocks arrived`, () => this.blocks.length >= count)
    return this.blocks
  }

  async untilResults(count: number): Promise<RawStream['results']> {
    await until(`${count} results arrived`, () => this.results.length >= count)
    return this.results
  }

  async untilParts(count: number): Promise<Part[]> {
    await until(`${count} parts arrived`, () => this.parts.length >= count)
    return this.parts
  }

  async untilEnd(): Promise<void> {
    await until('the server ended the connection', () => this.ended)
  }

  async close(): Promise<void> {
    this.socket.destroy()
    await until('the socket closed', () => this.#closed)
  }
}

export function requestBytes(url: string, request: RawRequest): string {
  const { method = 'GET', search = '', headers = {}, body, httpVersion = '1.1' } = request
  const { host, pathname } = new URL(url)
  const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body)
  const all: Record<string, string> = { host, ...headers }
  if (text !== undefined) {
    all['content-type'] ??= 'application/json'
    all['content-length'] ??= String(Buffer.byteLength(text))
  }
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`)
  return `${method} ${pathname}${search} HTTP/${httpVersion}\r\n${lines.join('')}\r\n${text ?? ''}`
}
