import type { ServerResponse } from 'node:http'
import type { GraphQLFormattedError } from 'graphql'
import type { Logger } from 'pino'
import type { Admitted } from '../admission/admission.ts'
import { formatError } from '../delivery/format-error.ts'
import { SluiceError } from '../errors.ts'
import { answerOnce } from './answer.ts'
import type { Operations } from './operations.ts'
import type { StreamSockets } from './stream-sockets.ts'

export interface DistinctOptions {
  readonly operations: Operations
  readonly sockets: StreamSockets
}

/** GraphQL over SSE in distinct connections mode: a connection for each operation. */
export class DistinctConnections {
  readonly #options: DistinctOptions

  constructor(options: DistinctOptions) {
    this.#options = options
  }

  /** Answers an admitted operation. @throws SluiceError where no stream can be opened now. */
  async serve(response: ServerResponse, admitted: Admitted, log: Logger): Promise<void> {
    const { operations, sockets } = this.#options
    try {
      if (admitted.operation.operation === 'subscription') {
        // Before anything is done for it; it may have to be said again when the stream is to be opened.
        sockets.demandRoom()
        const opened = await operations.subscribe(admitted, () => sockets.open(response), log)
        if ('errors' in opened) this.refuse(response, opened.errors)
      } else {
        const { json, errors } = await operations.execute(admitted, log)
        if (errors) this.refuse(response, errors)
        else answerOnce(response, json)
      }
    } catch (error) {
      if (error instanceof SluiceError && error.status === 503) throw error
      this.refuse(response, [formatError(error, log)])
    }
  }

  refuse(response: ServerResponse, errors: readonly GraphQLFormattedError[]): void {
    answerOnce(response, JSON.stringify({ errors }))
  }
}
