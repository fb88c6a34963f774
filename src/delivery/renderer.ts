import { type ExecutionResult, executeSubscriptionEvent, GraphQLError, type ValidatedSubscriptionArgs } from 'graphql'
import type { Logger } from 'pino'
import { SluiceError } from '../errors.ts'
import type { StreamEvent } from '../streams/event.ts'
import type { CompiledOperation } from './compile.ts'
import type { Compiler } from './compiler.ts'
import { formatError } from './format-error.ts'
import { bodyOf } from './frame.ts'

/** An event's resolvers may take this long; then its result has `errors`, and the stream goes on. */
const EVENT_TIMEOUT_MS = 10_000

/** Events that failed after which a compiled operation is given up. */
const MAX_COMPILED_ERRORS = 100

export interface RendererOptions {
  readonly args: ValidatedSubscriptionArgs
  /** Names what is rendered; undefined: shared with nobody. */
  readonly key: string | undefined
  readonly compiler: Compiler
  readonly stats: { executions: number; bodies: number }
  readonly log: Logger
}

/**
 * Makes the body of an event: executes it, masks its errors and serializes it, once, however many groups ask for it
 * one after the other. Groups that differ only in their filter share a renderer.
 */
export class Renderer {
  readonly key: string | undefined
  /** Groups that use it. */
  users = 0
  /** Set once the operation has been compiled. */
  compiled: CompiledOperation | undefined
  readonly args: ValidatedSubscriptionArgs
  readonly #compiler: Compiler
  readonly #stats: { executions: number; bodies: number }
  readonly #log: Logger
  #compiledErrors = 0
  #rendered: StreamEvent | undefined
  #body: Buffer | Promise<Buffer> | undefined

  constructor(options: RendererOptions) {
    this.args = options.args
    this.key = options.key
    this.#compiler = options.compiler
    this.#stats = options.stats
    this.#log = options.log
    this.compiled = options.compiler.known(options.key)
  }

  /** The event's body: at once, unless a resolver is asynchronous. Never throws or rejects. */
  render(event: StreamEvent): Buffer | Promise<Buffer> {
    // The event that was rendered last is the one the other groups are being told of.
    if (this.#body === undefined || this.#rendered !== event) {
      this.#rendered = event
      this.#body = this.#render(event)
    }
    return this.#body
  }

  /** The body of an error, in place of an event's. */
  renderError(error: unknown): Buffer {
    return this.#bodyOf(failed(error))
  }

  #render(event: StreamEvent): Buffer | Promise<Buffer> {
    this.#stats.executions++
    try {
      const result = this.compiled ? this.#executeCompiled(this.compiled, event) : this.#execute(event)
      return result instanceof Promise ? this.#await(result) : this.#bodyOf(result)
    } catch (error) {
      return this.renderError(error)
    }
  }

  #execute(event: StreamEvent): ExecutionResult | Promise<ExecutionResult> {
    this.#compiler.executed(this)
    return executeSubscriptionEvent({ ...this.args, rootValue: event })
  }

  #executeCompiled(compiled: CompiledOperation, event: StreamEvent): ExecutionResult | Promise<ExecutionResult> {
    const result = compiled(event, this.args.contextValue, this.args.rawVariableValues)
    if (result instanceof Promise) return result.then((settled) => this.#withoutErrors(settled, event))
    return this.#withoutErrors(result, event)
  }

  /**
   * Of a failed event graphql-jit may tell more errors than graphql-js, which stops where a null spreads: so that one
   * is asked again. An operation that keeps failing is better off without the detour.
   */
  #withoutErrors(result: ExecutionResult, event: StreamEvent): ExecutionResult | Promise<ExecutionResult> {
    if (!result.errors) return result
    if (++this.#compiledErrors >= MAX_COMPILED_ERRORS) this.compiled = undefined
    return this.#execute(event)
  }

  async #await(pending: Promise<ExecutionResult>): Promise<Buffer> {
    const { promise: timeout, reject } = Promise.withResolvers<never>()
    const timer = setTimeout(() => reject(new SluiceError('RESOLVER_TIMEOUT')), EVENT_TIMEOUT_MS)
    try {
      return this.#bodyOf(await Promise.race([pending, timeout]))
    } catch (error) {
      return this.renderError(error)
    } finally {
      clearTimeout(timer)
    }
  }

  #bodyOf({ errors, data, extensions }: ExecutionResult): Buffer {
    this.#stats.bodies++
    const rest = extensions ? { data, extensions } : { data }
    if (!errors) return bodyOf(JSON.stringify(rest))
    return bodyOf(JSON.stringify({ errors: errors.map((error) => formatError(error, this.#log)), ...rest }))
  }
}

function failed(error: unknown): ExecutionResult {
  const cause = error instanceof Error ? error : new Error(String(error))
  const graphqlError = cause instanceof GraphQLError ? cause : new GraphQLError(cause.message, { originalError: cause })
  return { errors: [graphqlError], data: null }
}
