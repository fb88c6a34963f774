import { type ExecutionResult, executeSubscriptionEvent, GraphQLError, type ValidatedSubscriptionArgs } from 'graphql'
import type { Logger } from 'pino'
import { SluiceError } from '../errors.ts'
import type { StreamEvent } from '../streams/event.ts'
import type { Compiled, Compiler } from './compiler.ts'
import { formatError } from './format-error.ts'
import { bodyOf } from './frame.ts'
import type { OperationWeight } from './operation.ts'
import { boundedJson } from './result-size.ts'

/** An event's resolvers may take this long; then its result has `errors`, and the stream goes on. */
const EVENT_TIMEOUT_MS = 10_000

/** Events that failed after which a compiled operation is given up. */
const MAX_COMPILED_ERRORS = 100

export interface RendererOptions {
  readonly weight: OperationWeight
  readonly args: ValidatedSubscriptionArgs
  /** Names what is rendered; undefined: shared with nobody. */
  readonly key: string | undefined
  readonly compiler: Compiler
  readonly stats: { executions: number; bodies: number }
  readonly log: Logger
}

/**
 * Makes the JSON and the body of an event: executes it, masks its errors and serializes it, once, however many groups ask
 * for the body one after the other. Groups that differ only in their filter share a renderer.
 */
export class Renderer {
  readonly key: string | undefined
  /** Groups that use it. */
  users = 0
  /** Set once the operation has been compiled. */
  compiled: Compiled | undefined
  /** Compiling it to text is worth a try: no resolver has been awaited. */
  isText = true
  readonly args: ValidatedSubscriptionArgs
  readonly weight: OperationWeight
  readonly #compiler: Compiler
  readonly #stats: { executions: number; bodies: number }
  readonly #log: Logger
  #compiledErrors = 0
  #rendered: StreamEvent | undefined
  #body: Buffer | Promise<Buffer> | undefined

  constructor(options: RendererOptions) {
    this.args = options.args
    this.weight = options.weight
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
      const json = this.jsonOf(event)
      this.#body = json instanceof Promise ? json.then(bodyOf) : bodyOf(json)
    }
    return this.#body
  }

  /** The body of an error, in place of an event's. */
  renderError(error: unknown): Buffer {
    return bodyOf(this.jsonOfError(error))
  }

  /** The event's result, as JSON. Never throws or rejects. */
  jsonOf(event: StreamEvent): string | Promise<string> {
    this.#stats.executions++
    try {
      const text = this.compiled?.textOf?.(event, this.args.contextValue)
      if (text !== undefined) {
        this.#stats.bodies++
        return boundedJson(text)
      }
      const result = this.compiled ? this.#executeCompiled(this.compiled, event) : this.#execute(event)
      return result instanceof Promise ? this.#await(result) : this.#serialize(result)
    } catch (error) {
      return this.jsonOfError(error)
    }
  }

  jsonOfError(error: unknown): string {
    return this.#serialize(failed(error))
  }

  #execute(event: StreamEvent): ExecutionResult | Promise<ExecutionResult> {
    this.#compiler.executed(this)
    const result = executeSubscriptionEvent({ ...this.args, rootValue: event })
    if (result instanceof Promise) this.isText = false
    return result
  }

  #executeCompiled({ execute }: Compiled, event: StreamEvent): ExecutionResult | Promise<ExecutionResult> {
    if (!execute) return this.#executeAgain(event)
    const result = execute(event, this.args.contextValue, this.args.rawVariableValues)
    if (result instanceof Promise) return result.then((settled) => this.#withoutErrors(settled, event))
    return this.#withoutErrors(result, event)
  }

  /** Of a failed event graphql-jit may tell more errors than graphql-js, which stops where a null spreads. */
  #withoutErrors(result: ExecutionResult, event: StreamEvent): ExecutionResult | Promise<ExecutionResult> {
    return result.errors ? this.#executeAgain(event) : result
  }

  /** What compiled code cannot tell is asked of graphql-js. */
  #executeAgain(event: StreamEvent): ExecutionResult | Promise<ExecutionResult> {
    if (++this.#compiledErrors >= MAX_COMPILED_ERRORS) this.#giveUp()
    return this.#execute(event)
  }

  /** An operation that keeps failing is better off without the detour; one compiled to text with the other one. */
  #giveUp(): void {
    this.#compiledErrors = 0
    if (this.compiled?.textOf) {
      this.isText = false
      this.#compiler.again(this)
    }
    this.compiled = undefined
  }

  async #await(pending: Promise<ExecutionResult>): Promise<string> {
    const { promise: timeout, reject } = Promise.withResolvers<never>()
    const timer = setTimeout(() => reject(new SluiceError('RESOLVER_TIMEOUT')), EVENT_TIMEOUT_MS)
    try {
      return this.#serialize(await Promise.race([pending, timeout]))
    } catch (error) {
      return this.jsonOfError(error)
    } finally {
      clearTimeout(timer)
    }
  }

  #serialize({ errors, data, extensions }: ExecutionResult): string {
    this.#stats.bodies++
    const rest = extensions ? { data, extensions } : { data }
    if (!errors) return boundedJson(JSON.stringify(rest))
    return boundedJson(JSON.stringify({ errors: errors.map((error) => formatError(error, this.#log)), ...rest }))
  }
}

function failed(error: unknown): ExecutionResult {
  const cause = error instanceof Error ? error : new Error(String(error))
  const graphqlError = cause instanceof GraphQLError ? cause : new GraphQLError(cause.message, { originalError: cause })
  return { errors: [graphqlError], data: null }
}
