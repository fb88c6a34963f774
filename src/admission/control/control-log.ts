import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises'
import type { Logger } from 'pino'
import { RateLimit } from '../../errors/rate-limit.ts'
import { type Positions, type RawRecord, valueLengthOf } from '../../streams/event.ts'
import { type Batch, type Reader, type Sink, type Source, SourceUnavailable } from '../../streams/source/port.ts'
import type { Readiness } from '../../streams/streams.ts'
import { loadPartition } from '../../streams/table/load.ts'
import type { Control } from './control.ts'
import {
  type ControlEntry,
  type ControlRecord,
  controlValue,
  MAX_RECORD_BYTES,
  readControlRecord,
} from './control-entry.ts'
import { type ControlList, isInForce } from './control-list.ts'

/** Exponential backoff with jitter, between attempts to reach the log. */
const RETRY_FIRST_MS = 200
const RETRY_LAST_MS = 5_000
/** Longest wait for Kafka's confirmation: an operator waits for the answer, and is to know in time that it failed. */
const WRITE_TIMEOUT_MS = 10_000
/** Rate limit of log lines about records that cannot be read. */
const LOG_INTERVAL_MS = 10_000
/** Records of a batch that are taken in one turn: half a millisecond. */
const TAKEN_AT_ONCE = 128

const utf8 = new TextDecoder('utf-8', { fatal: true })

export interface ControlLogOptions {
  readonly control: Control
  readonly topic: string
  readonly source: Source
  readonly kafka: {
    /** Creates a compacted topic, if there is none. @throws SourceUnavailable */
    ensureTopic(topic: string): Promise<void>
    /** A decision must not wait for what else is written. */
    openSink(): Sink
  }
  /** Without it this instance is not ready, since it does not know which credentials are revoked. */
  readonly isRequired: boolean
  readonly log: Logger
}

type State =
  | { readonly kind: 'loading' }
  | { readonly kind: 'following' }
  /** `reason` is a sentence. What is known stays in force. */
  | { readonly kind: 'waiting'; readonly reason: string }

/**
 * The compacted topic by which all instances know what is revoked and blocked. Each reads it from its beginning, and
 * follows it. Decisions are appended to it; the order in the log is the order for all.
 */
export class ControlLog implements Reader {
  /** Records that are no decisions, and decisions for which there was no room. */
  readonly stats = { invalid: 0, overflowed: 0 }
  readonly #options: ControlLogOptions
  readonly #sink: Sink
  readonly #stop = new AbortController()
  readonly #warnings = new RateLimit(LOG_INTERVAL_MS)
  /** Decisions that were made here, and have not come by the log: they are in force all the same. */
  readonly #unseen = new Map<string, ControlEntry>()
  #state: State = { kind: 'loading' }
  #hasTopic = false
  #running: Promise<void> = Promise.resolve()
  /** Ends the present reading, after which the topic is loaded again. */
  #reading = new AbortController()

  constructor(options: ControlLogOptions) {
    this.#options = options
    this.#sink = options.kafka.openSink()
    if (options.isRequired) options.control.awaitLoad()
  }

  get isFollowing(): boolean {
    return this.#state.kind === 'following'
  }

  start(): void {
    this.#running = this.#run()
  }

  async close(): Promise<void> {
    this.#stop.abort()
    await this.#running
  }

  /** The readiness of an instance whose readiness is this but for the control topic. */
  within(readiness: Readiness): Readiness {
    const { isRequired, topic, control } = this.#options
    const state = this.#state
    const isMissing = isRequired && !control.isKnown
    if (isMissing) {
      const own = `Control topic "${topic}": ${state.kind === 'waiting' ? state.reason : 'It is being loaded'}`
      const isFilling = state.kind === 'loading' && (readiness.ready || (readiness.isFilling ?? false))
      return { ready: false, reason: readiness.ready ? own : `${readiness.reason}; ${own}`, isFilling }
    }
    if (state.kind !== 'waiting' || !readiness.ready) return readiness
    const note = `Control topic "${topic}": ${state.reason}; what is known stays in force`
    return { ready: true, notes: [...(readiness.notes ?? []), note] }
  }

  /**
   * Appends a decision, or without `entry` that the one of the key is undone. Resolves when all replicas have it.
   * @throws SourceUnavailable
   */
  async write(key: string, entry: ControlEntry | undefined): Promise<void> {
    const { topic } = this.#options
    if (entry) this.#unseen.set(key, entry)
    if (!this.#hasTopic) {
      const why = this.#state.kind === 'waiting' ? this.#state.reason : 'It is not known yet'
      throw new SourceUnavailable(`There is no control topic "${topic}": ${why}`)
    }
    const late = new AbortController()
    try {
      await Promise.race([
        this.#sink.send(topic, [{ key, value: entry ? controlValue(entry) : null }]),
        delay(WRITE_TIMEOUT_MS, undefined, { signal: late.signal }).then(() => {
          throw new SourceUnavailable(`Kafka has not confirmed it within ${WRITE_TIMEOUT_MS / 1_000} s`)
        }),
      ])
      if (!entry) this.#unseen.delete(key)
    } catch (error) {
      // Meanwhile one of before may have come by the log, and replaced it.
      if (entry) this.#unseen.set(key, entry)
      if (entry) this.#options.control.put(entry)
      throw error
    } finally {
      late.abort()
    }
  }

