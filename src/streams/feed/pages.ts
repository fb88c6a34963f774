import { setTimeout as delay } from 'node:timers/promises'
import { LRUCache } from 'lru-cache'
import { type Gap, type RawRecord, type StreamEvent, valueLengthOf } from '../event.ts'
import { gapAt } from '../source/gap-at.ts'
import { type Source, SourceUnavailable } from '../source/port.ts'
import { type DecodeOptions, decode } from '../topic/decode.ts'
import type { Preparation } from '../topic/preparation.ts'
import type { Topic } from '../topic/topic.ts'
import { SCANS } from '../turn-budget.ts'
import { Postings } from './postings.ts'
import { preparedUpTo } from './prepared-up-to.ts'
import { eventBytes } from './size.ts'

/** Alignment of pages: readers at nearby positions share the same pages. */
export const PAGE_OFFSETS = 1024
/** Size of one fetch, in bytes of records: a few pages. */
const FETCH_BYTES = 1024 * 1024
/** Limit of concurrent fetches of one topic, for all readers of its pages. */
const MAX_FETCHES = 4
/** Limit of the decoded pages of one topic that are cached, in bytes: some 100,000 events. */
const CACHE_BYTES = 64 * 1024 * 1024
/** A record of this many bytes is two units of work (see turn-budget.ts). */
const UNIT_BYTES = 512
/** Attempts of a fetch whose offset has left the log: retention moves the log's start during the fetch. */
const MAX_TRIES = 10
/** Exponential backoff with jitter, between attempts to reach the log. */
const RETRY_FIRST_MS = 200
const RETRY_LAST_MS = 5_000
const PAGE_BYTES = 256

/**
 * Decoded events of one partition between two offsets. A page ends early if the log, or what the live reader had read of
 * it, did when it was read.
 */
export interface Page<V = unknown> {
  readonly kind: 'page'
  readonly partition: number
  /** Every event at this offset or after it, */
  readonly from: number
  /** and before this one, is among the events. */
  readonly next: number
  readonly events: readonly StreamEvent<V>[]
  /** By indexed property and value, the places in `events`. `Pages` adds them: see `lookUpIn`. */
  postings?: Postings
}

export interface PagesOptions<V> {
  readonly topic: Topic<V>
  readonly source: Source
  readonly signal: AbortSignal
  /** Offset of a partition that the live reader wants next. */
  readonly headOf: (partition: number) => number
  readonly maxEventBytes?: number | undefined
  readonly preparation?: Preparation | undefined
}

/** A page, and what the cache knows of it. */
interface CachedPage<V> {
  readonly page: Page<V>
  bytes: number
  /** A reader that looks only for some of its events has opened it. */
  isSearched: boolean
}

/**
 * Pages of a topic's log, read on demand and apart from the live reader. Readers at nearby positions share fetching and
 * decoding. Each reads at its own pace.
 *
 * Pages hold nothing that the live reader has not read: it is what notices a truncation, and only of what it has read.
 */
