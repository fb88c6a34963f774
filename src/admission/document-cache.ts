import { type DocumentNode, GraphQLError, type GraphQLSchema, parse, validate } from 'graphql'
import { LRUCache } from 'lru-cache'
import type { ErrorCode } from '../errors.ts'
import { tooDeep, tooDeepSelections, tooDeepValues } from './depth.ts'

/** Far more than any hand-written operation; what grows faster than its text does is bounded by it. */
const MAX_TOKENS = 5_000
/** Documents kept, by the length of their texts. A document takes some seventy times its text: this is 20 MiB. */
const CACHE_CHARS = 300_000
/** A client that is wrong in a hundred places has enough to read with these. */
const MAX_ERRORS = 20

export type CachedDocument =
  | { readonly document: DocumentNode; readonly errors?: undefined; readonly code?: undefined }
  | { readonly document?: undefined; readonly errors: readonly GraphQLError[]; readonly code: ErrorCode }

/** Parsed and validated documents by their text, so that the same text costs once. Refusals are not kept. */
export class DocumentCache {
  readonly #schema: GraphQLSchema
  readonly #documents = new LRUCache<string, DocumentNode>({
    maxSize: CACHE_CHARS,
    sizeCalculation: (_document, text) => text.length + 1,
  })

  constructor(schema: GraphQLSchema) {
    this.#schema = schema
  }

  get(text: string): CachedDocument {
    const cached = this.#documents.get(text)
    if (cached) return { document: cached }
    let document: DocumentNode
    try {
      document = parse(text, { maxTokens: MAX_TOKENS })
    } catch (error) {
      return { errors: [error instanceof GraphQLError ? error : tooDeep()], code: 'GRAPHQL_PARSE_FAILED' }
    }
    const deepValue = tooDeepValues(document)
    if (deepValue) return { errors: [deepValue], code: 'GRAPHQL_PARSE_FAILED' }
    const errors = this.#validate(document)
    if (errors.length > 0) return { errors, code: 'GRAPHQL_VALIDATION_FAILED' }
    this.#documents.set(text, document)
    return { document }
  }

  #validate(document: DocumentNode): readonly GraphQLError[] {
    try {
      const errors = validate(this.#schema, document, undefined, { maxErrors: MAX_ERRORS })
      if (errors.length > 0) return errors
      const deep = tooDeepSelections(document)
      return deep ? [deep] : []
    } catch (error) {
      // Selections within selections may use up the stack before they are found to be too deep.
      if (error instanceof RangeError) return [tooDeep()]
      throw error
    }
  }
}
