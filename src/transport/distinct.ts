import type { ServerResponse } from 'node:http'
import type { GraphQLFormattedError } from 'graphql'
import type { Admitted } from '../admission/admission.ts'
import { isOfClient } from '../errors/codes.ts'
import { formatError } from '../errors/format.ts'
import type { ErrorSink } from '../errors/resolver-errors.ts'
import { jsonLine } from '../protocol/json-line.ts'
import type { StreamMedia } from '../protocol/stream-media.ts'
import { answerOnce, headersOf, tellRefused } from './answer.ts'
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

/** GraphQL over SSE in distinct connections mode, and multipart subscriptions: a connection for each operation. */
export class DistinctConnections {
  readonly #options: DistinctOptions

  constructor(options: DistinctOptions) {
    this.#options = options
  }

  /** Answers an admitted operation. @throws SluiceError where no stream can be opened now. */
  async serve(response: ServerResponse, media: StreamMedia, admitted: Admitted, errors: ErrorSink): Promise<void> {
    const { operations } = this.#options
    try {
      if (admitted.operation.operation === 'subscription') {
        await this.#subscribe(response, media, admitted, errors)
        return
      }
      const executed = await operations.execute(admitted, errors)
      if (executed.errors) this.refuse(response, media, executed.errors)
      else answerOnce(response, media, executed.json)
    } catch (error) {
      if (response.headersSent || isOfClient(error)) throw error
      this.refuse(response, media, [formatError(error, errors)])
    }
  }

  async #subscribe(response: AnswerResponse, media: StreamMedia, admitted: Admitted, errors: ErrorSink): Promise<void> {
    const { operations, sockets, refusals, units } = this.#options
    const { owner } = admitted
    // Before anything is done for it.
    sockets.demandRoom(owner)
    const outcome = await operations.prepare(admitted, errors)
    if ('errors' in outcome) return this.refuse(response, media, outcome.errors)
    using prepared = outcome.prepared
    // The preparation may have taken a while.
    refusals.demandStream(owner)
    refusals.demandStanding(owner)
    const framing = outcome.hasCursors ? media.withCursors : media.framing
    const isGzipped = response.codings?.prefersGzip === true
    sockets.open(
      response,
      owner,
      (socket) => prepared.start(isGzipped ? new GzipOutlet(socket, units) : socket, framing),
      { transport: media.transport, headers: isGzipped ? { ...headersOf(media), ...GZIP } : headersOf(media) },
    )
  }

  refuse(response: ServerResponse, media: StreamMedia, errors: readonly GraphQLFormattedError[]): void {
    tellRefused(response, errors)
    answerOnce(response, media, jsonLine({ errors }))
  }
}
