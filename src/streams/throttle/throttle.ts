import type { Vector } from '../cursor/vector.ts'
import { Chain, type Link } from './chain.ts'
import { type HeldOffset, HeldOffsets, type Place } from './held-offsets.ts'
import { keyBytes, type ThrottleRoom } from './room.ts'

/**
 * Which event of a key goes out in an interval. The first one of a quiet key goes out at once in either mode.
 * - `FIRST`: those that follow within the interval are dropped;
 * - `LATEST`: the latest of them goes out at the interval's end.
 */
export type ThrottleMode = 'FIRST' | 'LATEST'

/** At most one event of a key in an interval. */
export interface ThrottleRule {
  readonly everyMs: number
  readonly mode: ThrottleMode
}

/** Keys of one throttle: more than a dashboard has tiles. One throttle cannot take the room of all others. */
export const MAX_KEYS = 10_000

interface Entry<E> {
  readonly key: unknown
  readonly keyBytes: number
  /** The event that goes out next, and its offset among those that are held. Both, or neither. */
  event: E | undefined
  offset: HeldOffset | undefined
  eventBytes: number
  /** End of the interval. */
  due: number
  /** In which chain it is: it goes out now, or at its interval's end. */
  isReady: boolean
  link: Link<Entry<E>>
  /** It has no interval: it is forgotten when its event has gone out. */
  isBrief: boolean
}

/**
 * A throttle: takes events, and says which goes out when. It holds at most one event of a key, and knows a key for an
 * interval after its last event. It has no timer and no clock: `now` is any monotonic one, in milliseconds.
 *
 * All intervals are equally long, so that keys whose event went out earlier are due earlier: a queue takes the place of
 * a timer for each key.
 */
export class Throttle<E extends Place> {
  readonly #rule: ThrottleRule
  readonly #room: ThrottleRoom
  readonly #sizeOf: (event: E) => number
  readonly #maxKeys: number
  readonly #entries = new Map<unknown, Entry<E>>()
  readonly #ready = new Chain<Entry<E>>()
  /** In the order of their intervals' ends. */
  readonly #waiting = new Chain<Entry<E>>()
  readonly #offsets = new HeldOffsets()

  /** `sizeOf`: the memory of an event. */
  constructor(rule: ThrottleRule, room: ThrottleRoom, sizeOf: (event: E) => number, maxKeys = MAX_KEYS) {
    this.#rule = rule
    this.#room = room
    this.#sizeOf = sizeOf
    this.#maxKeys = maxKeys
  }

  /** Number of keys. */
  get size(): number {
    return this.#entries.size
  }

  /** Number of events held, those that go out now among them. */
  get held(): number {
    return this.#offsets.size
  }

  /** When to ask for `next`: the first interval's end; 0: now. Undefined: nothing is pending. */
  get due(): number | undefined {
    return this.#ready.first ? 0 : this.#waiting.first?.due
  }

  /** Takes an event of a key. Events of a partition come in the order of their offsets. */
  offer(key: unknown, event: E, now: number): void {
    const entry = this.#entries.get(key)
    if (!entry) this.#add(key, event, now)
    else if (entry.event === undefined && entry.due <= now) this.#ripen(entry, event)
    else if (this.#rule.mode === 'FIRST') this.#room.stats.skipped++
    else this.#hold(entry, event)
  }

  /** The event that goes out now, if any. It counts as held until `released`, however long it takes. */
  next(now: number): E | undefined {
    const ready = this.#ready.first
    if (ready) return ready.event
    for (let first = this.#waiting.first; first && first.due <= now; first = this.#waiting.first) {
      if (first.event !== undefined) return first.event
      this.#forget(first)
    }
    return undefined
  }

  /** What `next` returned has gone out, and its key's interval begins. Nothing may have been offered in between. */
  released(now: number): void {
    const entry = this.#ready.first ?? this.#waiting.first
    if (!entry) return
    this.#release(entry)
    this.#unlink(entry)
    if (entry.isBrief) {
      this.#forget(entry, false)
      return
    }
    entry.due = now + this.#rule.everyMs
    entry.isReady = false
    entry.link = this.#waiting.append(entry)
  }

  /** Everything held goes out now, in the order of its intervals. */
  flush(): void {
    for (const entry of [...this.#waiting]) if (entry.event !== undefined) this.#moveToReady(entry)
  }

  /** Whether the event of this place is held. */
  holds(key: unknown, { partition, offset }: Place): boolean {
    const event = this.#entries.get(key)?.event
    return event?.offset === offset && event.partition === partition
  }

  /** The position that passes nothing held. */
  below(position: Vector): Vector {
    return this.#offsets.below(position)
  }

  /** Forgets everything. */
  clear(): void {
    for (const entry of this.#entries.values()) {
      this.#release(entry)
      this.#forget(entry)
    }
  }

  #add(key: unknown, event: E, now: number): void {
    const bytes = keyBytes(key)
    const eventBytes = this.#sizeOf(event)
    const fits = this.#makeRoom(bytes + eventBytes, 1)
    const entry = {
      key,
      keyBytes: bytes,
      event,
      offset: this.#offsets.add(event),
      eventBytes,
      due: now,
      isReady: true,
      isBrief: !fits,
    } as Entry<E>
    if (!fits) this.#room.stats.early++
    entry.link = this.#ready.append(entry)
    this.#entries.set(key, entry)
    this.#count(bytes + eventBytes)
  }

  /** The interval of its key is over, and nobody has asked since. */
  #ripen(entry: Entry<E>, event: E): void {
    this.#hold(entry, event)
    this.#moveToReady(entry)
  }

  #hold(entry: Entry<E>, event: E): void {
    if (entry.event !== undefined) {
      this.#room.stats.skipped++
      this.#release(entry)
    }
    entry.event = event
    entry.eventBytes = this.#sizeOf(event)
    entry.offset = this.#offsets.add(event)
    this.#count(entry.eventBytes)
    this.#makeRoom(0, 0)
  }

  /** The entry holds no event any more. */
  #release(entry: Entry<E>): void {
    if (entry.offset) this.#offsets.remove(entry.offset)
    this.#count(-entry.eventBytes)
    entry.event = undefined
    entry.offset = undefined
    entry.eventBytes = 0
  }

  /**
   * Drops the keys that are due first, until there is room: their events go out now. Whether there is room.
   * What goes out now is room already: whoever offers takes it at once.
   */
  #makeRoom(bytes: number, keys: number): boolean {
    let size = this.#entries.size + keys
    let used = this.#room.used + bytes
    while (size > this.#maxKeys || used > this.#room.limit) {
      const oldest = this.#waiting.first
      if (!oldest) return false
      this.#room.stats.early++
      size--
      used -= oldest.keyBytes + oldest.eventBytes
      if (oldest.event === undefined) {
        this.#forget(oldest)
        continue
      }
      oldest.isBrief = true
      this.#moveToReady(oldest)
    }
    return true
  }

  #moveToReady(entry: Entry<E>): void {
    this.#unlink(entry)
    entry.isReady = true
    entry.link = this.#ready.append(entry)
  }

  #unlink(entry: Entry<E>): void {
    if (entry.isReady) this.#ready.remove(entry.link)
    else this.#waiting.remove(entry.link)
  }

  #forget(entry: Entry<E>, isLinked = true): void {
    if (isLinked) this.#unlink(entry)
    this.#entries.delete(entry.key)
    this.#count(-entry.keyBytes)
  }

  #count(bytes: number): void {
    this.#room.used += bytes
  }
}
