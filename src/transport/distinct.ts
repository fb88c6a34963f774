import type { ServerResponse } from 'node:http'
import type { GraphQLFormattedError } from 'graphql'
import type { Admitted } from '../admission/admission.ts'
import { isOfClient } from '../errors/codes.ts'
import { formatError } from '../errors/format.ts'
import type { ErrorSink } from '../errors/resolver-errors.ts'
import { BY_ID, IN_EXTENSIONS } from '../protocol/event-stream.ts'
import { jsonLine } from '../protocol/json-line.ts'
import { answerOnce } from './answer.ts'
import type { AnswerResponse } from './answer-body.ts'
import { GzipOutlet } from './gzip/gzip-outlet.ts'
import type { Units } from './gzip/units.ts'
import type { Operations } from './operations.ts'
import type { Refusals } from './refusals.ts'
import type { StreamSockets } from './stream-sockets.ts'

const GZIP = { 'content-encoding': 'gzip' }

export interface DistinctOptions {
  readonly operations: Operations
  readonly sockets: StreamSockets
  readonly refusals: Refusals
  /** Compression of streams, for the clients that accept it. */
  readonly units: Units
}

/** GraphQL over SSE in distinct connections mode: a connection for each operation. */
export class DistinctConnections {
  readonly #options: DistinctOptions

  constructor(options: DistinctOptions) {
    this.#options = options
  }

  /** Answers an admitted operation. @throws SluiceError where no stream can be opened now. */
  async serve(response: ServerResponse, admitted: Admitted, errors: ErrorSink): Promise<void> {
    const { operations } = this.#options
    try {
      if (admitted.operation.operation === 'subscription') {
        await this.#subscribe(response, admitted, errors)
        return
      }
      const executed = await operations.execute(admitted, errors)
      if (executed.errors) this.refuse(response, executed.errors)
      else answerOnce(response, executed.json)
    } catch (error) {
      if (response.headersSent || isOfClient(error)) throw error
      this.refuse(response, [formatError(error, errors)])
    }
  }

  async #subscribe(response: AnswerResponse, admitted: Admitted, errors: ErrorSink): Promise<void> {
    const { operations, sockets, refusals, units } = this.#options
    const { owner } = admitted
    // Before anything is done for it.
    sockets.demandRoom(owner)
    const outcome = await operations.prepare(admitted, errors)
    if ('errors' in outcome) return this.refuse(response, outcome.errors)
    using prepared = outcome.prepared
    // The preparation may have taken a while.
    refusals.demandStream(owner)
    refusals.demandStanding(owner)
    const framing = outcome.hasCursors ? IN_EXTENSIONS : BY_ID
    if (!response.codings?.prefersGzip) sockets.open(response, owner, (socket) => prepared.start(socket, framing))
    else sockets.open(response, owner, (socket) => prepared.start(new GzipOutlet(socket, units), framing), GZIP)
  }

  refuse(response: ServerResponse, errors: readonly GraphQLFormattedError[]): void {
    answerOnce(response, jsonLine({ errors }))
  }
}
