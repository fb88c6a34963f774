import { getHeapStatistics } from 'node:v8'
import type { DocumentNode } from 'graphql'
import { SluiceError } from '../../errors/codes.ts'
import type { Operation } from './operation.ts'

/** Limit, as a part of Node's heap limit. Compiled operations may take as much again. */
const PART_OF_HEAP = 1 / 4

interface Held {
  readonly document: DocumentNode | undefined
  readonly bytes: number
}

/**
 * Memory of the operations and documents of open subscriptions, in bytes. It is apart from the caches, which evict:
 * these are in use. A shared document is counted once.
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
   * Ends `waiting`, in their order, until the operation fits.
   * @throws SluiceError `TOO_MANY_STREAMS` where it does not.
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

  /** Called once for each owner. */
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
