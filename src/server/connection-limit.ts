/** Limit that ended a connection: of its address, or of all. */
export type LimitReason = 'address' | 'limit'
/** The connection that was ended: the new one, or an idle one. */
export type Closed = 'new' | 'idle'

/** Connections without a complete request, each kind oldest first, which is the order of eviction. */
class Waiting<C> {
  /** Waiting for a request's head (the first or a later one), with the start in milliseconds. */
  readonly idle = new Map<C, number>()
  /** The head has arrived; the body may still be incomplete. */
  readonly asking = new Set<C>()
}

interface Source<C> extends Waiting<C> {
  connections: number
}

interface Entry<C> {
  name: string | undefined
  /** Undefined: its source is not limited, or not resolved yet. */
  source: Source<C> | undefined
  /** Requests that have not been answered. */
  requests: number
  /** It has never sent a complete head. */
  isUnused: boolean
}

export interface ConnectionLimitOptions<C> {
  readonly max: number
  readonly maxPerSource: number
  /** Source of a connection; undefined: it is not limited by source. */
  readonly sourceOf: (connection: C) => string | undefined
  /** Whether the request of a connection is incomplete. */
  readonly isArriving: (connection: C) => boolean
}

/**
 * Bounds connections that are not streams, in number and by source.
 * Eviction: at a limit the connection that has been idle longest is ended, or, without idle ones, the one whose request
 * has been arriving longest. Connections that send nothing therefore cannot exclude others. A client that sends its
 * request at once is ended only if as many connections as the limit arrive before its first bytes. The new connection
 * is ended only where all others have requests in progress. A stream is removed from these connections (`remove`), and
 * never ended here: its client would reconnect at once.
 */
export class ConnectionLimit<C extends object> {
  readonly max: number
  readonly maxPerSource: number
  readonly ended: Record<LimitReason, Record<Closed, number>> = {
    address: { new: 0, idle: 0 },
    limit: { new: 0, idle: 0 },
  }
  readonly #entries = new Map<C, Entry<C>>()
  readonly #waiting = new Waiting<C>()
  readonly #sources = new Map<string, Source<C>>()
  /**
   * Connections whose source is not resolved. Resolving costs time and memory for each, and no source can exceed its
   * limit while the total is below that.
   */
  readonly #unresolved = new Set<C>()
  /** Hysteresis: set when the total reaches one source's limit, until it is half of that. */
  #isResolving = false
  readonly #sourceOf: (connection: C) => string | undefined
  readonly #isArriving: (connection: C) => boolean

  constructor({ max, maxPerSource, sourceOf, isArriving }: ConnectionLimitOptions<C>) {
    this.max = max
    this.maxPerSource = maxPerSource
    this.#sourceOf = sourceOf
    this.#isArriving = isArriving
  }

  get size(): number {
    return this.#entries.size
  }

  isUnused(connection: C): boolean {
    return this.#entries.get(connection)?.isUnused === true
  }

  /** Whether it has an unanswered request. */
  isAsking(connection: C): boolean {
    return (this.#entries.get(connection)?.requests ?? 0) > 0
  }

  /** Keep-alive connections between requests. */
  *kept(): Iterable<C> {
    for (const connection of this.#waiting.idle.keys()) if (!this.isUnused(connection)) yield connection
  }

  /** Connections that have been idle since before this moment of the monotonic clock. */
  *idleSince(moment: number): Iterable<C> {
    for (const [connection, since] of this.#waiting.idle) {
      if (since >= moment) return
      yield connection
    }
  }

  /**
   * Adds a new connection.
   * @returns the connection to be ended for it, possibly itself, which is no longer counted.
   */
  add(connection: C): C | undefined {
    let toEnd: C | undefined
    if (this.size < this.maxPerSource / 2) this.#isResolving = false
    else if (this.size >= this.maxPerSource && !this.#isResolving) this.#resolveAll()
    const name = this.#isResolving ? this.#sourceOf(connection) : undefined
    const from = name === undefined ? undefined : this.#sources.get(name)
    if (from && from.connections >= this.maxPerSource) toEnd = this.#choose(from, 'address', connection)
    else if (this.size >= this.max) toEnd = this.#choose(this.#waiting, 'limit', connection)
    if (toEnd === connection) return connection
    if (toEnd) this.remove(toEnd)
    const entry: Entry<C> = { name: undefined, source: undefined, requests: 0, isUnused: true }
    this.#entries.set(connection, entry)
    if (this.#isResolving) this.#join(entry, name)
    else this.#unresolved.add(connection)
    this.#move(connection, entry, 'idle')
    return toEnd
  }

  /** The head of a request has arrived. */
  asked(connection: C): void {
    const entry = this.#entries.get(connection)
    if (!entry) return
    entry.requests++
    entry.isUnused = false
    this.#move(connection, entry, 'asking')
  }

  /** A request was answered completely. */
  answered(connection: C): void {
    const entry = this.#entries.get(connection)
    if (entry && --entry.requests === 0) this.#move(connection, entry, 'idle')
  }

  /** It was closed, or has become a stream. */
  remove(connection: C): void {
    const entry = this.#entries.get(connection)
    if (!entry) return
    this.#entries.delete(connection)
    this.#unresolved.delete(connection)
    this.#move(connection, entry, undefined)
    if (!entry.source || entry.name === undefined) return
    if (--entry.source.connections === 0) this.#sources.delete(entry.name)
  }

  #resolveAll(): void {
    this.#isResolving = true
    for (const connection of this.#unresolved) {
      const entry = this.#entries.get(connection)
      if (entry) this.#join(entry, this.#sourceOf(connection))
    }
    this.#unresolved.clear()
    // Rebuilds the order from that of all sources.
    for (const source of this.#sources.values()) {
      source.idle.clear()
      source.asking.clear()
    }
    for (const [connection, since] of this.#waiting.idle)
      this.#entries.get(connection)?.source?.idle.set(connection, since)
    for (const connection of this.#waiting.asking) this.#entries.get(connection)?.source?.asking.add(connection)
  }

  #join(entry: Entry<C>, name: string | undefined): void {
    if (name === undefined) return
    let source = this.#sources.get(name)
    if (!source) {
      source = Object.assign(new Waiting<C>(), { connections: 0 })
      this.#sources.set(name, source)
    }
    source.connections++
    entry.name = name
    entry.source = source
  }

  #choose(among: Waiting<C>, reason: LimitReason, newOne: C): C {
    const idle = this.#longestWaiting(among)
    this.ended[reason][idle === undefined ? 'new' : 'idle']++
    return idle ?? newOne
  }

  #longestWaiting({ idle, asking }: Waiting<C>): C | undefined {
    for (const connection of idle.keys()) return connection
    for (const connection of asking) {
      const entry = this.#entries.get(connection)
      if (entry?.requests === 1 && this.#isArriving(connection)) return connection
      // It has arrived, and is not a candidate again before it has been answered.
      this.#move(connection, entry, undefined)
    }
    return undefined
  }

  #move(connection: C, entry: Entry<C> | undefined, to: keyof Waiting<C> | undefined): void {
    for (const waiting of [this.#waiting, entry?.source]) {
      if (!waiting) continue
      waiting.idle.delete(connection)
      waiting.asking.delete(connection)
      if (to === 'idle') waiting.idle.set(connection, performance.now())
      else if (to === 'asking') waiting.asking.add(connection)
    }
  }
}
