/** Connections to a cluster, good for any number of questions at once. */
export interface Connection {
  connect(): Promise<void>
  /** Closes everything in a bounded time, whatever the brokers do; also while it is connecting. */
  end(): Promise<void>
}

/** Connections in use, by how many; once they are retired, by nobody new. */
export interface PooledConnection<C extends Connection> {
  readonly connection: C
  readonly connected: Promise<void>
  users: number
  retired: boolean
}

/**
 * Connections that are made when first needed, shared by all who need them at the time, ended when they were idle for
 * a while, and recreated the next time. Those that have failed are retired: whoever is using them may still finish.
 */
export class ConnectionPool<C extends Connection> {
  readonly #open: () => C
  readonly #idleMs: number
  readonly #closed: AbortSignal
  readonly #inUse = new Set<PooledConnection<C>>()
  readonly #ending = new Set<Promise<void>>()
  #current: PooledConnection<C> | undefined
  #idle: NodeJS.Timeout | undefined

  /** Once `closed` is aborted, everything is ended, used or not, and nothing is to be taken any more. */
  constructor(open: () => C, idleMs: number, closed: AbortSignal) {
    this.#open = open
    this.#idleMs = idleMs
    this.#closed = closed
    closed.addEventListener('abort', () => {
      clearTimeout(this.#idle)
      for (const shared of this.#inUse) this.#end(shared)
    })
  }

  /** To be given back. */
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

  /** Resolves when what is being ended has ended. */
  async ended(): Promise<void> {
    await Promise.all(this.#ending)
  }

  #end(shared: PooledConnection<C>): void {
    if (!this.#inUse.delete(shared)) return
    const ended = shared.connection.end().finally(() => this.#ending.delete(ended))
    this.#ending.add(ended)
  }
}
