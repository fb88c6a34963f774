import { type Cursor, decodeCursor } from '../../src/streams/cursor/cursor.ts'
import type { Vector } from '../../src/streams/cursor/vector.ts'
import type { Asked } from '../kit/two-instances.ts'
import type { LogHistory, Written } from './history.ts'
import { Shown } from './shown.ts'

interface ToldGap {
  readonly partition: number
  readonly from: number
  readonly to: number
  readonly reason: 'retention' | 'truncation'
}

interface Result {
  readonly data?: { readonly paint?: { readonly n: number } } | null
  readonly errors?: readonly { readonly extensions: { readonly code: string; readonly gaps?: readonly ToldGap[] } }[]
  readonly extensions?: { readonly cursor?: string; readonly caughtUp?: boolean }
}

export interface ClientOptions {
  readonly asked: Asked
  /** Goes by the cursor in `extensions` instead of ids. */
  readonly cursor: boolean
  readonly markers: boolean
}

/**
 * A client that believes nothing: it takes blocks of a stream, whole ones only, and compares each with what the log
 * holds. An event that comes twice, or a position that has passed an event which was neither given nor told missing,
 * throws at once.
 */
export class Client {
  readonly asked: Asked
  readonly cursor: boolean
  readonly markers: boolean
  readonly #history: LogHistory
  /** By partition: all before it was given, or told to be gone. Undefined: before its first stream. */
  readonly #seen: number[] = []
  #started = false
  /** The era of the log that the partition is read in. */
  readonly #eras: number[] = []
  readonly #excuses: ((() => boolean) | undefined)[] = []
  /** Told to be gone by retention. */
  #gone: ToldGap[] = []
  /** What it is still to be told, by partition. */
  readonly #owed = new Map<number, string>()
  #rest = ''
  /** Of this stream, the last id. */
  #id: Vector | undefined
  #idCursor: string | undefined
  #extensionCursor: string | undefined
  /** Of this stream. */
  caughtUp = 0
  #blocks = 0
  readonly #transcript: string[] = []
  results = 0
  /** Partitions of which it was told on this stream that they had been cut. */
  readonly toldCut = new Set<number>()
  readonly onGap: (gap: ToldGap) => void
  /** With a throttle. */
  readonly #shown: Shown | undefined

  constructor(history: LogHistory, { asked, cursor, markers }: ClientOptions, onGap: (gap: ToldGap) => void) {
    this.#history = history
    this.asked = asked
    this.cursor = cursor
    this.markers = markers
    this.onGap = onGap
    this.#shown = asked.throttled && new Shown(history, asked)
  }

