import { connect as connectTcp, isIP, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { type ConnectionOptions, connect as connectTls } from 'node:tls'

/** TCP keep-alive: it only detects dead peers. Brokers close idle connections after 10 minutes. */
const KEEP_ALIVE_MS = 60_000

/**
 * The sockets of one client, which can be destroyed: kafkajs closes a connection only after the responses to its
 * requests, and a frozen broker sends none.
 */
export class Sockets {
  readonly #open = new Set<Socket>()
  #cut = false

  /** For kafkajs's option `socketFactory`. */
  readonly factory = (options: {
    host: string
    port: number
    ssl?: ConnectionOptions | undefined
    onConnect: () => void
  }): Socket => {
    const { host, port, ssl, onConnect } = options
    if (this.#cut) throw new Error('The client is closed')
    const socket = ssl
      ? connectTls({ host, port, ...(isIP(host) ? {} : { servername: host }), ...ssl }, onConnect)
      : connectTcp({ host, port }, onConnect)
    socket.setKeepAlive(true, KEEP_ALIVE_MS)
    socket.setNoDelay(true)
    this.#open.add(socket)
    socket.once('close', () => this.#open.delete(socket))
    return socket
  }

  /** Waits at most this long for an orderly close, then destroys the open sockets. New ones are refused. */
  async closeWithin(ms: number, closed: Promise<unknown>): Promise<void> {
    const timer = new AbortController()
    const timeout = delay(ms, undefined, { signal: timer.signal })
    // Either may reject: the sockets are then destroyed.
    await Promise.race([closed.catch(() => {}), timeout.catch(() => {})])
    timer.abort()
    this.#cut = true
    for (const socket of this.#open) socket.destroy(new Error('The client is closed'))
  }
}
