import {
  type ASTNode,
  GraphQLError,
  type GraphQLSchema,
  Kind,
  parse,
  TypeInfo,
  visit,
  visitWithTypeInfo,
} from 'graphql'
import type { Logger } from 'pino'
import { logError } from './faults.ts'
import { RateLimit } from './rate-limit.ts'

/** Rate limit of log lines for each field, which may fail for every event. */
const LOG_INTERVAL_MS = 10_000
/** Label of errors without a field of the schema: a filter's, or one before any field. */
const OTHER = 'other'

/** Fields of a document by their offset in its text. */
type Coordinates = ReadonlyMap<number, string>

/** Receives masked errors in their original form. */
export interface ErrorSink {
  /** `cause` is the thrown value, `error` the GraphQLError that wraps it, if any. Never throws. */
  tell(cause: unknown, error?: unknown): void
}

/**
 * Masked errors: counted by field, and logged at a limited rate for each. A field is named by its schema coordinate,
 * `Type.field`: their number is bounded by the schema. Paths contain aliases, which clients choose.
 */
export class ResolverErrors implements ErrorSink {
  /** Errors by schema coordinate. */
  readonly counts = new Map<string, number>([[OTHER, 0]])
  readonly #log: Logger
  readonly #schema: GraphQLSchema | undefined
  readonly #limit = new RateLimit(LOG_INTERVAL_MS)
  /** By the source of a document, with the same lifetime. */
  readonly #coordinates = new WeakMap<object, Coordinates>()

  /** Without the schema, the rate limit is by path, and no field is named. */
  constructor(log: Logger, schema?: GraphQLSchema) {
    this.#log = log
    this.#schema = schema
  }

  tell(cause: unknown, error?: unknown, log = (): Logger => this.#log): void {
    const { field, path } = this.#placeOf(error)
    this.counts.set(field ?? OTHER, (this.counts.get(field ?? OTHER) ?? 0) + 1)
    const key = field ?? path?.filter((part) => typeof part === 'string').join('.')
    this.#limit.tell((unlogged) => logError(log(), cause, { path, field, unlogged }, 'A resolver failed'), key)
  }

  /** The same with another log: that of a request, created when it is needed. */
  within(log: () => Logger): ErrorSink {
    return { tell: (cause, error) => this.tell(cause, error, log) }
  }

  /** The thrown value may be anything, and its properties may throw. */
  #placeOf(error: unknown): { readonly field?: string | undefined; readonly path?: readonly unknown[] | undefined } {
    try {
      if (!(error instanceof GraphQLError)) return {}
      return { field: this.#fieldOf(error), path: Array.isArray(error.path) ? [...error.path] : undefined }
    } catch {
      return {}
    }
  }

  #fieldOf(error: GraphQLError): string | undefined {
    const [node] = error.nodes ?? []
    if (!node?.loc || !this.#schema) return undefined
    const { source, start } = node.loc
    let coordinates = this.#coordinates.get(source)
    if (!coordinates) {
      coordinates = coordinatesOf(this.#schema, source)
      this.#coordinates.set(source, coordinates)
    }
    return coordinates.get(start)
  }
}

/** The document is parsed again: an error references only the node and the text. Once for each document that fails. */
function coordinatesOf(schema: GraphQLSchema, source: Parameters<typeof parse>[0]): Coordinates {
  const coordinates = new Map<number, string>()
  const types = new TypeInfo(schema)
  const enter = (node: ASTNode): void => {
    const parent = types.getParentType()
    if (node.kind !== Kind.FIELD || !node.loc || !parent || !types.getFieldDef()) return
    coordinates.set(node.loc.start, `${parent.name}.${node.name.value}`)
  }
  try {
    visit(parse(source), visitWithTypeInfo(types, { enter }))
  } catch {
    // The text is not a complete document: its fields have no names here.
  }
  return coordinates
}
