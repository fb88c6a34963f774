import { getHeapStatistics } from 'node:v8'
import type { DocumentNode } from 'graphql'
import { SluiceError } from '../../errors/codes.ts'
import type { Operation } from './operation.ts'

/** Of the heap that Node may use. Compiling busy operations takes as much again. */
const PART_OF_HEAP = 1 / 4

interface Held {
  readonly document: DocumentNode | undefined
  readonly bytes: number
}

/**
 * What open subscriptions hold of operations and documents, in bytes. Caches let go of what is not used; these are used.
 * A document that several hold counts once.
 */
export class HeldOperations {
  readonly limit: number
  readonly #held = new Map<object, Held>()
  readonly #documents = new Map<DocumentNode, { users: number; readonly bytes: number }>()
  #used = 0

  constructor(limit = getHeapStatistics().heap_size_limit * PART_OF_HEAP) {
    this.limit = limit
  }

  get used(): number {
    return this.#used
  }

  /**
   * Groups that wait for members make room, the longest waiting first.
   * @throws SluiceError `TOO_MANY_STREAMS` where an operation has no room.
   */
  demandRoom({ args, weight }: Operation, waiting: Iterable<{ end(): void }>): void {
    const hasRoom = () =>
      this.#used + weight.own + (this.#documents.has(args.document) ? 0 : weight.document) <= this.limit
    for (const group of waiting) {
      if (hasRoom()) return
      group.end()
    }
    if (hasRoom()) return
    throw new SluiceError('TOO_MANY_STREAMS', 'The operations of open subscriptions fill the memory that they may take')
  }

  /** Once for each owner. */
  hold(owner: object, bytes: number, document?: DocumentNode, documentBytes = 0): void {
    this.#held.set(owner, { document, bytes })
    this.#used += bytes
    if (!document) return
    const known = this.#documents.get(document)
    if (known) {
      known.users++
      return
    }
    this.#documents.set(document, { users: 1, bytes: documentBytes })
    this.#used += documentBytes
  }

  release(owner: object): void {
    const held = this.#held.get(owner)
    if (!held) return
    this.#held.delete(owner)
    this.#used -= held.bytes
    const shared = held.document && this.#documents.get(held.document)
    if (!held.document || !shared || --shared.users > 0) return
    this.#documents.delete(held.document)
    this.#used -= shared.bytes
  }
}
