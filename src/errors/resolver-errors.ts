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

/** A field that fails for every event says so this often. */
const LOG_INTERVAL_MS = 10_000
/** For what is no field of the schema: a filter, or what came before any field. */
const OTHER = 'other'

/** Fields of a document by where each begins in its text. */
type Coordinates = ReadonlyMap<number, string>

/** Takes what is masked: who is to know what it really was. */
export interface ErrorSink {
  /** `cause` is what was thrown, `error` what GraphQL made of it, if it did. Never throws. */
  tell(cause: unknown, error?: unknown): void
}

/**
 * Masked errors: counted by the field that failed, and logged at a limited rate for each. A field is named by its schema
 * coordinate, `Type.field`, of which there are as many as the schema has; a path has aliases in it, which a client chooses.
 */
export class ResolverErrors implements ErrorSink {
  /** Errors by schema coordinate. */
  readonly counts = new Map<string, number>([[OTHER, 0]])
  readonly #log: Logger
  readonly #schema: GraphQLSchema | undefined
  readonly #limit = new RateLimit(LOG_INTERVAL_MS)
  /** By the source of a document, which lives as long as the document does. */
  readonly #coordinates = new WeakMap<object, Coordinates>()

  /** Without the schema, fields are told apart by path, and none is named. */
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

  /** The same, told to another log: that of a request, made when it is needed. */
  within(log: () => Logger): ErrorSink {
    return { tell: (cause, error) => this.tell(cause, error, log) }
  }

  /** What was thrown may hold anything, and may throw when it is looked at. */
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

/** The document is parsed again, since an error has no more of it than the node and the text. Once for each that fails. */
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
    // A text that is no whole document: its fields have no names here.
  }
  return coordinates
}
