import type { ExecutionResult, ValidatedSubscriptionArgs } from 'graphql'
import { SluiceError } from '../../errors/codes.ts'
import type { ErrorSink } from '../../errors/resolver-errors.ts'
import { Arena } from '../../memory/arena.ts'
import type { OperationWork } from '../counts/operation-counts.ts'
import { RenderCost } from '../counts/render-cost.ts'
import type { ResolverTimes } from '../counts/resolver-times.ts'
import type { OperationWeight } from '../operation/operation.ts'
import type { TextOperation } from './compile-text.ts'
import type { Compiler } from './compiler.ts'
import { executeEvent } from './execute-event.ts'
import { errorJson, resultJson } from './result-json.ts'
import { boundedJson } from './result-size.ts'

/** Timeout of an event's asynchronous resolvers. Its result then has `errors`, and the stream continues. */
const EVENT_TIMEOUT_MS = 10_000

/**
 * Consecutive events that compiled code left to graphql-js, after which it is suspended: each costs a little more than
 * without it. Single ones cost almost nothing.
 */
const MAX_LEFT_IN_A_ROW = 100
/** Number of events of a suspension: the retries then cost a tenth of that overhead. */
const REST_EVENTS = 1_000

export interface RendererOptions {
  readonly weight: OperationWeight
  readonly args: ValidatedSubscriptionArgs
  /** Key of equal bodies; undefined: not shared. */
  readonly key: string | undefined
  readonly compiler: Compiler
  readonly stats: { executions: number; bodies: number }
  readonly errors: ErrorSink
  /** Absent: resolvers are not measured. */
  readonly times?: ResolverTimes | undefined
  /** Counters of its operation's name. */
  readonly work: OperationWork
}

/**
 * Renders the JSON and the body of an event, or of an item of a table: executes it, masks its errors and serializes it,
 * once, for all groups that request the body in succession. Groups that differ only in their filter share a renderer.
 */
export class Renderer {
  readonly key: string | undefined
  /** Reference count: the groups that use it. */
  users = 0
  /** Set once the operation has been compiled. */
  compiled: TextOperation | undefined
  readonly cost = new RenderCost()
  /** Set when a resolver was asynchronous; reset by the compiler. */
  wasAwaited = false
  readonly args: ValidatedSubscriptionArgs
  readonly weight: OperationWeight
  readonly work: OperationWork
  readonly #compiler: Compiler
  readonly #stats: { executions: number; bodies: number }
  readonly #errors: ErrorSink
  readonly #times: ResolverTimes | undefined
  #leftInARow = 0
  #resting = 0
  #rendered: object | undefined
  #body: Buffer | Promise<Buffer> | undefined

  constructor(options: RendererOptions) {
    this.args = options.args
    this.weight = options.weight
    this.key = options.key
    this.#compiler = options.compiler
    this.#stats = options.stats
    this.#errors = options.errors
    this.#times = options.times
    this.work = options.work
    this.compiled = options.compiler.known(options.key)
  }

  /** The event's body: synchronous, unless a resolver is asynchronous. Never throws or rejects. */
  render(event: object): Buffer | Promise<Buffer> {
    // Cache of the last event: all groups of the renderer receive the same event in succession.
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
  jsonOf(event: object): string | Promise<string> {
    this.#stats.executions++
    this.work.executions++
    try {
      const result = this.cost.isDue() ? this.cost.measure(() => this.#resultOf(event)) : this.#resultOf(event)
      if (typeof result === 'string') {
        this.#stats.bodies++
        return boundedJson(result)
      }
      return result instanceof Promise ? this.#await(result) : this.#serialize(result)
    } catch (error) {
      return this.jsonOfError(error)
    }
  }

  #resultOf(event: object): string | ExecutionResult | Promise<ExecutionResult> {
    if (this.#times?.takes(this.wasAwaited)) return this.#times.sample(() => this.#execute(event))
    return this.compiled ? this.#executeCompiled(this.compiled, event) : this.#execute(event)
  }

  /** The result of an error, as JSON. Never throws, whatever value was thrown. */
  jsonOfError(error: unknown): string {
    this.#stats.bodies++
    return errorJson(error, this.#errors)
  }

  #execute(event: object): ExecutionResult | Promise<ExecutionResult> {
    if (!this.compiled) this.#compiler.executed(this)
    const result = executeEvent(this.args, event)
    if (result instanceof Promise) this.wasAwaited = true
    return result
  }

  #executeCompiled(compiled: TextOperation, event: object): string | ExecutionResult | Promise<ExecutionResult> {
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

/** For bodies, which frame logs keep, and let go in the order of their events. */
const BODIES = new Arena()

/** The body of a result, which all framings share. */
function bytesOf(json: string): Buffer {
  return BODIES.keep(json)
}