export class Pages<V> {
  readonly #topic: Topic<V>
  readonly #source: Source
  readonly #signal: AbortSignal
  readonly #headOf: (partition: number) => number
  readonly #decoding: DecodeOptions
  readonly #preparation: Preparation | undefined
  readonly #cache = new LRUCache<string, CachedPage<V>>({
    maxSize: CACHE_BYTES,
    sizeCalculation: ({ bytes }) => bytes,
  })
  readonly #loading = new Map<string, Promise<Page<V> | Gap>>()
  readonly #waiting: (() => void)[] = []
  #fetching = 0
  /** Aborted when the log is found to be truncated or recreated. */
  #sameLog = new AbortController()

  constructor({ topic, source, signal, headOf, maxEventBytes, preparation }: PagesOptions<V>) {
    this.#topic = topic
    this.#source = source
    this.#signal = signal
    this.#headOf = headOf
    this.#decoding = { maxBytes: maxEventBytes }
    this.#preparation = preparation
  }

  /** Memory of the cached pages. */
  get bytes(): number {
    return this.#cache.calculatedSize
  }

  /**
   * The page that holds `offset`; or the gap, if the log no longer holds it. A page that ends at `offset` means that
   * there is no record yet.
   * @throws SourceUnavailable when the log cannot be reached; it may be tried again later.
   */
  page(partition: number, offset: number): Page<V> | Promise<Page<V> | Gap> {
    const key = keyOf(partition, offset)
    const known = this.#cache.get(key)?.page
    if (known && known.from <= offset && offset < known.next) return known
    const loading = this.#loading.get(key) ?? this.#load(key, partition, offset)
    // The shared fetch may have been started for another offset of the page.
    return loading.then((found) => {
      const fits = found.kind === 'gap' ? found.from === offset : found.from <= offset && offset <= found.next
      return fits ? found : this.page(partition, offset)
    })
  }

  /**
   * As `page`, but retries while the log cannot be reached, or does not reach `offset` yet, as long as `isWanted`.
   * Undefined: it is no longer wanted, or the log was recreated and may never reach `offset`.
   */
  patiently(partition: number, offset: number, isWanted: () => boolean): Page<V> | Promise<Page<V> | Gap | undefined> {
    const found = this.page(partition, offset)
    return found instanceof Promise ? this.#patiently(found, partition, offset, isWanted) : found
  }

  /**
   * A reader opens a page to look for some of its events. The second one has postings made, which cost as much as one
   * search without them: for a single reader they would be in vain.
   */
  lookUpIn(page: Page<V>): void {
    const key = keyOf(page.partition, page.from)
    const cached = this.#cache.peek(key)
    if (cached?.page !== page || page.postings || this.#topic.indexed.size === 0) return
    if (cached.isSearched) {
      const postings = new Postings(this.#topic.indexed)
      const bytes = page.events.reduce((sum, event) => sum + postings.push(event), 0)
      page.postings = postings
      cached.bytes += bytes
      // What is set again is not counted again.
      this.#cache.delete(key)
      this.#cache.set(key, cached)
    }
    cached.isSearched = true
  }

  /** Prefetches a page. */
  prefetch(partition: number, offset: number): void {
    const key = keyOf(partition, offset)
    if (this.#cache.has(key) || this.#loading.has(key) || this.#waiting.length > 0) return
    // The error is reported to the reader that asks for the page.
    this.#load(key, partition, offset).catch(() => {})
  }

  /** The log was truncated or recreated: pages and pending fetches are of the former log, and are dropped. */
  restart(): void {
    this.#sameLog.abort()
    this.#sameLog = new AbortController()
    this.#cache.clear()
    this.#loading.clear()
  }

  async #patiently(first: Promise<Page<V> | Gap>, partition: number, offset: number, isWanted: () => boolean) {
    const { signal } = this.#sameLog
    const isOver = () => signal.aborted || !isWanted()
    let asked: Promise<Page<V> | Gap> = first
    for (let wait = RETRY_FIRST_MS; ; wait = Math.min(wait * 2, RETRY_LAST_MS)) {
      const found = await asked.catch((error: Error) => {
        if (error instanceof SourceUnavailable || this.#signal.aborted) return undefined
        throw error
      })
      if (isOver()) return undefined
      if (found && (found.kind === 'gap' || found.next > offset)) return found
      await delay(wait * (0.5 + Math.random()), undefined, { signal }).catch(() => {})
      if (isOver()) return undefined
      asked = Promise.resolve(this.page(partition, offset))
    }
  }

  #load(key: string, partition: number, offset: number): Promise<Page<V> | Gap> {
    const loading = this.#inTurn(() => this.#fetch(partition, offset)).finally(() => {
      if (this.#loading.get(key) === loading) this.#loading.delete(key)
    })
    this.#loading.set(key, loading)
    return loading
  }

  async #fetch(partition: number, offset: number): Promise<Page<V> | Gap> {
    const start = offset - (offset % PAGE_OFFSETS)
    const { signal } = this.#sameLog
    const known = this.#cache.peek(keyOf(partition, offset))?.page
    const before = known && known.from <= offset ? known : undefined
    let from = before?.from ?? start
    let at = before?.next ?? start
    const events: StreamEvent<V>[] = before ? [...before.events] : []
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      // As it was before the fetch: what the live reader passes during it may be of another log than what is fetched.
      const head = this.#headOf(partition)
      const fetched = await this.#source.fetch(this.#topic.name, partition, at, FETCH_BYTES, this.#signal)
      if (signal.aborted) return this.#fetch(partition, offset)
      if (fetched.kind === 'out_of_range') {
        const gap = gapAt(offset, fetched.range)
        // What the live reader has read, and the log does not reach: it is waited for. Perhaps a new leader lags. If it
        // was truncated, the live reader tells, and only then is all that is known of the former log dropped.
        if (gap?.reason === 'truncation') return { kind: 'page', partition, from: offset, next: offset, events: [] }
        if (gap) return { kind: 'gap', topic: this.#topic.name, partition, from: offset, ...gap }
        // The page begins before the oldest retained offset. No reader asked for that part.
        from = Math.max(start, fetched.range.earliest)
        at = from
        events.length = 0
        continue
      }
      const reached = Math.max(at, Math.min(fetched.nextOffset, head))
      const next = await preparedUpTo(this.#preparation, fetched.records, at, reached, this.#signal)
      await this.#decode(fetched.records, next, events)
      if (signal.aborted) return this.#fetch(partition, offset)
      const isEnd = at === offset && next === at
      at = next
      if (at > offset || isEnd) return this.#keep(partition, offset, from, at, events)
      // Large records: the part of the page before `offset` would take many fetches.
      from = offset
      at = offset
      events.length = 0
    }
    throw new SourceUnavailable(`What partition ${partition} of "${this.#topic.name}" holds keeps changing`)
  }

  /** The records before the offset `next`. */
  async #decode(records: readonly RawRecord[], next: number, events: StreamEvent<V>[]): Promise<void> {
    const after = records.findLastIndex(({ offset }) => offset < next) + 1
    let index = 0
    while (index < after) {
      if (index > 0) await SCANS.next()
      SCANS.begin()
      while (index < after) {
        const record = records[index++] as RawRecord
        const event = decode(this.#topic, record, this.#decoding)
        // Tombstones and failures were counted when the live reader read them, and invalid records dead-lettered.
        if ('kind' in event) events.push(event)
        if (SCANS.isUsedUp(1 + valueLengthOf(record) / UNIT_BYTES)) break
      }
      SCANS.end()
    }
  }

  /** Splits fetched records into pages and caches them. Returns the page that holds `offset`. */
  #keep(partition: number, offset: number, from: number, next: number, events: readonly StreamEvent<V>[]): Page<V> {
    let asked: Page<V> | undefined
    let begin = 0
    let pageFrom = from
    do {
      const end = pageFrom - (pageFrom % PAGE_OFFSETS) + PAGE_OFFSETS
      let stop = begin
      while (stop < events.length && (events[stop] as StreamEvent<V>).offset < end) stop++
      // A hole is passed in one step, however long: it ends with the page that holds the next record.
      const following = events[stop]?.offset
      const pageNext = following === undefined ? next : following - (following % PAGE_OFFSETS)
      const page: Page<V> = {
        kind: 'page',
        partition,
        from: pageFrom,
        next: pageNext,
        events: events.slice(begin, stop),
      }
      const bytes = page.events.reduce((sum, event) => sum + eventBytes(event, this.#topic.validator), PAGE_BYTES)
      this.#cache.set(keyOf(partition, pageFrom), { page, bytes, isSearched: false })
      if (!asked && (offset < pageNext || pageNext >= next)) asked = page
      begin = stop
      pageFrom = pageNext
    } while (pageFrom < next)
    return asked as Page<V>
  }

  async #inTurn<T>(act: () => Promise<T>): Promise<T> {
    if (this.#fetching >= MAX_FETCHES) await new Promise<void>((resolve) => this.#waiting.push(resolve))
    else this.#fetching++
    try {
      return await act()
    } finally {
      const next = this.#waiting.shift()
      if (next) next()
      else this.#fetching--
    }
  }
}

function keyOf(partition: number, offset: number): string {
  return `${partition}:${Math.floor(offset / PAGE_OFFSETS)}`
}
