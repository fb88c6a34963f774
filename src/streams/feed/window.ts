import { UNKNOWN, type Vector } from '../cursor/vector.ts'
import type { StreamEvent } from '../event.ts'
import type { IndexReaders } from '../topic/indexed.ts'
import { Postings } from './postings.ts'
import { Ring } from './ring.ts'
import { SeqList } from './seq-list.ts'
import { eventBytes, type Sizes } from './size.ts'
import { Walk } from './walk.ts'

export interface WindowLimits {
  /** Memory bound of the decoded events. */
  readonly maxBytes: number
  /** Retention of an event after it was read, whatever its timestamp. */
  readonly maxAgeMs: number
}

/** The log of a partition was truncated or recreated. Each restart is a distinct object. */
export interface Restart {
  /** Offset at which reading continued: where the log was truncated, or the start of a recreated one. */
  readonly offset: number
}

/** The last restart of each partition. */
export type Restarts = readonly (Restart | undefined)[]

/**
 * Window: the newest events of one topic, in the order in which this instance read them, shared by all groups. An
 * event's sequence number is its place in that order. It is dense, and private to this instance.
 */
export class Window<V> {
  readonly #limits: WindowLimits
  readonly indexed: IndexReaders
  readonly #values: Sizes<V> | undefined
  readonly #floors: number[] = []
  #restarts: Restarts = []
  /** By partition, the sequence numbers of its events, which are in the order of their offsets. */
  #partitions: SeqList[] = []
  #restartCount = 0
  #renumbered = 0
  #ring = new Ring<V>()
  #postings: Postings
  #bytes = 0

  constructor(limits: WindowLimits, indexed: IndexReaders = new Map(), values?: Sizes<V>) {
    this.#limits = limits
    this.indexed = indexed
    this.#values = values
    this.#postings = new Postings(indexed)
  }

  /** Sequence number of the oldest event held; equal to `nextSeq` when there is none. */
  get firstSeq(): number {
    return this.#ring.first
  }

  /** Sequence number that the next event will get. */
  get nextSeq(): number {
    return this.#ring.next
  }

  /** By indexed property and value, the events that have it. */
  get postings(): Postings {
    return this.#postings
  }

  /** Memory of the events and of their postings. */
  get bytes(): number {
    return this.#bytes
  }

  /** Number of partitions of which it has held an event. */
  get partitions(): number {
    return this.#partitions.length
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
    return this.#ring.at(seq)
  }

  push(event: StreamEvent<V>, now: number): number {
    const seq = this.#put(event, eventBytes(event, this.#values), now)
    this.evict(now)
    return seq
  }

  /** Sequence number of the partition's first event at this offset or after it; `nextSeq` if there is none. */
  seqOf(partition: number, offset: number): number {
    const list = this.#partitions[partition]
    if (!list) return this.nextSeq
    return list.at(this.#indexOf(list, offset)) ?? this.nextSeq
  }

  /** Sequence number of the first event that is not below this vector. */
  startOf(vector: Vector): number {
    let start = this.nextSeq
    for (let partition = 0; partition < this.#partitions.length; partition++) {
      start = Math.min(start, this.seqOf(partition, vector[partition] ?? 0))
    }
    return start
  }

  /** From this sequence number on, no event is below this vector. */
  endOf(vector: Vector): number {
    let end = this.firstSeq
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

  /** Passes events from `seq` on: see `Walk`. Valid until the window changes. */
  walkFrom(seq: number, head: Vector): Walk<V> {
    return new Walk(this, this.#partitions, seq, head)
  }

  /** Sequence number of the partition's last event before this one; undefined if there is none. */
  lastBefore(partition: number, seq: number): number | undefined {
    const list = this.#partitions[partition]
    return list?.at(list.indexOf(seq) - 1)
  }

  /** Sequence numbers from `from` to before `to` of the last event of each partition, ascending. */
  lastsBetween(from: number, to: number): number[] {
    const lasts = Array.from({ length: this.partitions }, (_, partition) => this.lastBefore(partition, to))
    return lasts.flatMap((seq) => (seq === undefined || seq < from ? [] : seq)).sort((a, b) => a - b)
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
    const { first } = this.#ring
    const event = this.#ring.at(first)
    if (!event) return false
    const isTooOld = this.#ring.arrivalAt(first) < now - this.#limits.maxAgeMs
    if (!isTooOld && this.#bytes <= this.#limits.maxBytes) return false
    this.#bytes -= this.#ring.sizeAt(first) + this.#postings.shift()
    this.#ring.shift()
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
    this.#ring = new Ring(this.nextSeq)
    this.#postings = new Postings(this.indexed, this.nextSeq)
    this.#bytes = 0
  }

  #put(event: StreamEvent<V>, bytes: number, arrival: number): number {
    // Before the rest: a value that cannot be read must leave the window as it is.
    const posted = this.#postings.push(event)
    const seq = this.#ring.push(event, bytes, arrival)
    this.#bytes += bytes + posted
    while (this.#partitions.length <= event.partition) this.#partitions.push(new SeqList())
    this.#partitions[event.partition]?.push(seq)
    return seq
  }

  /** Index in the list of the first event at this offset or after it. */
  #indexOf(list: SeqList, offset: number): number {
    return list.find((seq) => (this.at(seq) as StreamEvent<V>).offset >= offset)
  }
}
