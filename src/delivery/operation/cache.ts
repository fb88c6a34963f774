import type { GraphQLError } from 'graphql'
import { claimsKey } from './key.ts'
import { type Operation, type OperationRequest, prepareOperation } from './operation.ts'

/** Bound of one document's operations: some 700. It leaves room for other documents in the shared cache. */
const MAX_BYTES = 2 * 1024 * 1024
/** Longer variables, as JSON, are seldom repeated, and would be long keys. */
const MAX_VARIABLES_CHARS = 2_000
/**
 * Heap bytes of an operation without variables, and of each character of its variables as JSON. Measured: 1,600 to
 * 2,600, and 11 (numbers) to 85 (empty objects), since they are kept both raw and coerced.
 */
const OPERATION_BYTES = 2_600
const VARIABLE_CHAR_BYTES = 85

interface Prepared {
  readonly operation: Operation
  readonly bytes: number
}

/**
 * Cache of prepared operations of one document, by variables and audience. A thousand clients of one page send the same
 * document with the same variables. The operations reference the document, so they are stored beside it, and are
 * evicted with it.
 */
export class PreparedOperations {
  /** Least recently used first. */
  readonly #operations = new Map<string, Prepared>()
  readonly #documentBytes: number
  readonly #onGrown: () => void
  #bytes = 0

  /** @param onGrown is called when their memory changes. */
  constructor(documentBytes: number, onGrown: () => void) {
    this.#documentBytes = documentBytes
    this.#onGrown = onGrown
  }

  get bytes(): number {
    return this.#bytes
  }

  /** Forgets all of them. */
  clear(): void {
    this.#operations.clear()
    this.#bytes = 0
  }

  /**
   * As `prepareOperation`, and throws as it does.
   * @param preparing runs the preparation of one that is not cached, or throws instead.
   */
  prepare(request: OperationRequest, preparing: <T>(prepare: () => T) => T = run): Operation | readonly GraphQLError[] {
    const { operationName = '', context } = request
    const variables = request.variables === undefined ? '' : JSON.stringify(request.variables)
    const key = `${operationName} ${claimsKey(context.audience)} ${variables}`
    const known = this.#operations.get(key)
    if (known) {
      this.#operations.delete(key)
      this.#operations.set(key, known)
      return known.operation
    }
    const bytes = OPERATION_BYTES + VARIABLE_CHAR_BYTES * variables.length
    const weight = { document: this.#documentBytes, own: bytes }
    const operation = preparing(() => prepareOperation(request, weight))
    if ('args' in operation && variables.length <= MAX_VARIABLES_CHARS) {
      this.#keep(key, { operation, bytes: operation.weight.own })
    }
    return operation
  }

  #keep(key: string, prepared: Prepared): void {
    this.#operations.set(key, prepared)
    this.#bytes += prepared.bytes
    for (const [longest, { bytes }] of this.#operations) {
      if (this.#bytes <= MAX_BYTES) break
      this.#operations.delete(longest)
      this.#bytes -= bytes
    }
    this.#onGrown()
  }
}

function run<T>(prepare: () => T): T {
  return prepare()
}
