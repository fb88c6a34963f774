import type { OperationDefinitionNode } from 'graphql'

/** Limit of names: each is a time series of every metric by name, and clients choose names. */
const MAX_NAMES = 100
/** Longer names are not told apart: people's are shorter. */
const MAX_NAME_CHARS = 64
/** Without any use for so long a name gives way to another: a scrape has had the last of it by then. */
const IDLE_MS = 10 * 60_000
/** Of operations without a name, */
const ANONYMOUS = 'anonymous'
/** and of those for whose names there was no room. Operations that are called so are counted with them. */
const OTHER = 'other'

/** What the operations of one name were and did. */
export class OperationWork {
  readonly name: string
  /** Subscriptions begun; queries and mutations executed. */
  started = 0
  /** Subscriptions that run. */
  running = 0
  executions = 0
  frames = 0
  bytes = 0
  /** Groups and others that count here. */
  users = 0
  /** When it was last taken or let go, in milliseconds of the monotonic clock. */
  usedAt = 0

  constructor(name: string) {
    this.name = name
  }

  /** A subscription begins to run. */
  begin(): void {
    this.started++
    this.running++
  }
}

/** Work by the operations' names, of which there is a bounded number. */
export class OperationCounts {
  readonly #byName = new Map<string, OperationWork>()
  readonly #other = new OperationWork(OTHER)
  readonly #maxNames: number
  readonly #now: () => number

  constructor(maxNames = MAX_NAMES, now = () => performance.now()) {
    this.#maxNames = maxNames
    this.#now = now
  }

  /** All that is counted. */
  *[Symbol.iterator](): Iterator<OperationWork> {
    yield* this.#byName.values()
    yield this.#other
  }

  /** The counters of an operation's name, to be taken in the same turn. */
  of(operation: Pick<OperationDefinitionNode, 'name'>): OperationWork {
    const name = operation.name?.value ?? ANONYMOUS
    const known = this.#byName.get(name)
    if (known) return known
    if (name === OTHER || name.length > MAX_NAME_CHARS || !this.#hasRoom()) return this.#other
    const work = new OperationWork(name)
    work.usedAt = this.#now()
    this.#byName.set(name, work)
    return work
  }

  /** Takes counters, until `release`: they stay until then. */
  take(work: OperationWork): void {
    work.users++
    work.usedAt = this.#now()
  }

  release(work: OperationWork): void {
    work.users--
    work.usedAt = this.#now()
  }

  /** Counts a query or a mutation. */
  executed(operation: OperationDefinitionNode): void {
    const work = this.of(operation)
    work.started++
    work.usedAt = this.#now()
  }

  /** Where all names are taken, the one that has been idle longest gives way, if it has for long enough. */
  #hasRoom(): boolean {
    if (this.#byName.size < this.#maxNames) return true
    let idle: OperationWork | undefined
    for (const work of this.#byName.values())
      if (work.users === 0 && work.usedAt < (idle?.usedAt ?? Infinity)) idle = work
    if (!idle || idle.usedAt > this.#now() - IDLE_MS) return false
    return this.#byName.delete(idle.name)
  }
}
