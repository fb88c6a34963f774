import type { ExecutionResult, ValidatedSubscriptionArgs } from 'graphql'
import { SluiceError } from '../../errors/codes.ts'
import type { ErrorSink } from '../../errors/resolver-errors.ts'
import type { StreamEvent } from '../../streams/event.ts'
import type { OperationWeight } from '../operation/operation.ts'
import type { TextOperation } from './compile-text.ts'
import type { Compiler } from './compiler.ts'
import { executeEvent } from './execute-event.ts'
import { errorJson, resultJson } from './result-json.ts'
import { boundedJson } from './result-size.ts'

/** An event's resolvers may take this long; then its result has `errors`, and the stream goes on. */
const EVENT_TIMEOUT_MS = 10_000

/**
 * Events in a row that compiled code left to graphql-js, after which it rests: each costs a little more than without it.
 * One among others costs nothing to speak of.
 */
const MAX_LEFT_IN_A_ROW = 100
/** Events that it then rests for: trying again costs a tenth of the little more. */
const REST_EVENTS = 1_000

export interface RendererOptions {
  readonly weight: OperationWeight
  readonly args: ValidatedSubscriptionArgs
  /** Names what is rendered; undefined: shared with nobody. */
  readonly key: string | undefined
  readonly compiler: Compiler
  readonly stats: { executions: number; bodies: number }
  readonly errors: ErrorSink
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
  compiled: TextOperation | undefined
  /** Some resolver was awaited, since this was last looked at. */
  wasAwaited = false
  readonly args: ValidatedSubscriptionArgs
  readonly weight: OperationWeight
  readonly #compiler: Compiler
  readonly #stats: { executions: number; bodies: number }
  readonly #errors: ErrorSink
  #leftInARow = 0
  #resting = 0
  #rendered: StreamEvent | undefined
  #body: Buffer | Promise<Buffer> | undefined

  constructor(options: RendererOptions) {
    this.args = options.args
    this.weight = options.weight
    this.key = options.key
    this.#compiler = options.compiler
    this.#stats = options.stats
    this.#errors = options.errors
    this.compiled = options.compiler.known(options.key)
  }

  /** The event's body: at once, unless a resolver is asynchronous. Never throws or rejects. */
  render(event: StreamEvent): Buffer | Promise<Buffer> {
    // The event that was rendered last is the one the other groups are being told of.
    if (this.#body === undefined || this.#rendered !== event) {
      this.#rendered = event
      const json = this.jsonOf(event)
      this.#body = json instanceof Promise ? json.then(bytesOf) : bytesOf(json)
    }
    return this.#body
  }

  /** The body of an error, in place of an event's. */
  renderError(error: unknown): Buffer {
    return bytesOf(this.jsonOfError(error))
  }

  /** The event's result, as JSON. Never throws or rejects. */
  jsonOf(event: StreamEvent): string | Promise<string> {
    this.#stats.executions++
    try {
      const result = this.compiled ? this.#executeCompiled(this.compiled, event) : this.#execute(event)
      if (typeof result === 'string') {
        this.#stats.bodies++
        return boundedJson(result)
      }
      return result instanceof Promise ? this.#await(result) : this.#serialize(result)
    } catch (error) {
      return this.jsonOfError(error)
    }
  }

  /** The result of an error, as JSON. Never throws, though what was thrown may be anything. */
  jsonOfError(error: unknown): string {
    this.#stats.bodies++
    return errorJson(error, this.#errors)
  }

  #execute(event: StreamEvent): ExecutionResult | Promise<ExecutionResult> {
    this.#compiler.executed(this)
    const result = executeEvent(this.args, event)
    if (result instanceof Promise) this.wasAwaited = true
    return result
  }

  #executeCompiled(compiled: TextOperation, event: StreamEvent): string | ExecutionResult | Promise<ExecutionResult> {
    if (this.#resting > 0) {
      this.#resting--
      return executeEvent(this.args, event)
    }
    const result = compiled.execute(this.args, event)
    if (typeof result === 'string') this.#leftInARow = 0
    else if (++this.#leftInARow === MAX_LEFT_IN_A_ROW) {
      this.#leftInARow = 0
      this.#resting = REST_EVENTS
    }
    return result
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

  #serialize(result: ExecutionResult): string {
    this.#stats.bodies++
    return resultJson(result, this.#errors)
  }
}

/** The body of a result: what all framings share. */
function bytesOf(json: string): Buffer {
  return Buffer.from(json)
}
