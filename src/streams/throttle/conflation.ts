import type { Vector } from '../cursor/vector.ts'
import { Chain, type Link } from './chain.ts'
import { type HeldOffset, HeldOffsets, type Place } from './held-offsets.ts'
import { KEY_BYTES, keyBytes, type ThrottleRoom } from './room.ts'
import { MAX_KEYS, type ThrottleRule } from './throttle.ts'

/** An event of the past. */
export interface PastEvent extends Place {
  /** Milliseconds since the epoch. */
  readonly timestamp: number
}

interface Entry<E> {
  readonly key: unknown
  readonly bytes: number
  readonly event: E
  readonly offset: HeldOffset
  link: Link<Entry<E>>
}

/**
 * What somebody who comes back is shown of a past that was throttled, whatever its length.
 * - `LATEST`: the latest event of each key, at its end;
 * - `FIRST`: the first event of each key in an interval, by the timestamps of the events.
 * Beyond its bounds it shows more, and earlier: nothing is left out for lack of room.
 */
export class Conflation<E extends PastEvent> {
  readonly #rule: ThrottleRule
  readonly #room: ThrottleRoom
  readonly #maxKeys: number
  /** The latest event of each key, in the order in which they were read. */
  readonly #latest = new Map<unknown, Entry<E>>()
  readonly #order = new Chain<Entry<E>>()
  /** What is shown now. */
  readonly #ready = new Chain<Entry<E>>()
  readonly #offsets = new HeldOffsets()
  /** When a key was last shown, by the timestamp of its event. */
  readonly #shown = new Map<unknown, number>()
  #count = 0

  constructor(rule: ThrottleRule, room: ThrottleRoom, maxKeys = MAX_KEYS) {
    this.#rule = rule
    this.#room = room
    this.#maxKeys = maxKeys
  }

  /** Number of events that are shown now. */
  get ready(): number {
    return this.#count
  }

  get held(): number {
    return this.#offsets.size
  }

  /**
   * Takes an event of a key. Events of a partition come in the order of their offsets. `bytes`: the memory that the
   * event takes. `isByTime`: partitions are read one after another, so that of two their timestamps say which is later.
   */
  offer(key: unknown, event: E, bytes: number, isByTime: boolean): void {
    if (this.#rule.mode === 'FIRST') this.#offerFirst(key, event, bytes)
    else this.#offerLatest(key, event, bytes, isByTime)
  }

  /** The event that is shown now, if any. It is held until `released`. */
  next(): E | undefined {
    return this.#ready.first?.event
  }

  released(): void {
    const entry = this.#ready.first
    if (!entry) return
    this.#ready.remove(entry.link)
    this.#count--
    this.#release(entry)
  }

  /** Shows what is held now, but for what somebody else is going to show. */
  show(isShownLater: (event: E) => boolean = () => false): void {
    for (const entry of [...this.#order]) if (!isShownLater(entry.event)) this.#makeReady(entry)
  }

  /** The position that passes nothing held. */
  below(position: Vector): Vector {
    return this.#offsets.below(position)
  }

  clear(): void {
    this.show()
    while (this.#ready.first) this.released()
    this.#room.used -= this.#shown.size * KEY_BYTES
    this.#shown.clear()
  }

  #offerLatest(key: unknown, event: E, bytes: number, isByTime: boolean): void {
    const known = this.#latest.get(key)
    if (known) {
      this.#room.stats.skipped++
      if (isByTime && known.event.partition !== event.partition && event.timestamp < known.event.timestamp) return
      this.#order.remove(known.link)
      this.#release(known)
    }
    const entry = this.#entryOf(key, event, bytes)
    entry.link = this.#order.append(entry)
    this.#latest.set(key, entry)
    while (this.#latest.size > this.#maxKeys || this.#room.used > this.#room.limit) {
      const oldest = this.#order.first
      if (!oldest) break
      this.#room.stats.early++
      this.#makeReady(oldest)
      if (this.#latest.size <= this.#maxKeys) break // what is ready is room soon
    }
  }

  #offerFirst(key: unknown, event: E, bytes: number): void {
    const shown = this.#shown.get(key)
    // Also before it: partitions may be read one after another. What is no number is in no interval.
    if (shown !== undefined && Math.abs(event.timestamp - shown) < this.#rule.everyMs) {
      this.#room.stats.skipped++
      return
    }
    if (shown === undefined) this.#makeRoom()
    this.#shown.set(key, event.timestamp)
    const entry = this.#entryOf(key, event, bytes)
    entry.link = this.#ready.append(entry)
    this.#count++
  }

  /** For one more key. If there is none, all are forgotten: to find the first costs as much as was removed before it. */
  #makeRoom(): void {
    if (this.#shown.size >= this.#maxKeys || this.#room.used > this.#room.limit) {
      this.#room.stats.early += this.#shown.size
      this.#room.used -= this.#shown.size * KEY_BYTES
      this.#shown.clear()
    }
    this.#room.used += KEY_BYTES
  }

  #entryOf(key: unknown, event: E, eventBytes: number): Entry<E> {
    const bytes = keyBytes(key) + eventBytes
    this.#room.used += bytes
    return { key, bytes, event, offset: this.#offsets.add(event) } as Entry<E>
  }

  #makeReady(entry: Entry<E>): void {
    this.#order.remove(entry.link)
    this.#latest.delete(entry.key)
    entry.link = this.#ready.append(entry)
    this.#count++
  }

  #release({ bytes, offset }: Entry<E>): void {
    this.#offsets.remove(offset)
    this.#room.used -= bytes
  }
}
