import { UNKNOWN, type Vector } from '../cursor/vector.ts'
import type { StreamEvent } from '../event.ts'
import { SeqList } from './seq-list.ts'
import { eventBytes } from './size.ts'

export interface WindowLimits {
  /** Memory bound of the decoded events. */
  readonly maxBytes: number
  /** Retention of an event after it was read, whatever its timestamp. */
  readonly maxAgeMs: number
}

/** The log of a partition was truncated or recreated. Each restart is a distinct object. */
export interface Restart {
  /** Offset at which reading continued. */
  readonly offset: number
}

/** The last restart of each partition. */
export type Restarts = readonly (Restart | undefined)[]

const INITIAL_CAPACITY = 1024

/**
 * Window: the newest events of one topic, in the order in which this instance read them, shared by all groups. An
 * event's sequence number is its place in that order. It is dense, and private to this instance.
 */
export class Window<V> {
  readonly #limits: WindowLimits
  readonly #floors: number[] = []
  #restarts: Restarts = []
  /** By partition, the sequence numbers of its events, which are in the order of their offsets. */
  #partitions: SeqList[] = []
  #restartCount = 0
  #renumbered = 0
  /** Ring buffers of one capacity, a power of two: the entry of a sequence number is at `seq & mask`. */
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

  /** The window holds every event of the partition from this offset on, up to the reader's position. */
  floor(partition: number): number | undefined {
    return this.#floors[partition]
  }

  /**
   * Sets the floor: from `offset` on nothing is missing. Called where reading of a partition begins, and after a gap.
   */
  setFloor(partition: number, offset: number): void {
    this.#floors[partition] = offset
  }

  /** Replaced after each restart: offsets from before and after it cannot be compared. */
  get restarts(): Restarts {
    return this.#restarts
  }

  /** Number of restarts of all partitions. */
  get restartCount(): number {
    return this.#restartCount
  }

  /** Number of renumberings: sequence numbers from before one are void. */
  get renumbered(): number {
    return this.#renumbered
  }

  /**
   * The log of a partition was truncated or recreated, and is read from `offset` on. The whole window is cleared: the
   * partition's events are void, and restarts are too rare to keep the rest.
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
   * Merge sort by timestamp that keeps the order within each partition: for a window that was filled partition by
   * partition. Each event is a step, so that it may take several turns. The sorted order takes effect with the last
   * step, unless the window has changed meanwhile. Events get new sequence numbers: readers look theirs up again.
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

  /** Sequence number of the partition's first event at this offset or after it; `nextSeq` if there is none. */
  seqOf(partition: number, offset: number): number {
    const list = this.#partitions[partition]
    if (!list) return this.#next
    return list.at(this.#indexOf(list, offset)) ?? this.#next
  }

  /** Sequence number of the first event that is not below this vector. */
  startOf(vector: Vector): number {
    let start = this.#next
    for (let partition = 0; partition < this.#partitions.length; partition++) {
      start = Math.min(start, this.seqOf(partition, vector[partition] ?? 0))
    }
    return start
  }

  /** From this sequence number on, no event is below this vector. */
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
   * The position just before an event: the next offset of every partition from there on, so that no event lies between
   * the events before it and the position. For a partition without later events, its `head`.
   */
  vectorAt(seq: number, head: Vector): number[] {
    return head.map((offset, partition) => {
      const list = this.#partitions[partition]
      const next = list?.at(list.indexOf(seq))
      return next === undefined ? offset : (this.at(next) as StreamEvent<V>).offset
    })
  }

  /**
   * As `vectorAt`, for consecutive events from `seq` on: each call passes one, and returns the position after it, in
   * the same array every time. Valid until the window changes.
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

  /** Offset of the next event of the same partition; undefined if there is none. */
  offsetAfter(event: StreamEvent<V>): number | undefined {
    return this.at(this.seqOf(event.partition, event.offset + 1))?.offset
  }

  /** Evicts by age and by size. The newest event always stays within the bytes. */
  evict(now: number): void {
    while (this.#evictOne(now)) {
      // until one stays
    }
  }

  /** As `evict`, with one step for each event. */
  *evicting(now: number): Generator<number, void> {
    while (this.#evictOne(now)) yield 1
  }

  /** Evicts the oldest event. False: it stays. */
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

  /** Evicts everything in one turn. */
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

  /** Index in the list of the first event at this offset or after it. */
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