  /** Where it would come back to; undefined: it does not know any yet. */
  get position(): string | undefined {
    return this.cursor ? (this.#extensionCursor ?? this.#idCursor) : this.#idCursor
  }

  get decoded(): Cursor | undefined {
    return this.position === undefined ? undefined : decodeCursor('paints', this.position)
  }

  /** Nothing came on this stream but its first block. */
  get isFresh(): boolean {
    return this.#blocks <= 2
  }

  /** A stream begins. `isNow`: with what comes from now on. */
  connected(isNow = false): void {
    this.#rest = ''
    this.#id = this.decoded?.positions
    this.caughtUp = 0
    this.#blocks = 0
    this.#shown?.connected(isNow)
    this.toldCut.clear()
    this.#transcript.push(`connected, ${this.asked.query}`)
    const named = this.decoded
    if (!named) return
    // What it took beyond the position that it goes by is given again: it asked for that.
    for (let p = 0; p < this.#seen.length; p++) {
      this.#seen[p] = Math.min(this.#seen[p] as number, Math.max(0, named.positions[p] ?? 0))
    }
  }

  /** Who has seen what was cut off need not be told where nobody could notice. */
  excuse(partition: number, isUnnoticed: () => boolean): void {
    this.#excuses[partition] = isUnnoticed
  }

  /** Whether it is to be told that the log was cut below what it has seen: now, or since an earlier stream. */
  isToBeToldOfCut(partition: number): boolean {
    if (this.#owed.has(partition)) return true
    return this.#cutBelow(partition, this.#history.era(partition)) < (this.#seen[partition] ?? 0)
  }

  /** Bytes of the stream, as they come. */
  take(text: string): void {
    const blocks = (this.#rest + text).split('\n\n')
    this.#rest = blocks.pop() as string
    for (const block of blocks) {
      this.#tell(() => this.#takeBlock(block))
    }
  }

  /** What went wrong is said with all that the client was given before. */
  #tell(act: () => void): void {
    try {
      act()
    } catch (error) {
      throw new Error(`${(error as Error).message}\n${this.#transcript.join('\n')}`, { cause: error })
    }
  }

  /** Everything up to the log's end has been given, or told missing. */
  checkComplete(): void {
    this.#tell(() => this.#checkComplete())
  }

  #checkComplete(): void {
    // What could have been noticed then may have been taken by retention before anybody read it.
    for (const [partition, what] of this.#owed)
      if (!this.#excuses[partition]?.()) throw new Error(`Nobody told of it: at ${what}`)
    this.#shown?.isAt(this.#history.ends)
    for (let p = 0; p < this.#history.partitions; p++) this.#pass(p, this.#history.next(p), 'at the end')
  }

  #takeBlock(block: string): void {
    this.#blocks++
    const fields = Object.fromEntries(block.split('\n').map((line) => line.split(/: ?(.*)/s)))
    const { id, event, data } = fields as Record<string, string | undefined>
    const cursor = id === undefined ? undefined : decodeCursor('paints', id)
    const positions = cursor?.positions
    this.#transcript.push(`  ${event ?? 'position'} ${positions} ${JSON.stringify(cursor?.fingerprint)} ${data}`)
    let reset: ReadonlySet<number> = new Set()
    if (event === 'next') {
      this.results++
      const result = JSON.parse(data ?? '') as Result
      const told = result.extensions?.cursor
      if (told !== undefined) {
        if (told !== id) throw new Error('The cursor in the extensions is not the id')
        this.#extensionCursor = told
      } else if (this.cursor) throw new Error('A result without its cursor')
      if (result.extensions?.caughtUp) this.caughtUp++
      const [error] = result.errors ?? []
      if (error?.extensions.code === 'CURSOR_EXPIRED') reset = this.#takeGaps(error.extensions.gaps ?? [])
      else if (error) throw new Error(`Told of an error: ${data}`)
      else if (result.data?.paint) this.#takeEvent(result.data.paint.n)
    }
    if (positions === undefined) return
    this.#idCursor = id
    this.#takeId(positions, reset)
  }

  #takeEvent(n: number): void {
    const written = this.#history.of(n)
    const { partition, offset, paint } = written
    if (!paint || !this.asked.matches(paint)) throw new Error(`Given event ${n}, which it did not ask for`)
    let era = this.#eraOf(partition)
    while (this.#history.records(partition, era)[offset] !== written) {
      if (++era > this.#history.era(partition)) throw new Error(`Event ${n} is of a log that it had left`)
    }
    const seen = this.#seen[partition] ?? 0
    if (this.#shown) {
      this.#enter(partition, era, `event ${n}`)
      this.#shown.take(written)
      return
    }
    if (offset < seen) throw new Error(`Event ${n}, ${partition}:${offset}, came twice, or late: ${seen} was next`)
    this.#enter(partition, era, `event ${n}`)
    this.#pass(partition, offset, `event ${n}`)
    this.#seen[partition] = offset + 1
  }

  #takeGaps(gaps: readonly ToldGap[]): Set<number> {
    const reset = new Set<number>()
    if (gaps.length === 0) throw new Error('A gap of nothing')
    for (const gap of gaps) {
      this.onGap(gap)
      const { partition, from, to, reason } = gap
      if (reason === 'retention') {
        if (from >= to) throw new Error(`A gap of nothing: ${JSON.stringify(gap)}`)
        if (to > (this.#history.earliest[partition] ?? 0)) throw new Error(`Not gone: ${JSON.stringify(gap)}`)
        this.#gone.push(gap)
        continue
      }
      reset.add(partition)
      // Of the next cut, as far as can be told: events of a later one show that it was passed too.
      const era = Math.min(this.#eraOf(partition) + 1, this.#history.era(partition))
      if (!this.#history.isCut) throw new Error(`Nothing was cut off: ${JSON.stringify(gap)}`)
      // What was gone of a log that was replaced says nothing of the new one.
      if (this.#cutBelow(partition, era) === 0) this.#gone = this.#gone.filter((gone) => gone.partition !== partition)
      this.#eras[partition] = era
      this.#excuses[partition] = undefined
      this.#owed.delete(partition)
      this.toldCut.add(partition)
      this.#seen[partition] = to
      // What retention had taken of the new log is gone too.
      this.#gone.push({ partition, from: 0, to: Math.min(to, this.#history.earliest[partition] ?? 0), reason })
    }
    return reset
  }

  #takeId(positions: Vector, reset: ReadonlySet<number>): void {
    const before = this.#id
    this.#id = positions
    this.#shown?.isAt(positions)
    if (!this.#started) {
      this.#started = true
      for (let p = 0; p < positions.length; p++) this.#seen[p] = Math.max(0, positions[p] as number)
      for (let p = 0; p < this.#history.partitions; p++) this.#eras[p] = this.#history.era(p)
      return
    }
    for (let p = 0; p < Math.max(positions.length, before?.length ?? 0); p++) {
      if (reset.has(p)) continue
      const was = Math.max(0, before?.[p] ?? 0)
      const is = Math.max(0, positions[p] ?? 0)
      const seen = this.#seen[p] ?? 0
      if (this.#holdsEvents(p, is, was)) throw new Error(`The id of partition ${p} went back from ${was} to ${is}`)
      if (this.#holdsEvents(p, is, seen)) throw new Error(`The id of partition ${p} is ${is}, behind ${seen}`)
      if (is > seen) this.#pass(p, is, 'its id')
    }
  }

  /** Over what holds no event, or is gone by now, a position may go back: nothing comes twice by that. */
  #holdsEvents(partition: number, from: number, to: number): boolean {
    const records = this.#history.records(partition, this.#eraOf(partition))
    return records
      .slice(Math.max(0, from, this.#history.earliest[partition] ?? 0), Math.max(0, to))
      .some((written) => written.paint !== undefined && !this.#isGone(written))
  }

  #eraOf(partition: number): number {
    return this.#eras[partition] ?? 0
  }

  /** The first offset of the eras since its own that was not what it is now. */
  #cutBelow(partition: number, era: number): number {
    let cut = Number.POSITIVE_INFINITY
    for (let e = this.#eraOf(partition) + 1; e <= era; e++) cut = Math.min(cut, this.#history.cutOf(partition, e))
    return cut
  }

  /** Goes over to a later era without having been told: so it must not have missed anything by that. */
  #enter(partition: number, era: number, what: string): void {
    const seen = this.#seen[partition] ?? 0
    const cut = this.#cutBelow(partition, era)
    const isMissed = this.#history
      .records(partition, era)
      .slice(cut, seen)
      .some((written) => this.#misses(written))
    // It may be found out a moment later, when its instance has read as far.
    if (isMissed && !this.#excuses[partition]?.())
      this.#owed.set(partition, `${what}: the log of partition ${partition} was cut at ${cut}, below ${seen}`)
    this.#eras[partition] = era
  }

  /** All before `offset` has been passed. */
  #pass(partition: number, offset: number, what: string): void {
    const seen = this.#seen[partition] ?? 0
    let missed: Written | undefined
    for (let era = this.#eraOf(partition); era <= this.#history.era(partition); era++) {
      const records = this.#history.records(partition, era)
      if (offset > records.length) continue
      missed = records.slice(seen, offset).find((written) => this.#misses(written))
      if (missed) continue
      if (era > this.#eraOf(partition)) this.#enter(partition, era, what)
      this.#seen[partition] = Math.max(seen, offset)
      return
    }
    if (!missed) throw new Error(`At ${what}: position ${partition}:${offset} is beyond the log`)
    throw new Error(`At ${what}: missed event ${missed.paint?.n}, ${partition}:${missed.offset} (next ${seen})`)
  }

  #misses(written: Written): boolean {
    if (written.paint === undefined || !this.asked.matches(written.paint) || this.#isGone(written)) return false
    return this.#shown?.misses(written) ?? true
  }

  #isGone({ partition, offset }: Written): boolean {
    return this.#gone.some((gap) => gap.partition === partition && gap.from <= offset && offset < gap.to)
  }
}
