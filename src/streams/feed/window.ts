import { UNKNOWN, type Vector } from '../cursor/vector.ts'
import type { StreamEvent } from '../event.ts'
import { SeqList } from './seq-list.ts'
import { eventBytes } from './size.ts'

export interface WindowLimits {
  /** What the events may take in memory, decoded. */
  readonly maxBytes: number
  /** Events leave this many milliseconds after they were read, however old they were then. */
  readonly maxAgeMs: number
}

/** A partition's log was truncated, or replaced by another; each time is an object of its own. */
export interface Restart {
  /** Where reading went on. */
  readonly offset: number
}

/** By partition, the last time its log was replaced. */
export type Restarts = readonly (Restart | undefined)[]

const INITIAL_CAPACITY = 1024

/**
 * The newest events of one topic, in the order in which this instance read them, shared by everybody. An event's
 * sequence number is its place in that order: dense, and private to this instance.
 */
export class Window<V> {
  readonly #limits: WindowLimits
  readonly #floors: number[] = []
  #restarts: Restarts = []
  /** By partition, the sequence numbers of its events, which are in the order of their offsets. */
  #partitions: SeqList[] = []
  #restartCount = 0
  #renumbered = 0
  /** Rings of one capacity, a power of two; the entry of a sequence number is at `seq & mask`. */
  #events: (StreamEvent<V> | undefined)[] = new Array(INITIAL_CAPACITY)
  #sizes = new Uint32Array(INITIAL_CAPACITY)
  #arrivals = new Float64Array(INITIAL_CAPACITY)
  #first = 0
  #next = 0
  #bytes = 0

  constructor(limits: WindowLimits) {
    this.#limits = limits
  }

  /** Sequence number of the oldest event held; equal to `nextSeq` when there is none. */
  get firstSeq(): number {
    return this.#first
  }

  /** Sequence number that the next event will get. */
  get nextSeq(): number {
    return this.#next
  }

  get bytes(): number {
    return this.#bytes
  }

  /** The window holds every event of the partition from this offset on, up to where the reader is. */
  floor(partition: number): number | undefined {
    return this.#floors[partition]
  }

  /** From `offset` on nothing is missing: said where reading of a partition begins, and after a gap. */
  setFloor(partition: number, offset: number): void {
    this.#floors[partition] = offset
  }

  /** Another list after each restart: offsets from before and after cannot be compared. */
  get restarts(): Restarts {
    return this.#restarts
  }

  /** How often any partition's log was replaced. */
  get restartCount(): number {
    return this.#restartCount
  }

  /** How often sequence numbers from before have come to mean nothing. */
  get renumbered(): number {
    return this.#renumbered
  }

  /**
   * The log of a partition was truncated or replaced, and is read from `offset` on. Nothing of what was held stays: of
   * that partition it is no longer true, and it is too rare to sort out the rest.
   */
  restart(partition: number, offset: number): void {
    this.#clear()
    this.#floors[partition] = offset
    this.#restarts = Object.assign([...this.#restarts], { [partition]: { offset } })
    this.#restartCount++
    this.#renumbered++
  }

  at(seq: number): StreamEvent<V> | undefined {
    return seq >= this.#first && seq < this.#next ? this.#events[seq & (this.#events.length - 1)] : undefined
  }

  push(event: StreamEvent<V>, now: number): number {
    const seq = this.#put(event, eventBytes(event), now)
    this.evict(now)
    return seq
  }

