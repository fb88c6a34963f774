import { seek } from './seek.ts'

/**
 * Memory of an event in its value's list, with what such a list has to spare at its end and still to remove at its
 * start; and its entry in the ring. test/streams/feed/postings-size.test.ts compares all of these with the heap.
 */
const EVENT_BYTES = 24
/** A value: its entry in the map, with the map's slack, and its slots. */
const VALUE_BYTES = 64
/** A value with several events: the array. */
const ARRAY_BYTES = 48
/** A text that is compared by content is kept for as long as its list, whatever became of the event that it is from. */
const TEXT_BYTES = 16
/**
 * Shorter lists are copied to add an event, in exactly the size that they need: an array that grows by itself has some
 * sixteen spare slots, which would be most of it.
 */
const SHORT = 8
const FIRST_CAPACITY = 1024

/**
 * Ascending sequence numbers of a run of events by the value of one indexed property: a posting list for each value.
 * Values are equal as they are to a `where` (SameValueZero). The list of each event is remembered: nothing is read from
 * an event again to remove it, whose value may have been changed since, or be computed.
 */
export class ValueLists {
  /** By value, the number of its list. */
  readonly #numbers = new Map<unknown, number>()
  readonly #values: unknown[] = []
  /** By number. One event needs no array. What is below the first event of the run is removed in batches. */
  readonly #lists: (number | number[] | undefined)[] = []
  readonly #free: number[] = []
  /** Ring of the list numbers of all events: a power of two, as that of the window. */
  #ring = new Uint32Array(FIRST_CAPACITY)
  #first: number
  #next: number

  /** `first` is the sequence number of the first event. They are dense. */
  constructor(first: number) {
    this.#first = first
    this.#next = first
  }

  /** Number of distinct values. */
  get values(): number {
    return this.#numbers.size
  }

  /** The events of a value, with some of those that have been removed. */
  of(value: unknown): readonly number[] | undefined {
    const number = this.#numbers.get(value)
    const list = number === undefined ? undefined : this.#lists[number]
    return typeof list === 'number' ? [list] : list
  }

  /** Adds the next event. Returns how many bytes that takes. */
  push(value: unknown): number {
    if (this.#next - this.#first === this.#ring.length) this.#grow()
    const seq = this.#next++
    const known = this.#numbers.get(value)
    const number = known ?? this.#free.pop() ?? this.#lists.length
    this.#ring[seq & (this.#ring.length - 1)] = number
    const list = this.#lists[number]
    if (list === undefined) {
      this.#numbers.set(value, number)
      this.#values[number] = value
      this.#lists[number] = seq
      return EVENT_BYTES + VALUE_BYTES
    }
    if (typeof list === 'number') {
      this.#lists[number] = [list, seq]
      return EVENT_BYTES + arrayBytes(value)
    }
    if (list.length < SHORT) this.#lists[number] = list.slice(seek(list, this.#first)).concat(seq)
    else list.push(seq)
    return EVENT_BYTES
  }

  /** Removes the oldest event. Returns how many bytes that frees. */
  shift(): number {
    const seq = this.#first++
    const number = this.#ring[seq & (this.#ring.length - 1)] as number
    const list = this.#lists[number] as number | number[]
    if (typeof list === 'number') return this.#remove(number)
    if (list.at(-1) === seq) return arrayBytes(this.#values[number]) + this.#remove(number)
    // More than half of it has been removed.
    if (list.length > SHORT && (list[list.length >> 1] as number) <= seq)
      this.#lists[number] = list.slice(seek(list, seq + 1))
    return EVENT_BYTES
  }

  #remove(number: number): number {
    this.#numbers.delete(this.#values[number])
    this.#values[number] = undefined
    this.#lists[number] = undefined
    this.#free.push(number)
    return EVENT_BYTES + VALUE_BYTES
  }

  #grow(): void {
    const ring = new Uint32Array(this.#ring.length * 2)
    const [mask, oldMask] = [ring.length - 1, this.#ring.length - 1]
    for (let seq = this.#first; seq < this.#next; seq++) ring[seq & mask] = this.#ring[seq & oldMask] as number
    this.#ring = ring
  }
}

/** What a list takes more than a single event. */
function arrayBytes(value: unknown): number {
  return ARRAY_BYTES + (typeof value === 'string' ? TEXT_BYTES + value.length : 0)
}
