import type { StreamEvent } from './event.ts'
import { SeqList } from './seq-list.ts'
import { eventBytes } from './size.ts'
import type { Vector } from './vector.ts'

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

interface Entry<V> {
  readonly event: StreamEvent<V>
  readonly bytes: number
  readonly arrival: number
}

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
  readonly #partitions: SeqList[] = []
  #restartCount = 0
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

  /**
   * The log of a partition was truncated or replaced, and is read from `offset` on. Nothing of what was held stays: of
   * that partition it is no longer true, and it is too rare to sort out the rest.
   */
  restart(partition: number, offset: number): void {
    this.#evictWhile(() => true)
    this.#floors[partition] = offset
    this.#restarts = Object.assign([...this.#restarts], { [partition]: { offset } })
    this.#restartCount++
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
   * Puts the events in the order of their timestamps, each partition's in its own order: for a window that was filled
   * partition by partition. They get new sequence numbers, so that who stood among them finds its place anew.
   */
  sortByTime(): void {
    const queues = this.#partitions.map((list) => list.all().map((seq) => this.#take(seq)))
    const places = queues.map(() => 0)
    const nextOf = (partition: number) => queues[partition]?.[places[partition] as number]
    this.#partitions.length = 0
    this.#first = this.#next
    this.#bytes = 0
    for (;;) {
      let oldest: number | undefined
      for (let partition = 0; partition < queues.length; partition++) {
        const entry = nextOf(partition)
        if (!entry) continue
        const sofar = oldest === undefined ? undefined : nextOf(oldest)
        if (!sofar || entry.event.timestamp < sofar.event.timestamp) oldest = partition
      }
      if (oldest === undefined) return
      const { event, bytes, arrival } = nextOf(oldest) as Entry<V>
      places[oldest] = (places[oldest] as number) + 1
      this.#put(event, bytes, arrival)
    }
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
    const oldest = now - this.#limits.maxAgeMs
    this.#evictWhile((slot) => this.#bytes > this.#limits.maxBytes || (this.#arrivals[slot] as number) < oldest)
  }

  /** The newest `count` events that match, oldest of them first. */
  newest(count: number, matches: (event: StreamEvent<V>) => boolean): StreamEvent<V>[] {
    const found: StreamEvent<V>[] = []
    for (let seq = this.#next - 1; seq >= this.#first && found.length < count; seq--) {
      const event = this.at(seq) as StreamEvent<V>
      if (matches(event)) found.push(event)
    }
    return found.reverse()
  }

  #evictWhile(leaves: (slot: number) => boolean): void {
    while (this.#first < this.#next) {
      const slot = this.#first & (this.#events.length - 1)
      if (!leaves(slot)) return
      const event = this.#events[slot] as StreamEvent<V>
      this.#bytes -= this.#sizes[slot] as number
      this.#events[slot] = undefined
      this.#first++
      this.#partitions[event.partition]?.shift()
      const floor = this.#floors[event.partition] ?? 0
      if (event.offset >= floor) this.#floors[event.partition] = event.offset + 1
    }
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

  #take(seq: number): Entry<V> {
    const slot = seq & (this.#events.length - 1)
    const entry = {
      event: this.#events[slot] as StreamEvent<V>,
      bytes: this.#sizes[slot] as number,
      arrival: this.#arrivals[slot] as number,
    }
    this.#events[slot] = undefined
    return entry
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
