import type { DocumentNode, GraphQLError } from 'graphql'
import { LRUCache } from 'lru-cache'
import { type Operation, type OperationRequest, prepareOperation } from './operation.ts'
import { canonicalJson } from './operation-key.ts'

/** Operations kept. Each is some kilobytes, beside its document, which the admission's cache may have let go. */
const MAX_OPERATIONS = 1_000
/** Variables longer than this as JSON are seldom sent twice, and would be long keys. */
const MAX_VARIABLES_CHARS = 2_000

/**
 * Operations that were prepared lately. A thousand clients that ask the same thing send the same document with the same
 * variables, and what is made of them depends on nothing else but the audience.
 */
export class OperationCache {
  /** By the document as an object (equal texts have one, while admission keeps it), then by what else counts. */
  readonly #operations = new LRUCache<string, Operation>({ max: MAX_OPERATIONS })
  readonly #numbers = new WeakMap<DocumentNode, number>()
  #documents = 0

  /** As `prepareOperation`, and throws what that throws. */
  prepare(request: OperationRequest): Operation | readonly GraphQLError[] {
    const variables = request.variables === undefined ? '' : JSON.stringify(request.variables)
    if (variables.length > MAX_VARIABLES_CHARS) return prepareOperation(request)
    const { document, operationName = '', context } = request
    const key = `${this.#numberOf(document)} ${operationName} ${canonicalJson(context.audience.claims)} ${variables}`
    const known = this.#operations.get(key)
    if (known) return known
    const operation = prepareOperation(request)
    if ('args' in operation) this.#operations.set(key, operation)
    return operation
  }

  #numberOf(document: DocumentNode): number {
    let number = this.#numbers.get(document)
    if (number === undefined) {
      number = ++this.#documents
      this.#numbers.set(document, number)
    }
    return number
  }
}
