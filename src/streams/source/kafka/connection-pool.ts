/** Connections to a cluster, shared by any number of concurrent requests. */
export interface Connection {
  connect(): Promise<void>
  /** Closes everything in bounded time, even if brokers do not respond; also while connecting. */
  end(): Promise<void>
}

/** Reference count of connections in use. Retired connections are not given to new users. */
export interface PooledConnection<C extends Connection> {
  readonly connection: C
  readonly connected: Promise<void>
  users: number
  retired: boolean
}

/**
 * Pool of connections: opened at first use, shared by concurrent users, closed after an idle time, and reopened at the
 * next use. Failed connections are retired: their current users may finish.
 */
export class ConnectionPool<C extends Connection> {
  readonly #open: () => C
  readonly #idleMs: number
  readonly #closed: AbortSignal
  readonly #inUse = new Set<PooledConnection<C>>()
  readonly #ending = new Set<Promise<void>>()
  #current: PooledConnection<C> | undefined
  #idle: NodeJS.Timeout | undefined

  /** After `closed` is aborted, all connections are closed, used or not, and `take` must not be called. */
  constructor(open: () => C, idleMs: number, closed: AbortSignal) {
    this.#open = open
    this.#idleMs = idleMs
    this.#closed = closed
    closed.addEventListener('abort', () => {
      clearTimeout(this.#idle)
      for (const shared of this.#inUse) this.#end(shared)
    })
  }

  /** The caller has to release it. */
  take(): PooledConnection<C> {
    clearTimeout(this.#idle)
    if (!this.#current) {
      const connection = this.#open()
      this.#current = { connection, connected: connection.connect(), users: 0, retired: false }
      this.#inUse.add(this.#current)
    }
    this.#current.users++
    return this.#current
  }

  giveBack(shared: PooledConnection<C>): void {
    shared.users--
    if (shared.users > 0) return
    if (shared.retired) this.#end(shared)
    else if (!this.#closed.aborted) this.#idle = setTimeout(() => this.retire(shared), this.#idleMs)
  }

  retire(shared: PooledConnection<C>): void {
    shared.retired = true
    if (this.#current === shared) this.#current = undefined
    if (shared.users === 0) this.#end(shared)
  }

  /** Resolves when the closing connections are closed. */
  async ended(): Promise<void> {
    await Promise.all(this.#ending)
  }

  #end(shared: PooledConnection<C>): void {
    if (!this.#inUse.delete(shared)) return
    const ended = shared.connection.end().finally(() => this.#ending.delete(ended))
    this.#ending.add(ended)
  }
}
