import { hash } from 'node:crypto'
import { SluiceError } from '../../errors/codes.ts'
import type { AdmittedDocument, Refusal } from '../document-cache.ts'
import type { GraphQLParams } from '../params.ts'
import type { ManifestEntry } from './manifest.ts'
import { withoutPrefix } from './operation-id.ts'
import { PinnedDocuments } from './pinned-documents.ts'

export interface OperationText {
  readonly text: string
  /** SHA-256 in hex, where it is known. */
  readonly hash: string | undefined
  /** The document itself, where it is kept. */
  readonly document: AdmittedDocument | undefined
}

interface PersistedOperation extends OperationText {
  readonly hash: string
  document: AdmittedDocument | undefined
}

export interface PersistedOptions {
  /** `allowed`: an operation may be named by its id. `only`: nothing else is run. */
  readonly mode?: 'off' | 'allowed' | 'only'
  readonly entries?: readonly ManifestEntry[]
}

/** An operation of the manifest that no client can run. */
export interface InvalidOperation {
  readonly id: string
  readonly name: string | undefined
  readonly reason: string
}

/** Reads a document that is not to be cached. `onGrown` is called when its memory changes. */
export type ReadDocument = (text: string, onGrown: (document: AdmittedDocument) => void) => AdmittedDocument | Refusal

/**
 * Operations that clients name by an id, from a manifest. None is registered at run time: who can register an operation
 * can run any. An operation of the manifest may also come as its text.
 */
export class PersistedOperations {
  readonly #mode: 'off' | 'allowed' | 'only'
  readonly #entries: readonly ManifestEntry[]
  /** By the manifest's id, and by the SHA-256 of the text. */
  readonly #byId = new Map<string, PersistedOperation>()
  readonly #byText = new Map<string, PersistedOperation>()
  readonly #pinned = new PinnedDocuments()

  constructor({ mode = 'off', entries = [] }: PersistedOptions = {}) {
    this.#mode = mode
    this.#entries = mode === 'off' ? [] : entries
    for (const { text } of this.#entries) {
      if (!this.#byText.has(text)) this.#byText.set(text, { text, hash: sha256(text), document: undefined })
    }
    for (const operation of this.#byText.values()) this.#byId.set(operation.hash, operation)
    // The manifest's own ids go first, should one be another's hash.
    for (const { id, text } of this.#entries) this.#byId.set(id, this.#byText.get(text) as PersistedOperation)
  }

  /** The number of operations that can be named. */
  get size(): number {
    return this.#byText.size
  }

  /** Operations whose documents are kept, whatever other clients ask for. */
  get pinned(): number {
    return this.#pinned.size
  }

  /** The documents that are kept. */
  get documents(): Iterable<AdmittedDocument> {
    return this.#pinned
  }

  /** Memory of the documents that are kept. */
  get bytes(): number {
    return this.#pinned.bytes
  }

  /**
   * Reads every operation, so that the first client does not wait for it, and keeps what `judge` does not refuse.
   * @returns the operations that cannot be run.
   */
  warm(read: ReadDocument, judge: (document: AdmittedDocument) => void): readonly InvalidOperation[] {
    const reasons = new Map<string, string>()
    for (const operation of this.#byText.values()) {
      const found = read(operation.text, (document) => this.#pinned.grown(document))
      if (isRefusal(found)) {
        reasons.set(operation.text, found[0]?.message ?? 'It is refused')
        continue
      }
      try {
        judge(found)
        if (this.#pinned.keep(found)) operation.document = found
      } catch (error) {
        if (!(error instanceof SluiceError)) throw error
        reasons.set(operation.text, error.message)
      }
    }
    return this.#entries.flatMap(({ id, name, text }) => {
      const reason = reasons.get(text)
      return reason === undefined ? [] : [{ id, name, reason }]
    })
  }

  /** The document's text. @throws SluiceError where the request has none that it may have. */
  textOf({ query, documentId }: GraphQLParams): OperationText {
    if (query === undefined) return this.#named(documentId)
    if (this.#mode === 'off') return ofText(query)
    const named = documentId === undefined ? undefined : this.#find(documentId)
    if (documentId !== undefined && named?.text !== query && sha256(query) !== withoutPrefix(documentId)) {
      throw new SluiceError('BAD_REQUEST', 'The hash or id of the operation is not that of its text')
    }
    const known = this.#byText.get(query)
    if (known) return known
    if (this.#mode === 'only') throw new SluiceError('PERSISTED_OPERATION_REQUIRED')
    return ofText(query)
  }

  #named(documentId: string | undefined): OperationText {
    if (documentId === undefined) throw new SluiceError('BAD_REQUEST', 'The request has no "query"')
    if (this.#mode === 'off') throw new SluiceError('PERSISTED_QUERY_NOT_SUPPORTED')
    const found = this.#find(documentId)
    if (!found) throw new SluiceError('PERSISTED_QUERY_NOT_FOUND')
    return found
  }

  #find(id: string): PersistedOperation | undefined {
    return this.#byId.get(id) ?? this.#byId.get(withoutPrefix(id))
  }
}

function ofText(text: string): OperationText {
  return { text, hash: undefined, document: undefined }
}

function isRefusal(found: AdmittedDocument | Refusal): found is Refusal {
  return Array.isArray(found)
}

function sha256(text: string): string {
  return hash('sha256', text, 'hex')
}
