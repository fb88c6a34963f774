/** Why a connection was ended: there were as many as there may be, of its address or of all. */
export type LimitReason = 'address' | 'limit'
/** What was ended for it: the new one, or one that was idle. */
export type Closed = 'new' | 'idle'

/** Connections that wait for their clients, each kind with the longest waiting first: the order in which they are ended. */
class Waiting<C> {
  /** Since when (milliseconds) the head of a request is to come: the first one, or another after an answer. */
  readonly idle = new Map<C, number>()
  /** The head of their request has come; the body may still be on its way. */
  readonly asking = new Set<C>()
}

interface Source<C> extends Waiting<C> {
  connections: number
}

interface Entry<C> {
  name: string | undefined
  /** Undefined: its source is not limited, or was not asked for yet. */
  source: Source<C> | undefined
  /** Requests that have not been answered. */
  requests: number
  /** It has never sent a whole head. */
  isUnused: boolean
}

export interface ConnectionLimitOptions<C> {
  readonly max: number
  readonly maxPerSource: number
  /** Where a connection comes from; undefined: it is not limited by source. */
  readonly sourceOf: (connection: C) => string | undefined
  /** Whether the request of a connection has not arrived whole. */
  readonly isArriving: (connection: C) => boolean
}

/**
 * Bounds connections that are no streams, in number and by source.
 *
 * At a limit the connection ends that has been idle longest, or, where none is idle, the one whose request has been
 * arriving longest. So whoever holds connections open and sends nothing keeps
 * nobody else out: a client that sends its request at once is ended only if as many connections come before its first
 * bytes as there may be. The new one is ended only where all others have requests that are being answered.
 * A stream is none of these connections (`remove`), and is never ended here: its client would come back at once.
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
   * Those whose source was not asked for. It costs time and memory for each, and no source has too many while all
   * together are fewer than one may have.
   */
  readonly #unresolved = new Set<C>()
  /** From then on each is asked for, until there are half as many. */
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

  /** Whether it has a request that was not answered. */
  isAsking(connection: C): boolean {
    return (this.#entries.get(connection)?.requests ?? 0) > 0
  }

  /** Those that have had an answer, and are kept by their clients for more. */
  *kept(): Iterable<C> {
    for (const connection of this.#waiting.idle.keys()) if (!this.isUnused(connection)) yield connection
  }

  /** Those that have been idle since before this moment of the monotonic clock. */
  *idleSince(moment: number): Iterable<C> {
    for (const [connection, since] of this.#waiting.idle) {
      if (since >= moment) return
      yield connection
    }
  }

  /**
   * Counts a new connection.
   * @returns a connection that has to be ended for it, which may be itself, and is no longer counted.
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

  /** The head of a request has come. */
  asked(connection: C): void {
    const entry = this.#entries.get(connection)
    if (!entry) return
    entry.requests++
    entry.isUnused = false
    this.#move(connection, entry, 'asking')
  }

  /** A request was answered whole. */
  answered(connection: C): void {
    const entry = this.#entries.get(connection)
    if (entry && --entry.requests === 0) this.#move(connection, entry, 'idle')
  }

  /** It has ended, or has become a stream. */
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
    // All anew, in the order that those of all sources have.
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
      // It has arrived meanwhile, and is not looked at again before it has been answered.
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
