import { executeRootSelectionSet, type GraphQLFormattedError, type GraphQLSchema, validateExecutionArgs } from 'graphql'
import type { Logger } from 'pino'
import type { Admitted, GraphQLParams } from '../admission/admission.ts'
import type { Engine, Start } from '../delivery/engine.ts'
import type { BoundStream, Operation } from '../delivery/operation/operation.ts'
import type { CloseReason } from '../delivery/outlet.ts'
import { type Prepared, prepared } from '../delivery/prepared.ts'
import { endSource, openSource, PullSubscriber } from '../delivery/pull.ts'
import { errorJson, executedJson } from '../delivery/render/result-json.ts'
import { SluiceError } from '../errors/codes.ts'
import { formatError } from '../errors/format.ts'
import type { ErrorSink } from '../errors/resolver-errors.ts'
import type { Context } from '../schema/context.ts'
import { type ArgumentStart, positionLast, positionSince } from '../schema/start-position.ts'
import type { AnswerBudget } from './answer-budget.ts'
import type { Refusals } from './refusals.ts'

export interface OperationsOptions {
  readonly schema: GraphQLSchema
  readonly engine: Engine
  readonly streams: Context['streams']
  readonly heartbeatMs: number
  readonly log: Logger
  readonly answers: AnswerBudget
  readonly refusals: Refusals
}

/** What became of a query or a mutation. */
export type Executed =
  /** It was refused before it ran. */
  | { readonly errors: readonly GraphQLFormattedError[]; readonly json?: undefined }
  /** Its result: the same text for every transport. */
  | { readonly json: string; readonly errors?: undefined }

/** What became of a subscription that was to be prepared. */
export type PreparedOperation =
  | { readonly errors: readonly GraphQLFormattedError[] }
  /** `hasCursors`: its client wants the position in each result's `extensions`. */
  | { readonly prepared: Prepared; readonly hasCursors: boolean }

/** Runs admitted operations, whatever transport they came by: each client of a subscription is an outlet. */
export class Operations {
  readonly #options: OperationsOptions
  /** Streams of fields with a hand-written `subscribe`. */
  readonly #pulling = new Set<PullSubscriber>()

  constructor(options: OperationsOptions) {
    this.#options = options
  }

  get pulling(): number {
    return this.#pulling.size
  }

  /**
   * Executes a query or a mutation: the one way in which any transport has it done.
   * @param errors takes what is masked, for the request's log.
   * @throws SluiceError `TOO_MANY_ANSWERS` where its answer would have no room: then it was not executed.
   */
  async execute(admitted: Admitted, errors: ErrorSink): Promise<Executed> {
    const { schema, answers } = this.#options
    const { document, params } = admitted
    const share = answers.reserve(admitted.cost)
    try {
      const args = validateExecutionArgs({
        schema,
        document,
        operationName: params.operationName,
        variableValues: params.variables,
        contextValue: this.#context(admitted),
      })
      if (!('operation' in args)) return { errors: args.map((error) => formatError(error, errors, 'BAD_USER_INPUT')) }
      return { json: executedJson(args, await executeRootSelectionSet(args), errors) }
    } catch (error) {
      return { json: errorJson(error, errors) }
    } finally {
      // What is sent of it counts where it is written.
      share.release()
    }
  }

  /**
   * Finds out everything that can be refused of a subscription, and where it starts. It is then to be started at once.
   * @param errors takes what is masked, for the request's log.
   * @throws SluiceError where none can begin now (its status is 503), or the operation asks for what cannot be.
   */
  async prepare(admitted: Admitted, errors: ErrorSink): Promise<PreparedOperation> {
    const { schema, engine, refusals } = this.#options
    const { document, params } = admitted
    const { operationName, variables } = params
    const context = this.#context(admitted)
    const operation = admitted.prepared.prepare({ schema, document, operationName, variables, context })
    if (!('args' in operation)) {
      return { errors: operation.map((error) => formatError(error, errors, 'BAD_USER_INPUT')) }
    }
    refusals.demandReady()
    const { stream } = operation
    const hasCursors = wants(params, 'cursor')
    const hasMarker = wants(params, 'markers')
    if (!stream) return await this.#preparePull(operation, errors)
    const asked = startOf(params, stream)
    const start = asked && (await this.#startAt(stream, asked, context))
    return { prepared: engine.prepare(operation, stream, { start, hasMarker }), hasCursors }
  }

  /** Ends the streams that the engine does not know; each client is told when to come back. */
  close(): void {
    for (const subscriber of this.#pulling) subscriber.end('shutdown')
  }

  /** A hand-written `subscribe` has its source opened first: that is what may be refused. */
  async #preparePull(operation: Operation, errors: ErrorSink): Promise<PreparedOperation> {
    const { answers, engine, heartbeatMs, log } = this.#options
    const { faults } = engine.shared
    const { args, weight } = operation
    engine.demandMemory(operation)
    const source = await openSource(args)
    if ('errors' in source) return { errors: source.errors?.map((error) => formatError(error, errors)) ?? [] }
    const { events } = source
    const start: Prepared['start'] = (outlet, framing) => {
      let subscriber: PullSubscriber | undefined
      const onEnd = (reason: CloseReason): void => {
        if (subscriber) this.#pulling.delete(subscriber)
        engine.held.release(events)
        engine.countClose(reason)
      }
      try {
        const hold = (bytes: number) => answers.holdIfRoom(bytes)
        const options = { framing, heartbeatMs, log, errors, faults, hold, onEnd }
        subscriber = new PullSubscriber(args, events, outlet, options)
        this.#pulling.add(subscriber)
        engine.held.hold(events, weight.own, args.document, weight.document)
        outlet.attach(subscriber)
      } catch (error) {
        // The head of its stream has been sent, so that nothing else can be answered.
        faults.tell('pull', error)
        if (subscriber) subscriber.end('failed')
        else void endSource(events, log)
        outlet.destroy()
      }
    }
    return { prepared: prepared(start, () => void endSource(events, log)), hasCursors: false }
  }

  async #startAt({ field, args }: BoundStream, asked: ArgumentStart, context: Context): Promise<Start> {
    const feed = this.#options.streams.feed(field.topic)
    if ('since' in asked) return { position: await positionSince(feed, asked.since) }
    return 'last' in asked ? { position: await positionLast(feed, field, args, context, asked.last) } : asked
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
