import { executeRootSelectionSet, type GraphQLFormattedError, type GraphQLSchema, validateExecutionArgs } from 'graphql'
import type { Logger } from 'pino'
import type { Admitted, GraphQLParams } from '../admission/admission.ts'
import type { Engine, Start } from '../delivery/engine.ts'
import { formatError } from '../delivery/format-error.ts'
import { retryBlock } from '../delivery/frame.ts'
import type { BoundStream } from '../delivery/operation.ts'
import { OperationCache } from '../delivery/operation-cache.ts'
import { endSource, openSource, PullSubscriber } from '../delivery/pull.ts'
import { errorJson, executedJson } from '../delivery/result-json.ts'
import { plannedRetryMs } from '../delivery/retry.ts'
import type { Member, Outlet } from '../delivery/subscriber.ts'
import { SluiceError } from '../errors.ts'
import type { Context } from '../schema/context.ts'
import { positionSince } from '../schema/stream-field.ts'

export interface OperationsOptions {
  readonly schema: GraphQLSchema
  readonly engine: Engine
  readonly streams: Context['streams']
  readonly heartbeatMs: number
  /** Says why no stream can be opened now; undefined: it can. */
  readonly refusal: () => SluiceError | undefined
}

/** What became of a query or a mutation. */
export type Executed =
  /** It was refused before it ran. */
  | { readonly errors: readonly GraphQLFormattedError[]; readonly json?: undefined }
  /** Its result: the same text for every transport. */
  | { readonly json: string; readonly errors?: undefined }

/** What became of a subscription. */
export type Opened =
  | { readonly errors: readonly GraphQLFormattedError[] }
  /** It runs; no member: its client has gone meanwhile. */
  | { readonly member: Member | undefined }

/** Runs admitted operations, whatever transport they came by: each client of a subscription is an outlet. */
export class Operations {
  readonly #options: OperationsOptions
  /** Streams of fields with a hand-written `subscribe`. */
  readonly #pulling = new Set<PullSubscriber>()
  readonly #cache = new OperationCache()

  constructor(options: OperationsOptions) {
    this.#options = options
  }

  get pulling(): number {
    return this.#pulling.size
  }

  /**
   * Executes a query or a mutation: the one way in which any transport has it done. Never rejects.
   * @param log the request's.
   */
  async execute(admitted: Admitted, log: Logger): Promise<Executed> {
    const { schema } = this.#options
    const { document, params } = admitted
    try {
      const args = validateExecutionArgs({
        schema,
        document,
        operationName: params.operationName,
        variableValues: params.variables,
        contextValue: this.#context(admitted),
      })
      if (!('operation' in args)) return { errors: args.map((error) => formatError(error, log, 'BAD_USER_INPUT')) }
      return { json: executedJson(args, await executeRootSelectionSet(args), log) }
    } catch (error) {
      return { json: errorJson(error, log) }
    }
  }

  /**
   * Starts a subscription. The outlet is opened when nothing can go wrong any more.
   * @param log the request's.
   * @throws SluiceError where no stream can be opened now (its status is 503), or the operation asks for what cannot be.
   */
  async subscribe(admitted: Admitted, open: () => Outlet | undefined, log: Logger): Promise<Opened> {
    const { schema, engine, heartbeatMs, refusal } = this.#options
    const { document, params } = admitted
    const { operationName, variables } = params
    const context = this.#context(admitted)
    const operation = this.#cache.prepare({ schema, document, operationName, variables, context })
    if (!('args' in operation)) {
      return { errors: operation.map((error) => formatError(error, log, 'BAD_USER_INPUT')) }
    }
    const refused = refusal()
    if (refused) throw refused

    if (operation.stream) {
      const cursor = wants(params, 'cursor')
      const markers = wants(params, 'markers')
      const asked = startOf(params, operation.stream)
      const start = asked && 'since' in asked ? await this.#since(operation.stream, asked.since) : asked
      return { member: engine.subscribe(operation, operation.stream, open, { start, cursor, markers }) }
    }
    const source = await openSource(operation.args)
    if ('errors' in source) return { errors: source.errors?.map((error) => formatError(error, log)) ?? [] }
    let outlet: Outlet | undefined
    try {
      outlet = open()
    } finally {
      if (!outlet) await endSource(source.events, log)
    }
    if (!outlet) return { member: undefined }
    const subscriber = new PullSubscriber(operation.args, source.events, outlet, {
      heartbeatMs,
      log,
      onEnd: (reason) => {
        this.#pulling.delete(subscriber)
        engine.countClose(reason)
      },
    })
    this.#pulling.add(subscriber)
    outlet.attach(subscriber)
    return { member: subscriber }
  }

  /** Ends the streams that the engine does not know; each client is told when to come back. */
  close(): void {
    for (const subscriber of this.#pulling) subscriber.end('shutdown', retryBlock(plannedRetryMs()))
  }

  async #since({ field }: BoundStream, timestamp: number): Promise<Start> {
    return { position: await positionSince(this.#options.streams.feed(field.topic), timestamp) }
  }

  #context({ audience }: Admitted): Context {
    return { audience, streams: this.#options.streams }
  }
}

/** What a client was told last is newer than the arguments, which it sends again as they were. */
function startOf({ lastEventId }: GraphQLParams, stream: BoundStream): BoundStream['start'] {
  return lastEventId === undefined ? stream.start : { after: lastEventId }
}

/** @throws SluiceError `BAD_USER_INPUT` for a wish that is neither true nor false. */
function wants({ extensions }: GraphQLParams, name: 'cursor' | 'markers'): boolean {
  const wish = extensions?.[name] ?? false
  if (typeof wish !== 'boolean') throw new SluiceError('BAD_USER_INPUT', `"extensions.${name}" is true or false`)
  return wish
}
