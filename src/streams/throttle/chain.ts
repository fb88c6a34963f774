/** A place in a chain. */
export interface Link<T> {
  readonly value: T
  previous: Link<T> | undefined
  next: Link<T> | undefined
}

/**
 * Doubly linked list: what is anywhere in it is removed, and its first found, in constant time. A `Map` keeps the order
 * too, but to find its first costs as much as was removed before it.
 */
export class Chain<T> {
  #first: Link<T> | undefined
  #last: Link<T> | undefined

  get first(): T | undefined {
    return this.#first?.value
  }

  append(value: T): Link<T> {
    const link: Link<T> = { value, previous: this.#last, next: undefined }
    if (this.#last) this.#last.next = link
    else this.#first = link
    this.#last = link
    return link
  }

  /** The link must be in this chain. */
  remove({ previous, next }: Link<T>): void {
    if (previous) previous.next = next
    else this.#first = next
    if (next) next.previous = previous
    else this.#last = previous
  }

  *[Symbol.iterator](): Iterator<T> {
    for (let link = this.#first; link; link = link.next) yield link.value
  }
}