  onBatch({ records }: Batch): Promise<void> | undefined {
    if (records.length <= TAKEN_AT_ONCE) {
      this.#follow(records)
      return undefined
    }
    return this.#followAll(records)
  }

  /** Decisions were lost or replaced. */
  onGap(): void {
    this.#reading.abort()
  }

  onState(state: Parameters<Reader['onState']>[0]): void {
    if (state.kind === 'reading') this.#become({ kind: 'following' })
    else this.#become({ kind: 'waiting', reason: state.reason })
  }

  onFault(error: unknown): void {
    this.#options.log.error({ err: error, topic: this.#options.topic }, 'The reader made a mistake, and goes on')
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop
    for (let wait = RETRY_FIRST_MS; !signal.aborted; wait = Math.min(wait * 2, RETRY_LAST_MS)) {
      try {
        const positions = await this.#load()
        wait = RETRY_FIRST_MS
        await this.#read(positions)
      } catch (error) {
        if (signal.aborted) return
        this.#become({ kind: 'waiting', reason: error instanceof Error ? error.message : String(error) })
      }
      await delay(wait * (0.5 + Math.random()), undefined, { signal }).catch(() => {}) // closed: the loop looks
    }
  }

  /** Reads the topic from its beginning, and replaces what is known by what it has. */
  async #load(): Promise<Positions> {
    const { control, source, topic, kafka } = this.#options
    const { signal } = this.#stop
    if (!this.#hasTopic) await kafka.ensureTopic(topic)
    const ranges = await source.ranges(topic)
    this.#hasTopic = true
    const list = control.newList()
    let overflowed = 0
    const take = (record: RawRecord): void => {
      const read = this.#decode(record)
      if (!read) return
      if (read.entry?.at === this.#unseen.get(read.key)?.at) this.#unseen.delete(read.key)
      if (!this.#put(list, read)) overflowed++
    }
    const positions = new Map<number, number>()
    for (const range of ranges) {
      await loadPartition({ topic, source, range, end: range.next, take, isWanted: () => true, signal })
      positions.set(range.partition, range.next)
    }
    signal.throwIfAborted()
    for (const entry of this.#unseen.values()) list.put(entry)
    if (overflowed > 0 && !control.isKnown) {
      throw new Error(`It has ${overflowed} decisions more than this instance holds`)
    }
    control.replace(list)
    this.#enforce()
    return positions
  }

  async #read(positions: Positions): Promise<void> {
    const { source, topic } = this.#options
    this.#reading = new AbortController()
    const signal = AbortSignal.any([this.#stop.signal, this.#reading.signal])
    await source.read(topic, positions, this, signal)
    if (!signal.aborted) throw new Error('The reader ended by itself')
  }

  async #followAll(records: readonly RawRecord[]): Promise<void> {
    for (let from = 0; from < records.length && !this.#stop.signal.aborted; from += TAKEN_AT_ONCE) {
      if (from > 0) await nextTurn()
      this.#follow(records.slice(from, from + TAKEN_AT_ONCE))
    }
  }

  #follow(records: readonly RawRecord[]): void {
    const { list } = this.#options.control
    let isNew = false
    for (const record of records) {
      const read = this.#decode(record)
      if (!read) continue
      const { key, entry } = read
      // The log has decided: what was decided here, and is not there, comes after it.
      this.#unseen.delete(key)
      if (entry && list.get(entry)?.at === entry.at) continue
      this.#put(list, read)
      isNew ||= entry !== undefined
    }
    if (isNew) this.#enforce()
  }

  /** False: there is no room for it. */
  #put(list: ControlList, { key, entry }: ControlRecord): boolean {
    if (!entry || !isInForce(entry, Date.now())) {
      list.delete(key)
      return true
    }
    if (list.put(entry)) return true
    this.stats.overflowed++
    this.#warn({ key }, 'A decision of the control topic has no room, and is not in force here')
    return false
  }

  /** Undefined: it is no decision. It is counted and skipped, and what was known stays in force. */
  #decode(record: RawRecord): ControlRecord | undefined {
    try {
      const bytes = valueLengthOf(record)
      if (bytes > MAX_RECORD_BYTES) throw new Error(`It has ${bytes} bytes, more than ${MAX_RECORD_BYTES}`)
      const { value } = record
      const key = record.keyText ? record.keyText() : (record.key?.toString() ?? null)
      return readControlRecord(key, value === null ? null : utf8.decode(value))
    } catch (error) {
      this.stats.invalid++
      const { partition, offset } = record
      const reason = error instanceof Error ? error.message : String(error)
      this.#warn({ partition, offset, reason }, 'A record of the control topic is no decision')
      return undefined
    }
  }

  #enforce(): void {
    void this.#options.control.enforce()
  }

  #become(state: State): void {
    const before = this.#state
    this.#state = state
    const { log, topic } = this.#options
    if (state.kind === 'following' && before.kind !== 'following') log.info({ topic }, 'Following the control topic')
    if (state.kind !== 'waiting' || (before.kind === 'waiting' && before.reason === state.reason)) return
    log.warn({ topic, reason: state.reason }, 'Not following the control topic')
  }

  #warn(about: object, message: string): void {
    const { log, topic } = this.#options
    this.#warnings.tell((unlogged) => log.warn({ topic, ...about, unlogged }, message), message)
  }
}
