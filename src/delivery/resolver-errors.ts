import {
  type ASTNode,
  type GraphQLError,
  type GraphQLSchema,
  Kind,
  parse,
  TypeInfo,
  visit,
  visitWithTypeInfo,
} from 'graphql'
import type { Logger } from 'pino'
import { logError } from '../faults.ts'
import { RateLimit } from '../rate-limit.ts'

/** A field that fails for every event says so this often. */
const LOG_INTERVAL_MS = 10_000
/** For what is no field of the schema: a filter, or what came before any field. */
const OTHER = 'other'

/** Fields of a document by where each begins in its text. */
type Coordinates = ReadonlyMap<number, string>

/**
 * Masked errors: counted by the field that failed, and logged at a limited rate for each. A field is named by its schema
 * coordinate, `Type.field`, of which there are as many as the schema has; a path has aliases in it, which a client chooses.
 */
export class ResolverErrors {
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

  /** `cause` is what was thrown, `error` what GraphQL made of it. Never throws. */
  tell(cause: unknown, error?: GraphQLError): void {
    const field = this.#fieldOf(error)
    this.counts.set(field ?? OTHER, (this.counts.get(field ?? OTHER) ?? 0) + 1)
    const path = error?.path
    const key = field ?? path?.filter((part) => typeof part === 'string').join('.')
    this.#limit.tell((unlogged) => logError(this.#log, cause, { path, field, unlogged }, 'A resolver failed'), key)
  }

  #fieldOf(error: GraphQLError | undefined): string | undefined {
    const [node] = error?.nodes ?? []
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
