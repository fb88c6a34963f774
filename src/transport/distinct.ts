import type { ServerResponse } from 'node:http'
import { execute, type GraphQLFormattedError, type GraphQLSchema } from 'graphql'
import type { Logger } from 'pino'
import type { Admitted } from '../admission/admission.ts'
import type { Engine } from '../delivery/engine.ts'
import { formatError } from '../delivery/format-error.ts'
import { retryBlock } from '../delivery/frame.ts'
import { OperationCache } from '../delivery/operation-cache.ts'
import { endSource, openSource, PullSubscriber } from '../delivery/pull.ts'
import { retryMs } from '../delivery/retry.ts'
import { SluiceError } from '../errors.ts'
import type { Context } from '../schema/context.ts'
import { answerOnce } from './answer.ts'
import type { StreamSockets } from './stream-sockets.ts'

export interface DistinctOptions {
  readonly schema: GraphQLSchema
  readonly engine: Engine
  readonly sockets: StreamSockets
  readonly streams: Context['streams']
  readonly heartbeatMs: number
  readonly log: Logger
  /** Says why no stream can be opened now; undefined: it can. */
  readonly refusal: () => SluiceError | undefined
}

/** GraphQL over SSE in distinct connections mode: a connection for each operation. */
export class DistinctConnections {
  readonly #options: DistinctOptions
  /** Streams of fields with a hand-written `subscribe`. */
  readonly #pulling = new Set<PullSubscriber>()
  readonly #operations = new OperationCache()

  constructor(options: DistinctOptions) {
    this.#options = options
  }

  get pulling(): number {
    return this.#pulling.size
  }

  /** Answers an admitted operation. @throws SluiceError where no stream can be opened now. */
  async serve(response: ServerResponse, admitted: Admitted): Promise<void> {
    try {
      if (admitted.operation.operation === 'subscription') await this.#subscribe(response, admitted)
      else answerOnce(response, await this.#execute(admitted))
    } catch (error) {
      if (error instanceof SluiceError && error.status === 503) throw error
      this.refuse(response, [formatError(error, this.#options.log)])
    }
  }

  refuse(response: ServerResponse, errors: readonly GraphQLFormattedError[]): void {
    answerOnce(response, { errors })
  }

  async #execute(admitted: Admitted): Promise<object> {
    const { schema, log } = this.#options
    const { document, params } = admitted
    const result = await execute({
      schema,
      document,
      operationName: params.operationName,
      variableValues: params.variables,
      contextValue: this.#context(admitted),
    })
    const errors = result.errors?.map((error) => formatError(error, log, 'BAD_USER_INPUT'))
    return errors ? { ...result, errors } : result
  }

  async #subscribe(response: ServerResponse, admitted: Admitted): Promise<void> {
    const { schema, engine, sockets, heartbeatMs, log, refusal } = this.#options
    const { document, params } = admitted
    const { operationName, variables } = params
    const context = this.#context(admitted)
    const operation = this.#operations.prepare({ schema, document, operationName, variables, context })
    if (!('args' in operation)) {
      return this.refuse(
        response,
        operation.map((error) => formatError(error, log, 'BAD_USER_INPUT')),
      )
    }
    const refused = refusal()
    if (refused) throw refused

    if (operation.stream) {
      engine.subscribe(operation, operation.stream, () => sockets.open(response))
      return
    }
    const source = await openSource(operation.args)
    if (!(Symbol.asyncIterator in source)) {
      return this.refuse(response, source.errors?.map((error) => formatError(error, log, 'SUBSCRIBE_FAILED')) ?? [])
    }
    const outlet = sockets.open(response)
    if (!outlet) return await endSource(source[Symbol.asyncIterator](), log)
    const subscriber = new PullSubscriber(operation.args, source, outlet, {
      heartbeatMs,
      log,
      onEnd: () => this.#pulling.delete(subscriber),
    })
    this.#pulling.add(subscriber)
    outlet.attach(subscriber)
  }

  /** Ends the streams that the engine does not know; each client is told when to come back. */
  close(): void {
    for (const subscriber of this.#pulling) subscriber.end(retryBlock(retryMs()))
  }

  #context({ audience }: Admitted): Context {
    return { audience, streams: this.#options.streams }
  }
}
