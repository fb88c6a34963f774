import { setTimeout as delay } from 'node:timers/promises'
import { GraphQLError, type GraphQLSchema, getArgumentValues, getVariableValues, type OperationTypeNode } from 'graphql'
import type { Logger } from 'pino'
import { SluiceError } from '../../errors/codes.ts'
import { logError } from '../../errors/faults.ts'
import { RateLimit } from '../../errors/rate-limit.ts'
import type { Bounds } from '../../schema/context.ts'
import type { OperationRequest } from './authorization.ts'
import { visitSelected } from './selected-fields.ts'

/** The client, as rules that live elsewhere see it. */
export interface AuthorizedPrincipal {
  readonly id: string
  readonly kind: 'anonymous' | 'token' | 'key'
  readonly scopes: readonly string[]
  readonly bounds: Bounds
}

/** The operation, as rules that live elsewhere see it. */
export interface AuthorizedOperation {
  readonly type: OperationTypeNode
  readonly name: string | undefined
  /** SHA-256 of the document's text, in hex. */
  readonly hash: string
  /** The fields at the root, with their arguments as resolvers get them. */
  readonly fields: readonly { readonly name: string; readonly arguments: Readonly<Record<string, unknown>> }[]
  /** The client goes on from a position: it had the stream before, or says so. */
  readonly isResumed: boolean
}

/** Nothing or true: allowed. False, or the reason as a sentence for the client: refused. */
// biome-ignore lint/suspicious/noConfusingVoidType: a function that returns nothing allows
type Verdict = boolean | string | undefined | void

/**
 * Rules that live elsewhere: asked before every operation of every transport, when it starts and when it resumes. What
 * they throw, what they answer beside a verdict, and no answer in time are a refusal for now. The signal is aborted when
 * nobody waits any longer: what does not end then counts as asked.
 */
export type Authorize = (
  principal: AuthorizedPrincipal,
  operation: AuthorizedOperation,
  signal: AbortSignal,
) => Verdict | Promise<Verdict>

/** A client waits for its stream meanwhile, and most give up after some seconds. */
const TIMEOUT_MS = 3_000
/** As many as wait in three seconds at some 300 new streams a second. What waits holds a request each. */
const MAX_ASKED = 1_000
/** The service that answers is likely to be back, or less busy, after this time. */
const RETRY_MS = 2_000
const LOG_INTERVAL_MS = 10_000
/** Of a reason, which goes to the client. */
const MAX_REASON_CHARS = 500

export interface RulesElsewhereOptions {
  readonly schema: GraphQLSchema
  readonly authorize: Authorize
  readonly log: Logger
  readonly timeoutMs?: number
}

export class RulesElsewhere {
  readonly #options: RulesElsewhereOptions
  readonly #logged = new RateLimit(LOG_INTERVAL_MS)
  #asked = 0

  constructor(options: RulesElsewhereOptions) {
    this.#options = options
  }

  /** Questions without an answer. */
  get asked(): number {
    return this.#asked
  }

  /** @throws SluiceError `FORBIDDEN`; `AUTHORIZATION_UNAVAILABLE` where there is no verdict. */
  async demand(request: OperationRequest): Promise<void> {
    const operation = this.#operationOf(request)
    // Its variables do not fit their types: it is refused for that as a whole, before it runs.
    if (!operation) return
    if (this.#asked >= MAX_ASKED) throw unavailable('More operations wait for their verdict than can be asked about')
    const verdict = await this.#verdictOf(request, operation)
    if (verdict === true || verdict === undefined) return
    if (verdict === false) throw new SluiceError('FORBIDDEN')
    if (typeof verdict === 'string') throw new SluiceError('FORBIDDEN', verdict.slice(0, MAX_REASON_CHARS))
    this.#failed(new TypeError(`The hook "authorize" answered with a value of type ${typeof verdict}`))
    throw unavailable()
  }

  async #verdictOf({ identity }: OperationRequest, operation: AuthorizedOperation): Promise<unknown> {
    const { authorize, timeoutMs = TIMEOUT_MS } = this.#options
    const timeout = new AbortController()
    const waiting = new AbortController()
    this.#asked++
    try {
      const ask = async () => await authorize(principalOf(identity.principal), operation, timeout.signal)
      // What does not answer at all keeps its place: else it would be asked without end.
      const settled = ask().finally(() => this.#asked--)
      const late = delay(timeoutMs, LATE, { signal: waiting.signal })
      late.catch(() => {})
      const verdict = await Promise.race([settled, late])
      if (verdict !== LATE) return verdict
      timeout.abort()
      settled.catch((error: unknown) => this.#failed(error))
      throw unavailable('Whether this is allowed was not found out in time')
    } catch (error) {
      if (error instanceof SluiceError && error.code === 'AUTHORIZATION_UNAVAILABLE') throw error
      this.#failed(error)
      throw unavailable()
    } finally {
      waiting.abort()
    }
  }

  #operationOf({ document, operation, params, name }: OperationRequest): AuthorizedOperation | undefined {
    const { schema } = this.#options
    const definitions = operation.variableDefinitions ?? []
    const { variableValues: variables } = getVariableValues(schema, definitions, params.variables ?? {})
    if (!variables) return undefined
    const fields: AuthorizedOperation['fields'][number][] = []
    let isResumed = params.lastEventId !== undefined
    visitSelected(
      { schema, document, operation, variables },
      {
        field(_parent, field, node) {
          const given = argumentsOf(() => getArgumentValues(field, node, variables))
          isResumed ||= operation.operation === 'subscription' && typeof given.after === 'string'
          fields.push(frozen({ name: field.name, arguments: given }))
          return false
        },
      },
    )
    return Object.freeze({ type: operation.operation, ...name, fields: Object.freeze(fields), isResumed })
  }

  #failed(error: unknown): void {
    this.#logged.tell((unlogged) =>
      logError(this.#options.log, error, { unlogged }, 'The hook "authorize" failed: operations are refused'),
    )
  }
}

/**
 * @throws SluiceError `BAD_USER_INPUT` for an argument that does not fit its type: an executor would leave out only its
 * field, and run the others unasked.
 */
function argumentsOf<T>(read: () => T): T {
  try {
    return read()
  } catch (error) {
    throw new SluiceError('BAD_USER_INPUT', error instanceof GraphQLError ? error.message : undefined)
  }
}

const LATE = Symbol('late')

function unavailable(message?: string): SluiceError {
  return new SluiceError('AUTHORIZATION_UNAVAILABLE', message, {}, RETRY_MS)
}

function principalOf({ id, kind, scopes, bounds }: OperationRequest['identity']['principal']): AuthorizedPrincipal {
  return frozen({ id, kind, scopes: [...scopes].sort(), bounds: structuredClone(bounds) })
}

/** Plain values are frozen to their depth, which is limited as that of variables and documents is. */
function frozen<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  for (const inner of Object.values(value)) frozen(inner)
  return Object.freeze(value)
}
