import { hash } from 'node:crypto'
import {
  type DocumentNode,
  GraphQLError,
  type GraphQLFormattedError,
  type GraphQLSchema,
  getOperationAST,
  type OperationDefinitionNode,
  OverlappingFieldsCanBeMergedRule,
  parse,
  specifiedRules,
  validate,
} from 'graphql'
import { LRUCache } from 'lru-cache'
import { PreparedOperations } from '../delivery/operation/cache.ts'
import type { ErrorCode } from '../errors/codes.ts'
import { formatError } from '../errors/format.ts'
import type { ErrorSink } from '../errors/resolver-errors.ts'
import { measureDocument } from './document-shape.ts'
import { MergeableFieldsRule } from './mergeable-fields.ts'
import { NoIntrospectionRule } from './no-introspection.ts'
import { OperationCost } from './operation-cost.ts'

/** Far more than any hand-written operation: it bounds costs that are superlinear in the text. */
const MAX_TOKENS = 5_000
/** Budget of documents and their operations, by their size in memory: some 500 documents of 2 KB. */
const DOCUMENTS_BYTES = 32 * 1024 * 1024
/** Budget of cached refusals, by the length of their messages: some thousands. */
const REFUSALS_BYTES = 2 * 1024 * 1024
/** Overhead of a refusal: a digest, an array, and an object for each error. */
const REFUSAL_BYTES = 512
/** Limit of reported errors: enough for a person to read. */
const MAX_ERRORS = 20
/** Limit of an error message, which may quote any part of a document. */
const MAX_MESSAGE_CHARS = 400
const RULES = specifiedRules.map((rule) => (rule === OverlappingFieldsCanBeMergedRule ? MergeableFieldsRule : rule))
const RULES_WITHOUT_INTROSPECTION = [...RULES, NoIntrospectionRule]

export type Refusal = readonly GraphQLFormattedError[]

export interface DocumentCacheOptions {
  /** False: documents may not ask for the schema, and errors suggest none of its names. */
  readonly introspection?: boolean
}

/**
 * Cache of parsed and validated documents by their text, and of refusals by its digest: each text is validated once.
 */
export class DocumentCache {
  readonly #schema: GraphQLSchema
  readonly #introspection: boolean
  /** The text that was hashed last: a new one is looked up, refused or read in one turn. */
  #hashed = { text: '', digest: '' }
  readonly #documents = new LRUCache<string, AdmittedDocument>({
    maxSize: DOCUMENTS_BYTES,
    sizeCalculation: (document) => document.bytes,
  })
  readonly #refusals = new LRUCache<string, Refusal>({
    maxSize: REFUSALS_BYTES,
    sizeCalculation: (errors) => REFUSAL_BYTES + 2 * JSON.stringify(errors).length,
  })

  constructor(schema: GraphQLSchema, { introspection = true }: DocumentCacheOptions = {}) {
    this.#schema = schema
    this.#introspection = introspection
  }

  get bytes(): number {
    return this.#documents.calculatedSize + this.#refusals.calculatedSize
  }

  /** What a former `get` of the same text returned, as long as it is cached. */
  known(text: string): AdmittedDocument | Refusal | undefined {
    return this.#documents.get(text) ?? this.#refusals.get(this.#digestOf(text))
  }

  /** `errors` receives what a scalar throws for a literal. */
  get(text: string, errors: ErrorSink): AdmittedDocument | Refusal {
    const known = this.#documents.get(text)
    if (known) return known
    const digest = this.#digestOf(text)
    const refused = this.#refusals.get(digest)
    if (refused) return refused
    const found = this.read(text, errors, (grown) => this.#grown(text, grown))
    if (found instanceof AdmittedDocument) this.#documents.set(text, found)
    // A fault of the schema's own may be gone the next time.
    else if (!found.some(isMasked)) this.#refusals.set(digest, found)
    return found
  }

  /** Parses and validates a document without caching it. `onGrown` is called when its memory changes. */
  read(text: string, sink: ErrorSink, onGrown: (grown: AdmittedDocument) => void): AdmittedDocument | Refusal {
    const rules = this.#introspection ? RULES : RULES_WITHOUT_INTROSPECTION
    const options = { maxErrors: MAX_ERRORS, hideSuggestions: !this.#introspection }
    let document: DocumentNode
    try {
      document = parse(text, { maxTokens: MAX_TOKENS })
    } catch (error) {
      return refusal([error instanceof GraphQLError ? error : tooDeep()], sink, 'GRAPHQL_PARSE_FAILED')
    }
    try {
      const bytes = measureDocument(document, text)
      const errors = validate(this.#schema, document, rules, options)
      if (errors.length > 0) return refusal(errors, sink, 'GRAPHQL_VALIDATION_FAILED')
      return new AdmittedDocument(this.#schema, document, bytes, this.#digestOf(text), onGrown)
    } catch (error) {
      return refusal([error], sink, 'INTERNAL_SERVER_ERROR')
    }
  }

  /** SHA-256 in hex. */
  #digestOf(text: string): string {
    if (this.#hashed.text !== text) this.#hashed = { text, digest: hash('sha256', text, 'hex') }
    return this.#hashed.digest
  }

  /** Updates the cache's size of an entry. */
  #grown(text: string, document: AdmittedDocument): void {
    if (this.#documents.peek(text) !== document) return
    this.#documents.delete(text)
    this.#documents.set(text, document)
  }
}

export interface AdmittedOperation {
  readonly node: OperationDefinitionNode
  readonly cost: OperationCost
}

/** A validated document with everything derived from it, which is evicted with it. */
export class AdmittedDocument {
  readonly document: DocumentNode
  /** SHA-256 of its text, in hex. */
  readonly hash: string
  readonly prepared: PreparedOperations
  readonly #schema: GraphQLSchema
  readonly #ownBytes: number
  readonly #operations = new Map<string | undefined, AdmittedOperation>()

  constructor(
    schema: GraphQLSchema,
    document: DocumentNode,
    bytes: number,
    digest: string,
    onGrown: (grown: AdmittedDocument) => void,
  ) {
    this.#schema = schema
    this.document = document
    this.hash = digest
    this.#ownBytes = bytes
    this.prepared = new PreparedOperations(bytes, () => onGrown(this))
  }

  get bytes(): number {
    return this.#ownBytes + this.prepared.bytes
  }

  /** Undefined: the document has no such operation, or has several. Cached by name: at most one for each operation. */
  operation(name: string | undefined): AdmittedOperation | undefined {
    const known = this.#operations.get(name)
    if (known) return known
    const node = getOperationAST(this.document, name)
    if (!node) return undefined
    const operation = { node, cost: new OperationCost(this.#schema, this.document, node) }
    this.#operations.set(name, operation)
    return operation
  }
}

function isMasked({ extensions }: GraphQLFormattedError): boolean {
  return extensions?.code === 'INTERNAL_SERVER_ERROR'
}

function refusal(errors: readonly unknown[], sink: ErrorSink, code: ErrorCode): Refusal {
  return errors.map((error) => {
    const formatted = formatError(error, sink, code)
    const { message } = formatted
    if (message.length <= MAX_MESSAGE_CHARS) return formatted
    return { ...formatted, message: `${message.slice(0, MAX_MESSAGE_CHARS)}…` }
  })
}

/** Within the token limit, the parser's only other failure is a stack overflow by a nested value. */
function tooDeep(): GraphQLError {
  return new GraphQLError('The document is nested too deeply')
}
