/**
 * How long an id is remembered: a request whose body takes longer is given up (`TIMEOUTS.requestTimeout`), so that no
 * later one can be overtaken.
 */
const REMEMBERED_MS = 30_000
/** Limit of a stream, that of its operations: more cannot be on their way. */
const MAX_IDS = 200
/** Limit of all streams of the process: at some 200 bytes for each, these take 10 MB. */
const MAX_ALL_IDS = 50_000

interface Entry {
  readonly ids: RecentIds
  readonly id: string
  /** A stop came, and no operation yet; otherwise an operation has ended, and no stop came yet. */
  readonly isStopped: boolean
  /** In milliseconds of the monotonic clock. */
  readonly at: number
}

/** The entries of all streams, oldest first: what is too old or too many is forgotten with each new one. */
export class AllRecentIds {
  readonly #entries = new Set<Entry>()
  readonly #now: () => number

  constructor(now = (): number => performance.now()) {
    this.#now = now
  }

  get size(): number {
    return this.#entries.size
  }

  add(ids: RecentIds, id: string, isStopped: boolean): Entry {
    const entry = { ids, id, isStopped, at: this.#now() }
    this.#entries.add(entry)
    for (const oldest of this.#entries) {
      if (this.#entries.size <= MAX_ALL_IDS && this.isFresh(oldest)) break
      oldest.ids.forget(oldest)
    }
    return entry
  }

  isFresh({ at }: Entry): boolean {
    return at > this.#now() - REMEMBERED_MS
  }

  delete(entry: Entry): void {
    this.#entries.delete(entry)
  }
}

/**
 * The ids of a stream whose stop and whose operation have not both been seen. An operation and its stop are two requests,
 * which may overtake each other: each stop is for one operation, the one that runs, or one that has ended by itself, or the
 * next one with its id. Bounded: what is forgotten too early runs until its stream ends.
 */
export class RecentIds {
  readonly #all: AllRecentIds
  readonly #entries = new Map<string, Entry>()
  #isClosed = false

  constructor(all: AllRecentIds) {
    this.#all = all
  }

  /** The request of an operation has come: a stop after it is for this operation, and for none before. */
  arrived(id: string): void {
    const entry = this.#entries.get(id)
    if (entry && !entry.isStopped) this.forget(entry)
  }

  /** Whether a stop came before the operation, which has to end at once. */
  isStopped(id: string): boolean {
    const entry = this.#entries.get(id)
    return entry?.isStopped === true && this.#all.isFresh(entry)
  }

  /** An operation has ended, or was refused. If no stop came for it, one may be on its way. */
  ended(id: string): void {
    const entry = this.#entries.get(id)
    if (entry?.isStopped) this.forget(entry)
    if (!entry?.isStopped || !this.#all.isFresh(entry)) this.#remember(id, false)
  }

  /** A stop came: for the operation that has ended last, if it had none, or for the next one. */
  stopped(id: string): void {
    const entry = this.#entries.get(id)
    if (entry && !entry.isStopped && this.#all.isFresh(entry)) this.forget(entry)
    else this.#remember(id, true)
  }

  /** The stream has ended: nothing is remembered any more. */
  close(): void {
    this.#isClosed = true
    for (const entry of this.#entries.values()) this.forget(entry)
  }

  forget(entry: Entry): void {
    this.#all.delete(entry)
    if (this.#entries.get(entry.id) === entry) this.#entries.delete(entry.id)
  }

  #remember(id: string, isStopped: boolean): void {
    if (this.#isClosed) return
    const same = this.#entries.get(id)
    const oldest = same ?? (this.#entries.size < MAX_IDS ? undefined : this.#entries.values().next().value)
    if (oldest) this.forget(oldest)
    this.#entries.set(id, this.#all.add(this, id, isStopped))
  }
}
