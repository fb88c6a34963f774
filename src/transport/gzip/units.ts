import type { Sharing } from '../../delivery/outlet.ts'
import { deflated, stored } from './deflate.ts'
import { Unit } from './unit.ts'

/** Smaller units (heartbeats) are stored: there is nothing to gain, and for a member's own bytes much to lose. */
const MIN_BYTES = 100
/**
 * Larger units are stored: a flush of so much follows a pause of the process, and would prolong it, by 3 ms for each MiB.
 * From the smaller size on, the level is the lowest.
 */
const MAX_BYTES = 1024 * 1024
const LARGE_BYTES = 128 * 1024
/**
 * Parts of this process's time that compression may take, by whom the bytes are for. Beyond them bytes are stored, since
 * the time is everybody's: what all members share is worth most, a slow member's own bytes least.
 */
const MAX_PART: Readonly<Record<Sharing, number>> = { flush: 0.25, shared: 0.2, own: 0.1 }
/** From this part on, the level is the lowest. */
const BUSY_PART = 0.1
/** Levels of zlib: the lowest takes half of the time for large units, for a tenth more bytes. */
const LEVEL = { idle: 6, busy: 1 }
/** Over which the part is measured, in milliseconds: one call that waits for a core does not use it up. */
const PERIOD_MS = 500

/** Budget of dictionaries, of all groups: one event is enough for a group. */
const HISTORY_BYTES = 16 * 1024 * 1024
/** Overhead of a unit. */
const UNIT_BYTES = 512

export interface CodingStats {
  /** Bytes that were to be sent, and what they became. */
  plainBytes: number
  codedBytes: number
  /** Units by what was done with them: compressed alone, with the one before as dictionary, or stored as they are. */
  alone: number
  history: number
  stored: number
}

/** Compression of what is written to streams, of all clients that accept it: each unit once, whatever their number. */
export class Units {
  readonly stats: CodingStats = { plainBytes: 0, codedBytes: 0, alone: 0, history: 0, stored: 0 }
  /**
   * Units of bytes that others are written too, for as long as these are in use: flushes, and pieces of the past, which
   * have a budget. A compressed piece is smaller than they are; one that was stored is not kept.
   */
  readonly #known = new WeakMap<Buffer, Unit>()
  /** Units that the next ones follow, oldest first, and what they hold. */
  readonly #histories = new Map<Unit, number>()
  #held = 0
  readonly #spent = new Spent(PERIOD_MS)
  // The last one: a flush writes the same bytes to all members, one after the other.
  #lastBytes: Buffer | undefined
  #lastUnit: Unit | undefined

  /** The unit of bytes, the same for the same buffer if others are written it too. */
  unitOf(bytes: Buffer, sharing: Sharing): Unit {
    if (this.#lastUnit && bytes === this.#lastBytes) return this.#lastUnit
    if (sharing === 'own') return new Unit(bytes)
    let unit = this.#known.get(bytes)
    if (!unit) {
      unit = new Unit(bytes)
      this.#known.set(bytes, unit)
    }
    this.#lastBytes = bytes
    this.#lastUnit = unit
    return unit
  }

  /**
   * Deflate blocks of a unit, for a member whose connection has carried `history` before, and `gap` other bytes since;
   * undefined: it has no history that others share.
   */
  encode(unit: Unit, bytes: Buffer, sharing: Sharing, history: Unit | undefined, gap: number): Buffer {
    const coded = (history && this.#following(unit, bytes, sharing, history, gap)) ?? this.#alone(unit, bytes, sharing)
    this.stats.plainBytes += bytes.length
    this.stats.codedBytes += coded.length
    return coded
  }

  /** A unit has become the history of a member; `former` is what it had before. */
  follow(unit: Unit, bytes: Buffer, former: Unit | undefined): void {
    if (this.#histories.has(unit)) return
    unit.hold(bytes, former)
    if (former) this.#forget(former)
    const held = unit.held + UNIT_BYTES
    this.#histories.set(unit, held)
    this.#held += held
    for (const oldest of this.#histories.keys()) {
      if (this.#held <= HISTORY_BYTES) return
      this.#forget(oldest)
      oldest.release()
    }
  }

  #forget(history: Unit): void {
    this.#held -= this.#histories.get(history) ?? 0
    this.#histories.delete(history)
  }

  #following(unit: Unit, bytes: Buffer, sharing: Sharing, history: Unit, gap: number): Buffer | undefined {
    const known = unit.after(history, gap)
    if (known || !unit.hasRoom) return known
    const dictionary = history.dictionary(gap)
    const level = this.#levelFor(bytes, sharing)
    if (!dictionary || level === undefined) return undefined
    this.stats.history++
    const coded = this.#spent.on(() => deflated(bytes, level, dictionary))
    unit.add(history, gap, coded)
    return coded
  }

  #alone(unit: Unit, bytes: Buffer, sharing: Sharing): Buffer {
    if (unit.alone) return unit.alone
    const level = this.#levelFor(bytes, sharing)
    this.stats[level === undefined ? 'stored' : 'alone']++
    const coded = level === undefined ? stored(bytes) : this.#spent.on(() => deflated(bytes, level))
    // A piece is read again, when there may be time for it.
    if (level !== undefined || sharing !== 'shared') unit.alone = coded
    return coded
  }

  /** Undefined: it is not worth it, or there is no time for it. */
  #levelFor({ length }: Buffer, sharing: Sharing): number | undefined {
    if (length < MIN_BYTES || length > MAX_BYTES) return undefined
    const { part } = this.#spent
    if (part > MAX_PART[sharing]) return undefined
    return part > BUSY_PART || length > LARGE_BYTES ? LEVEL.busy : LEVEL.idle
  }
}

/** The part of the time that some work takes, over the last period and the present one. */
class Spent {
  readonly #periodMs: number
  #since = performance.now()
  #ms = 0
  #lastMs = 0

  constructor(periodMs: number) {
    this.#periodMs = periodMs
  }

  get part(): number {
    this.#turn(performance.now())
    return Math.max(this.#ms, this.#lastMs) / this.#periodMs
  }

  on<T>(work: () => T): T {
    const start = performance.now()
    const result = work()
    const end = performance.now()
    this.#turn(end)
    this.#ms += end - start
    return result
  }

  #turn(now: number): void {
    const passed = now - this.#since
    if (passed < this.#periodMs) return
    this.#lastMs = passed < 2 * this.#periodMs ? this.#ms : 0
    this.#ms = 0
    this.#since = now
  }
}
