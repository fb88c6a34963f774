import type { StreamEvent } from '../event.ts'

const FIRST_CAPACITY = 1024

/** Events with consecutive sequence numbers, each with its size and arrival: added at the end, removed at the start. */
export class Ring<V> {
  /** Ring buffers of one capacity, a power of two: the entry of a sequence number is at `seq & mask`. */
  #events: (StreamEvent<V> | undefined)[] = new Array(FIRST_CAPACITY)
  #sizes = new Uint32Array(FIRST_CAPACITY)
  #arrivals = new Float64Array(FIRST_CAPACITY)
  #first: number
  #next: number

  /** `first` is the sequence number of the first event. */
  constructor(first = 0) {
    this.#first = first
    this.#next = first
  }

  /** Sequence number of the oldest event; equal to `next` when there is none. */
  get first(): number {
    return this.#first
  }

  /** Sequence number that the next event will get. */
  get next(): number {
    return this.#next
  }

  at(seq: number): StreamEvent<V> | undefined {
    return seq >= this.#first && seq < this.#next ? this.#events[this.#slot(seq)] : undefined
  }

  /** Size of an event that it holds. */
  sizeAt(seq: number): number {
    return this.#sizes[this.#slot(seq)] as number
  }

  /** When an event that it holds was read. */
  arrivalAt(seq: number): number {
    return this.#arrivals[this.#slot(seq)] as number
  }

  push(event: StreamEvent<V>, size: number, arrival: number): number {
    if (this.#next - this.#first === this.#events.length) this.#grow()
    const seq = this.#next++
    const slot = this.#slot(seq)
    this.#events[slot] = event
    this.#sizes[slot] = size
    this.#arrivals[slot] = arrival
    return seq
  }

  /** Removes the oldest event. */
  shift(): void {
    this.#events[this.#slot(this.#first)] = undefined
    this.#first++
  }

  #slot(seq: number): number {
    return seq & (this.#events.length - 1)
  }

  #grow(): void {
    const events: (StreamEvent<V> | undefined)[] = new Array(this.#events.length * 2)
    const sizes = new Uint32Array(events.length)
    const arrivals = new Float64Array(events.length)
    for (let seq = this.#first; seq < this.#next; seq++) {
      const slot = seq & (events.length - 1)
      events[slot] = this.at(seq)
      sizes[slot] = this.sizeAt(seq)
      arrivals[slot] = this.arrivalAt(seq)
    }
    this.#events = events
    this.#sizes = sizes
    this.#arrivals = arrivals
  }
}
