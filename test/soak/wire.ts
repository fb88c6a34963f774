/** HTTP over bare sockets: what is sent is bytes, and what comes back is read as far as HTTP says. */
import { connect, type Socket } from 'node:net'

export interface Answer {
  readonly status: number
  readonly headers: ReadonlyMap<string, string>
  readonly body: string
  /** The whole of it has come, as its head says where it ends. */
  readonly whole: boolean
  readonly ms: number
}

export interface RequestOptions {
  readonly method?: string
  readonly path?: string
  readonly headers?: Readonly<Record<string, string>>
  /** Sent as JSON, unless it is text already. */
  readonly body?: unknown
}

export function requestBytes({ method, path = '/graphql', headers = {}, body }: RequestOptions): Buffer {
  const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body)
  const all: Record<string, string> = { host: 'localhost', ...headers }
  if (text !== undefined) {
    all['content-type'] ??= 'application/json'
    all['content-length'] ??= String(Buffer.byteLength(text))
  }
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`)
  const line = `${method ?? (text === undefined ? 'GET' : 'POST')} ${path} HTTP/1.1\r\n`
  return Buffer.from(`${line}${lines.join('')}\r\n${text ?? ''}`, 'utf8')
}

export type Outcome = Answer | 'refused' | 'closed' | 'hung'

const SHOWN_OF_A_PAGE = 10_000

/** A connection on which requests are sent one after the other. */
export class Connection {
  readonly socket: Socket
  #received = Buffer.alloc(0)
  /** What came since that is not joined yet, since as many bytes are needed before it is of use. */
  #waiting: Buffer[] = []
  #length = 0
  #needed = 0
  #closed = false
  #connected = false
  #wake = (): void => {}

  constructor(port: number, localAddress = '127.0.0.1') {
    this.socket = connect({ port, host: '127.0.0.1', localAddress })
    this.socket.setNoDelay(true)
    this.socket.on('connect', () => {
      this.#connected = true
    })
    this.socket.on('data', (bytes) => {
      this.#waiting.push(bytes)
      this.#length += bytes.length
      if (this.#length >= this.#needed) this.#wake()
    })
    this.socket.on('error', () => {})
    this.socket.on('close', () => {
      this.#closed = true
      this.#wake()
    })
  }

  get closed(): boolean {
    return this.#closed
  }

  /**
   * Sends bytes and reads one answer. An event stream without a length counts as answered with its first block.
   * `hung`: neither an answer nor a close within `timeoutMs`.
   */
  async ask(bytes: Buffer, timeoutMs = 15_000): Promise<Outcome> {
    this.socket.write(bytes)
    return await this.answer(timeoutMs)
  }

  /** The next answer; to a HEAD it has no body, whatever its head says. */
  async answer(timeoutMs: number, toHead = false): Promise<Outcome> {
    const begin = performance.now()
    for (;;) {
      const answer = this.#take(begin, toHead)
      if (answer) return answer
      if (this.#closed) return this.#connected ? 'closed' : 'refused'
      const left = begin + timeoutMs - performance.now()
      if (left <= 0) return 'hung'
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left)
        this.#wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
  }

  /** What comes from now on is read and thrown away. */
  discard(): void {
    this.socket.removeAllListeners('data')
    this.socket.resume()
  }

  destroy(): void {
    this.socket.destroy()
  }

  #take(begin: number, toHead: boolean): Answer | undefined {
    if (this.#length < this.#needed && !this.#closed) return undefined
    this.#received = Buffer.concat([this.#received, ...this.#waiting])
    this.#waiting = []
    // 100 Continue comes before the answer.
    while (this.#received.toString('latin1', 0, 10) === 'HTTP/1.1 1' && this.#received.includes('\r\n\r\n')) {
      this.#received = this.#received.subarray(this.#received.indexOf('\r\n\r\n') + 4)
      this.#length = this.#received.length
    }
    const end = this.#received.indexOf('\r\n\r\n')
    if (end < 0) return undefined
    const [first = '', ...lines] = this.#received.toString('latin1', 0, end).split('\r\n')
    const headers = new Map(
      lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
    )
    const status = Number(first.split(' ')[1])
    const rest = this.#received.subarray(end + 4)
    const bodyEnd = toHead ? 0 : endOfBody(status, headers, rest)
    const whole = bodyEnd === undefined ? this.#closed : rest.length >= bodyEnd
    const type = headers.get('content-type') ?? ''
    const begun =
      (type.startsWith('text/event-stream') && rest.includes('\n\n')) ||
      (type.startsWith('multipart/mixed') && rest.includes('--graphql'))
    if (!whole && !this.#closed && !(bodyEnd === undefined && begun)) {
      if (bodyEnd !== undefined && Number.isFinite(bodyEnd)) this.#needed = end + 4 + bodyEnd
      return undefined
    }
    const taken = Math.min(rest.length, bodyEnd ?? rest.length)
    this.#received = rest.subarray(taken)
    this.#length = this.#received.length
    this.#needed = 0
    // GraphiQL's page has nine megabytes.
    const shown = headers.get('content-type')?.startsWith('text/html') ? Math.min(taken, SHOWN_OF_A_PAGE) : taken
    return { status, headers, body: rest.toString('utf8', 0, shown), whole, ms: performance.now() - begin }
  }
}

/** Bytes of the body; undefined: up to the connection's close. More than there is, while a chunked one has not ended. */
function endOfBody(status: number, headers: ReadonlyMap<string, string>, rest: Buffer): number | undefined {
  if (status === 204 || status === 304 || status < 200) return 0
  const length = headers.get('content-length')
  if (length !== undefined) return Number(length)
  if (headers.get('transfer-encoding') !== 'chunked') return undefined
  const last = rest.indexOf(rest.subarray(0, 5).equals(Buffer.from('0\r\n\r\n')) ? '0\r\n\r\n' : '\r\n0\r\n\r\n')
  return last < 0 ? Number.POSITIVE_INFINITY : last + (rest[last] === 0x30 ? 5 : 7)
}

/** One request on a connection of its own. */
export async function ask(
  port: number,
  request: RequestOptions | Buffer,
  { from = '127.0.0.1', timeoutMs = 15_000 } = {},
): Promise<Outcome> {
  const connection = new Connection(port, from)
  try {
    return await connection.ask(Buffer.isBuffer(request) ? request : requestBytes(request), timeoutMs)
  } finally {
    connection.destroy()
  }
}

/** The codes of the errors in an answer, in whatever form it came. */
export function codesOf(body: string): string[] {
  return Array.from(body.matchAll(/"code":"([A-Z_]+)"/g), ([, code]) => code as string)
}
