import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Member, Outlet } from '../delivery/subscriber.ts'
import { STREAM_HEADERS } from './answer.ts'
import { isFollowed } from './turn.ts'

/** An ended stream whose client takes no more bytes is cut after this long. */
const END_GRACE_MS = 5_000
/** Finds clients that are gone without a word, beside the heartbeats. */
const KEEP_ALIVE_MS = 30_000

/**
 * A response's socket, as the outlet of a stream. The body is delimited by the connection's close, so what is written
 * is the same for HTTP/1.0 and 1.1, and the engine's bytes go out as they are.
 */
export class StreamSocket implements Outlet {
  readonly #socket: Socket
  #member: Member | undefined
  #gone = false

  private constructor(socket: Socket) {
    this.#socket = socket
  }

  /**
   * Sends the head of a stream and takes over the socket.
   * @returns undefined if the client has gone meanwhile, or has sent another request behind this one.
   */
  static open(response: ServerResponse): StreamSocket | undefined {
    const { socket } = response
    if (!socket || socket.destroyed) return undefined
    if (isFollowed(socket)) {
      socket.destroy()
      return undefined
    }
    response.useChunkedEncodingByDefault = false
    response.shouldKeepAlive = false
    response.writeHead(200, STREAM_HEADERS)
    response.flushHeaders()
    const outlet = new StreamSocket(socket)
    outlet.#takeOver()
    return outlet
  }

  /** Who is told when the socket has room again, and when it is gone. */
  attach(member: Member): void {
    this.#member = member
    if (this.#gone) member.gone()
  }

  write(bytes: Buffer): boolean {
    return this.#socket.write(bytes)
  }

  end(bytes?: Buffer): void {
    if (bytes) this.#socket.write(bytes)
    this.#socket.end()
    const timer = setTimeout(() => this.#socket.destroy(), END_GRACE_MS)
    this.#socket.once('close', () => clearTimeout(timer))
  }

  destroy(): void {
    this.#socket.destroy()
  }

  #takeOver(): void {
    const socket = this.#socket
    socket.setTimeout(0)
    socket.setNoDelay(true)
    socket.setKeepAlive(true, KEEP_ALIVE_MS)
    socket.on('drain', () => this.#member?.drained())
    // Nothing may follow a stream on its connection, and a client that has said its last word has gone.
    socket.on('data', () => socket.destroy())
    socket.on('end', () => socket.destroy())
    socket.on('close', () => {
      this.#gone = true
      this.#member?.gone()
    })
  }
}