  /**
   * Merge sort by timestamp, each partition's events in their own order: for a window that was filled partition by
   * partition. A step for each event, so that it may take several turns; what is sorted takes the place of what there
   * was with the last step, and not at all if that has changed meanwhile. The events get new sequence numbers: who stood
   * among them finds its place anew.
   */
  *sortByTime(): Generator<number, void> {
    const [first, next] = [this.#first, this.#next]
    const lists = this.#partitions.map((list) => list.all())
    const places = lists.map(() => 0)
    const sorted = new Window<V>(this.#limits)
    sorted.#first = next
    sorted.#next = next
    for (let left = next - first; left > 0; left--) {
      let oldest: number | undefined
      let oldestTime = 0
      for (let partition = 0; partition < lists.length; partition++) {
        const seq = lists[partition]?.[places[partition] as number]
        if (seq === undefined) continue
        // No timestamp is NaN, which compares with nothing.
        const time = this.#events[seq & (this.#events.length - 1)]?.timestamp || 0
        if (oldest !== undefined && time >= oldestTime) continue
        oldest = partition
        oldestTime = time
      }
      const list = lists[oldest as number] as number[]
      const place = places[oldest as number] as number
      places[oldest as number] = place + 1
      const slot = (list[place] as number) & (this.#events.length - 1)
      const event = this.#events[slot] as StreamEvent<V>
      sorted.#put(event, this.#sizes[slot] as number, this.#arrivals[slot] as number)
      yield 1
      if (this.#first !== first || this.#next !== next) return
    }
    this.#partitions = sorted.#partitions
    this.#events = sorted.#events
    this.#sizes = sorted.#sizes
    this.#arrivals = sorted.#arrivals
    this.#first = sorted.#first
    this.#next = sorted.#next
    this.#renumbered++
  }

  /** Sequence number of the partition's first event at this offset or after it; `nextSeq`: there is none yet. */
  seqOf(partition: number, offset: number): number {
    const list = this.#partitions[partition]
    if (!list) return this.#next
    return list.at(this.#indexOf(list, offset)) ?? this.#next
  }

  /** Sequence number of the first event that who stands at this vector has not seen. */
  startOf(vector: Vector): number {
    let start = this.#next
    for (let partition = 0; partition < this.#partitions.length; partition++) {
      start = Math.min(start, this.seqOf(partition, vector[partition] ?? 0))
    }
    return start
  }

  /** From this sequence number on, who stands at this vector has seen no event. */
  endOf(vector: Vector): number {
    let end = this.#first
    for (let partition = 0; partition < this.#partitions.length; partition++) {
      const list = this.#partitions[partition] as SeqList
      const last = list.at(this.#indexOf(list, vector[partition] ?? 0) - 1)
      if (last !== undefined) end = Math.max(end, last + 1)
    }
    return end
  }

  /**
   * The position just before an event: what every partition has next from there on, so that nothing lies between what
   * was seen and the position; of a partition with nothing more, its `head`.
   */
  vectorAt(seq: number, head: Vector): number[] {
    return head.map((offset, partition) => {
      const list = this.#partitions[partition]
      const next = list?.at(list.indexOf(seq))
      return next === undefined ? offset : (this.at(next) as StreamEvent<V>).offset
    })
  }

  /**
   * As `vectorAt`, for one event after another from `seq` on: each call passes one, and gives the position after it, in the
   * same array every time. Only for as long as the window does not change.
   */
  walkFrom(seq: number, head: Vector): () => Vector {
    const places = this.#partitions.map((list) => list.indexOf(seq))
    const vector = this.vectorAt(seq, head)
    let at = seq
    return () => {
      const { partition } = this.at(at++) as StreamEvent<V>
      const place = (places[partition] as number) + 1
      places[partition] = place
      const next = this.#partitions[partition]?.at(place)
      vector[partition] = next === undefined ? (head[partition] as number) : (this.at(next) as StreamEvent<V>).offset
      return vector
    }
  }

  /** Offset of the event that follows in the same partition; undefined if there is none yet. */
  offsetAfter(event: StreamEvent<V>): number | undefined {
    return this.at(this.seqOf(event.partition, event.offset + 1))?.offset
  }

  /** Lets go of what is too old or too much; the newest event always stays within the bytes. */
  evict(now: number): void {
    while (this.#evictOne(now)) {
      // until one stays
    }
  }

  /** As `evict`, with a step for each event. */
  *evicting(now: number): Generator<number, void> {
    while (this.#evictOne(now)) yield 1
  }

  /** False: the oldest event stays. */
  #evictOne(now: number): boolean {
    const slot = this.#first & (this.#events.length - 1)
    const event = this.#events[slot]
    if (this.#first === this.#next || !event) return false
    const isTooOld = (this.#arrivals[slot] as number) < now - this.#limits.maxAgeMs
    if (!isTooOld && this.#bytes <= this.#limits.maxBytes) return false
    this.#bytes -= this.#sizes[slot] as number
    this.#events[slot] = undefined
    this.#first++
    this.#partitions[event.partition]?.shift()
    const floor = this.#floors[event.partition] ?? 0
    if (event.offset >= floor) this.#floors[event.partition] = event.offset + 1
    return true
  }

  /** At once, however much it is. */
  #clear(): void {
    for (const [partition, list] of this.#partitions.entries()) {
      const last = this.at(list.at(list.length - 1) ?? UNKNOWN)
      if (last && last.offset >= (this.#floors[partition] ?? 0)) this.#floors[partition] = last.offset + 1
    }
    this.#partitions = []
    this.#events = new Array(INITIAL_CAPACITY)
    this.#sizes = new Uint32Array(INITIAL_CAPACITY)
    this.#arrivals = new Float64Array(INITIAL_CAPACITY)
    this.#first = this.#next
    this.#bytes = 0
  }

  #put(event: StreamEvent<V>, bytes: number, arrival: number): number {
    if (this.#next - this.#first === this.#events.length) this.#grow()
    const seq = this.#next++
    const slot = seq & (this.#events.length - 1)
    this.#events[slot] = event
    this.#sizes[slot] = bytes
    this.#arrivals[slot] = arrival
    this.#bytes += bytes
    while (this.#partitions.length <= event.partition) this.#partitions.push(new SeqList())
    this.#partitions[event.partition]?.push(seq)
    return seq
  }

  /** Place in the list of the first event at this offset or after it. */
  #indexOf(list: SeqList, offset: number): number {
    return list.find((seq) => (this.at(seq) as StreamEvent<V>).offset >= offset)
  }

  #grow(): void {
    const events: (StreamEvent<V> | undefined)[] = new Array(this.#events.length * 2)
    const sizes = new Uint32Array(events.length)
    const arrivals = new Float64Array(events.length)
    const oldMask = this.#events.length - 1
    for (let seq = this.#first; seq < this.#next; seq++) {
      const slot = seq & (events.length - 1)
      events[slot] = this.#events[seq & oldMask]
      sizes[slot] = this.#sizes[seq & oldMask] as number
      arrivals[slot] = this.#arrivals[seq & oldMask] as number
    }
    this.#events = events
    this.#sizes = sizes
    this.#arrivals = arrivals
  }
}
