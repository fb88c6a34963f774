import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { until } from '../kit/until.ts'

/**
 * Bytes that a slow client takes at a time, and how often: less than it is sent, and enough that the systems' buffers,
 * which hold megabytes, have room again within the stall timeout.
 */
const SIP_BYTES = 64 * 1024
const SIP_MS = 100

export interface Ask {
  readonly query: string
  readonly headers?: Readonly<Record<string, string>>
  readonly requestId: string
}

/** One client of the incident: a stream over a bare socket, which can stop reading. Not bound to a test. */
export class Client {
  readonly requestId: string
  readonly socket: Socket
  /** The head, and what came first. */
  begun = ''
  bytes = 0
  ended = false
  #isHead = false
  #sips: NodeJS.Timeout | undefined

  private constructor(socket: Socket, requestId: string) {
    this.socket = socket
    this.requestId = requestId
    socket.on('data', (bytes: Buffer) => {
      this.bytes += bytes.length
      if (this.begun.length < 4_096) this.begun += bytes.toString('latin1')
      this.#isHead ||= this.begun.includes('\r\n\r\n')
    })
    socket.on('end', () => {
      this.ended = true
      socket.end()
    })
    socket.on('close', () => {
      this.ended = true
      clearInterval(this.#sips)
    })
    socket.on('error', () => {})
  }

  /** Sends an operation by POST, and waits for the head of the answer. */
  static async open(url: string, { query, headers = {}, requestId }: Ask): Promise<Client> {
    const { hostname, port, pathname, host } = new URL(url)
    const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true })
    await once(socket, 'connect')
    const client = new Client(socket, requestId)
    const body = JSON.stringify({ query })
    const all: Record<string, string> = {
      host,
      accept: 'text/event-stream',
      'content-type': 'application/json',
      'content-length': String(Buffer.byteLength(body)),
      'x-request-id': requestId,
      ...headers,
    }
    const head = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`)
    socket.write(`POST ${pathname} HTTP/1.1\r\n${head.join('')}\r\n${body}`)
    await until('the head of an answer arrived', () => client.#isHead || client.ended)
    return client
  }

  get status(): number {
    return Number(this.begun.split(' ')[1])
  }

  /** Reads no more. */
  stall(): void {
    this.socket.pause()
  }

  /** Reads a little at a time, from now on. */
  sip(): void {
    this.socket.pause()
    let goal = 0
    this.socket.on('data', () => {
      if (this.bytes >= goal) this.socket.pause()
    })
    this.#sips = setInterval(() => {
      goal = this.bytes + SIP_BYTES
      this.socket.resume()
    }, SIP_MS)
  }

  close(): void {
    clearInterval(this.#sips)
    this.socket.destroy()
  }
}
