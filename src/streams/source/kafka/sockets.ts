import { connect as connectTcp, isIP, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { type ConnectionOptions, connect as connectTls } from 'node:tls'

/** Brokers close what is quiet for 10 minutes; this only finds peers that are gone without a word. */
const KEEP_ALIVE_MS = 60_000

/**
 * The connections of one client, which can be cut: kafkajs closes a connection only after the answers to its requests,
 * and a broker that is frozen gives none.
 */
export class Sockets {
  readonly #open = new Set<Socket>()
  #cut = false

  /** What kafkajs takes as its `socketFactory`. */
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

  /** Waits at most this long for what is being closed in good order, then cuts what is left, and lets nothing new in. */
  async closeWithin(ms: number, closed: Promise<unknown>): Promise<void> {
    const timer = new AbortController()
    const timeout = delay(ms, undefined, { signal: timer.signal })
    // Either may fail: a connection that cannot be closed in good order is cut.
    await Promise.race([closed.catch(() => {}), timeout.catch(() => {})])
    timer.abort()
    this.#cut = true
    for (const socket of this.#open) socket.destroy(new Error('The client is closed'))
  }
}
