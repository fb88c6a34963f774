import { LRUCache } from 'lru-cache'
import type { AdmittedDocument } from '../document-cache.ts'

/** Budget of pinned documents, by their size in memory: some 2,000 of 2 KB. Those beyond it are cached like others. */
const DOCUMENTS_BYTES = 128 * 1024 * 1024
/** Budget of what is prepared of them, by variables and audience: as much as the cache of other documents has. */
const PREPARED_BYTES = 32 * 1024 * 1024

/** Documents that no other client's document evicts. What is prepared of them is a cache, and bounded as such. */
export class PinnedDocuments {
  readonly #prepared = new LRUCache<AdmittedDocument, AdmittedDocument>({
    maxSize: PREPARED_BYTES,
    sizeCalculation: ({ prepared }) => prepared.bytes + 1,
    dispose: ({ prepared }, _key, reason) => {
      if (reason === 'evict') prepared.clear()
    },
  })
  readonly #documents: AdmittedDocument[] = []
  #bytes = 0

  get size(): number {
    return this.#documents.length
  }

  get bytes(): number {
    return this.#bytes + this.#prepared.calculatedSize
  }

  [Symbol.iterator](): Iterator<AdmittedDocument> {
    return this.#documents[Symbol.iterator]()
  }

  /** False: there is no room left for it. */
  keep(document: AdmittedDocument): boolean {
    if (this.#bytes + document.bytes > DOCUMENTS_BYTES) return false
    this.#bytes += document.bytes
    this.#documents.push(document)
    return true
  }

  /** An operation has been prepared of it. */
  grown(document: AdmittedDocument): void {
    // A set with the same value would leave its size as it was.
    this.#prepared.delete(document)
    this.#prepared.set(document, document)
  }
}
