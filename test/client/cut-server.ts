import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'

/** How an answer's end is told: by the connection's close, as the gateway does, or by chunks, as a proxy may. */
export type Framing = 'close' | 'chunked'

export interface CutServerOptions {
  /** After how many bytes of its body each connection is cut, in the order in which they come; then none is. */
  readonly cuts?: readonly number[]
  readonly framing?: Framing
  readonly lineEnd?: '\n' | '\r' | '\r\n'
  /** Bytes in one write. Default: all that are to be written. */
  readonly writes?: number
}

export interface Opened {
  readonly topic: string
  readonly lastEventId: string | undefined
}

/**
 * A server that speaks the gateway's side of a stream over real sockets, from logs that only grow: a client without a
 * position gets what comes after it, one with `Last-Event-ID` what comes behind that. Variable `topic` names the log.
 */
export class CutServer {
  readonly opened: Opened[] = []
  /** Clients that have been sent their whole opening block. */
  ready = 0
  readonly #options: CutServerOptions
  readonly #logs = new Map<string, { events: number[]; finished: boolean }>()
  readonly #streams = new Set<{ topic: string; flush: () => void }>()
  readonly #server = createServer((socket) => void this.#serve(socket))
  readonly #cuts: number[]

  constructor(options: CutServerOptions = {}) {
    this.#options = options
    this.#cuts = [...(options.cuts ?? [])]
  }

  static async start(options?: CutServerOptions): Promise<CutServer> {
    const server = new CutServer(options)
    server.#server.listen(0, '127.0.0.1')
    await once(server.#server, 'listening')
    onTestFinished(() => void server.#server.close())
    return server
  }

  get url(): string {
    const address = this.#server.address()
    if (address === null || typeof address === 'string') throw new Error('The server does not listen')
    return `http://127.0.0.1:${address.port}/graphql`
  }

  append(topic: string, ...events: number[]): void {
    this.#log(topic).events.push(...events)
    this.#flush(topic)
  }

  /** Streams of this log are completed once they have all of it. */
  finish(topic: string): void {
    this.#log(topic).finished = true
    this.#flush(topic)
  }

  #log(topic: string) {
    const log = this.#logs.get(topic) ?? { events: [], finished: false }
    this.#logs.set(topic, log)
    return log
  }

  #flush(topic: string): void {
    for (const stream of [...this.#streams]) if (stream.topic === topic) stream.flush()
  }

  async #serve(socket: Socket): Promise<void> {
    socket.on('error', () => {}) // a client that leaves may do so by a reset
    onTestFinished(() => void socket.destroy())
    const { topic, lastEventId } = await readRequest(socket)
    const { framing = 'close', lineEnd = '\n', writes = Number.POSITIVE_INFINITY } = this.#options
    const log = this.#log(topic)
    let at = lastEventId === undefined ? log.events.length : Number(lastEventId)
    let left = this.#cuts.shift() ?? Number.POSITIVE_INFINITY
    this.opened.push({ topic, lastEventId })

    const write = (text: string): void => {
      const bytes = Buffer.from(text.replaceAll('\n', lineEnd)).subarray(0, left)
      left -= bytes.length
      for (let start = 0; start < bytes.length; start += writes) {
        const piece = bytes.subarray(start, start + Math.min(writes, bytes.length))
        if (framing === 'close') socket.write(piece)
        else socket.write(Buffer.concat([Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from('\r\n')]))
      }
      if (left === 0) stop()
    }
    const stream = {
      topic,
      flush: () => {
        for (; left > 0 && at < log.events.length; at++) {
          const payload = JSON.stringify({ data: { n: log.events[at], text: 'Zürich 東京 🛒' } })
          write(`id: ${at + 1}\nevent: next\ndata: ${payload}\n\n`)
          if (at % 3 === 0) write(`id: ${at + 1}\n\n:\n\n`)
        }
        if (left > 0 && log.finished) {
          write('event: complete\ndata:\n\n')
          if (left > 0 && framing === 'chunked') socket.write('0\r\n\r\n')
          stop()
        }
      },
    }
    const stop = (): void => {
      this.#streams.delete(stream)
      socket.end()
    }
    socket.setNoDelay(true)
    const coding = framing === 'chunked' ? 'transfer-encoding: chunked\r\n' : ''
    const type = 'content-type: text/event-stream; charset=utf-8\r\n'
    socket.write(`HTTP/1.1 200 OK\r\n${type}${coding}connection: close\r\n\r\n`)
    write(`retry: 0\nid: ${at}\n\n`)
    if (left === 0) return
    this.ready++
    this.#streams.add(stream)
    stream.flush()
  }
}

/** The request at the start of a connection; it never comes if the client leaves before. */
function readRequest(socket: Socket): Promise<Opened> {
  let text = ''
  return new Promise((resolve) => {
    socket.on('data', (chunk) => {
      text += chunk
      const [head, body] = text.split('\r\n\r\n', 2)
      const length = Number(/^content-length: (\d+)/im.exec(head ?? '')?.[1])
      if (body === undefined || Buffer.byteLength(body) < length) return
      const lastEventId = /^last-event-id: (.*)$/im.exec(head ?? '')?.[1]
      resolve({ topic: JSON.parse(body).variables?.topic ?? '', lastEventId })
    })
  })
}

/** The bytes before which a cut takes the opening block along. */
export function openingBytes(lineEnd: string = '\n'): number {
  return 'retry: 0\nid: 0\n\n'.replaceAll('\n', lineEnd).length
}
