/** An entry that is kept for as long as it says something that a new one would not. */
export interface Live {
  /** Whether a new entry could take its place, at `now` in milliseconds of the monotonic clock. */
  isIdle(now: number): boolean
}

export interface LiveMapOptions<T> {
  readonly maxBytes: number
  /** Heap bytes of an entry without its key. */
  readonly entryBytes: number
  readonly create: (key: string) => T
  /** The entry of all keys for which there is no room. */
  readonly rest: T
  readonly onEvicted?: (entry: T, key: string) => void
}

/** Heap bytes of a place in a Map, with the header of its key. */
const PLACE_BYTES = 64
/** Entries that are looked at to make room for one: a new key costs no more than this. */
const PROBES = 4

/**
 * A map of clients, bounded in bytes. An entry is evicted only when it is idle: who makes up keys can thereby neither
 * reset an entry of its own nor forget anybody else's. Where all are live, new keys share one entry, `rest`.
 */
export class LiveMap<T extends Live> {
  readonly rest: T
  readonly #options: LiveMapOptions<T>
  readonly #entries = new Map<string, T>()
  /**
   * The hand of a clock: where to look for room next. It is kept, since a new iterator would first pass the places of all
   * entries that were deleted.
   */
  #hand = this.#entries.entries()
  #bytes = 0

  constructor(options: LiveMapOptions<T>) {
    this.#options = options
    this.rest = options.rest
  }

  get size(): number {
    return this.#entries.size
  }

  /** Estimated heap bytes. */
  get bytes(): number {
    return this.#bytes
  }

  peek(key: string): T | undefined {
    return this.#entries.get(key)
  }

  /** The entry of a key: its own, a new one, or `rest`. */
  of(key: string, now: number): T {
    const known = this.#entries.get(key)
    if (known) return known
    const { maxBytes, create, rest } = this.#options
    const bytes = this.#bytesOf(key)
    if (this.#bytes + bytes > maxBytes) this.#makeRoom(bytes, now)
    if (this.#bytes + bytes > maxBytes) return rest
    const entry = create(key)
    this.#entries.set(key, entry)
    this.#bytes += bytes
    return entry
  }

  [Symbol.iterator](): Iterator<[string, T]> {
    return this.#entries[Symbol.iterator]()
  }

  /** Looks at the next few, in turn. */
  #makeRoom(bytes: number, now: number): void {
    const { maxBytes, onEvicted } = this.#options
    for (let probes = 0; probes < PROBES && this.#bytes + bytes > maxBytes; probes++) {
      const next = this.#hand.next()
      if (next.done) {
        this.#hand = this.#entries.entries()
        continue
      }
      const [key, entry] = next.value
      if (!entry.isIdle(now)) continue
      this.#entries.delete(key)
      this.#bytes -= this.#bytesOf(key)
      onEvicted?.(entry, key)
    }
  }

  #bytesOf(key: string): number {
    return this.#options.entryBytes + PLACE_BYTES + 2 * key.length
  }
}
