import { execute, type GraphQLFormattedError, type GraphQLSchema } from 'graphql'
import type { Logger } from 'pino'
import type { Admitted, GraphQLParams } from '../admission/admission.ts'
import type { Engine, Start } from '../delivery/engine.ts'
import { formatError } from '../delivery/format-error.ts'
import { retryBlock } from '../delivery/frame.ts'
import type { BoundStream } from '../delivery/operation.ts'
import { endSource, openSource, PullSubscriber } from '../delivery/pull.ts'
import { boundedJson } from '../delivery/result-size.ts'
import { plannedRetryMs } from '../delivery/retry.ts'
import type { Member, Outlet } from '../delivery/subscriber.ts'
import { SluiceError } from '../errors.ts'
import type { Context } from '../schema/context.ts'
import { positionSince } from '../schema/stream-field.ts'
import type { AnswerBudget } from './answer-budget.ts'

export interface OperationsOptions {
  readonly schema: GraphQLSchema
  readonly engine: Engine
  readonly streams: Context['streams']
  readonly heartbeatMs: number
  readonly log: Logger
  readonly answers: AnswerBudget
  /** Says why no stream can be opened now; undefined: it can. */
  readonly refusal: () => SluiceError | undefined
}

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

  constructor(options: OperationsOptions) {
    this.#options = options
  }

  get pulling(): number {
    return this.#pulling.size
  }

  /**
   * Executes a query or a mutation.
   * @throws SluiceError `TOO_MANY_ANSWERS` where its answer would have no room: then it was not executed.
   */
  async execute(admitted: Admitted): Promise<object> {
    const { schema, log, answers } = this.#options
    const { document, params } = admitted
    const share = answers.reserve(admitted.cost)
    try {
      const result = await execute({
        schema,
        document,
        operationName: params.operationName,
        variableValues: params.variables,
        contextValue: this.#context(admitted),
      })
      const errors = result.errors?.map((error) => formatError(error, log, 'BAD_USER_INPUT'))
      const all = errors ? { ...result, errors } : result
      const json = JSON.stringify(all)
      const bounded = boundedJson(json)
      return json === bounded ? all : JSON.parse(bounded)
    } finally {
      // What is sent of it counts where it is written.
      share.release()
    }
  }

  /**
   * Starts a subscription. The outlet is opened when nothing can go wrong any more.
   * @throws SluiceError where no stream can be opened now (its status is 503), or the operation asks for what cannot be.
   */
  async subscribe(admitted: Admitted, open: () => Outlet | undefined): Promise<Opened> {
    const { schema, engine, heartbeatMs, log, refusal } = this.#options
    const { document, params } = admitted
    const { operationName, variables } = params
    const context = this.#context(admitted)
    const operation = admitted.prepared.prepare({ schema, document, operationName, variables, context })
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
    engine.demandMemory(operation)
    const source = await openSource(operation.args)
    if (!(Symbol.asyncIterator in source)) {
      return { errors: source.errors?.map((error) => formatError(error, log, 'SUBSCRIBE_FAILED')) ?? [] }
    }
    let outlet: Outlet | undefined
    try {
      outlet = open()
    } finally {
      if (!outlet) await endSource(source[Symbol.asyncIterator](), log)
    }
    if (!outlet) return { member: undefined }
    const subscriber = new PullSubscriber(operation.args, source, outlet, {
      heartbeatMs,
      log,
      hold: (bytes) => this.#options.answers.holdIfRoom(bytes),
      onEnd: (reason) => {
        this.#pulling.delete(subscriber)
        engine.held.release(subscriber)
        engine.countClose(reason)
      },
    })
    this.#pulling.add(subscriber)
    engine.held.hold(subscriber, operation.weight.own, operation.args.document, operation.weight.document)
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
