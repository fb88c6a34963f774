import type { IncomingMessage, ServerResponse } from 'node:http'
import type { YogaServerInstance } from 'graphql-yoga'
import type { Admission } from '../admission/admission.ts'
import { refusedRetryMs } from '../delivery/retry.ts'
import { SluiceError } from '../errors.ts'
import type { Context } from '../schema/context.ts'
import { EVENT_STREAM, HTML, negotiate, wantsHtml } from '../transport/accept.ts'
import { answerRefused, answerRetry } from '../transport/answer.ts'
import type { DistinctConnections } from '../transport/distinct.ts'
import { readParams } from '../transport/params.ts'
import type { YogaContext } from './yoga.ts'

const TOKEN_HEADER = 'x-graphql-event-stream-token'

export interface EndpointOptions {
  readonly admission: Admission
  readonly distinct: DistinctConnections
  readonly yoga: YogaServerInstance<YogaContext, Context>
}

/**
 * `/graphql`: one URL for every operation. A request is read and admitted first; the operation and what the client
 * accepts then choose the transport.
 */
export class Endpoint {
  readonly #options: EndpointOptions

  constructor(options: EndpointOptions) {
    this.#options = options
  }

  /** @throws SluiceError for what is wrong with the request as such. */
  async serve(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
    const { admission, distinct, yoga } = this.#options
    if (request.method !== 'GET' && request.method !== 'POST')
      throw new MethodNotAllowed('GET, POST', 'GraphQL takes GET and POST')
    if (wantsHtml(request)) {
      request.headers.accept = HTML
      return void (await yoga(request, response, {}))
    }

    const accepted = negotiate(request)
    if (!accepted) throw new SluiceError('NOT_ACCEPTABLE')
    if (request.headers[TOKEN_HEADER] !== undefined || url.searchParams.has('token'))
      throw new SluiceError('STREAM_NOT_FOUND')

    const params = await readParams(request, url)
    const result = admission.admit({ params, headers: request.headers })
    if ('errors' in result) {
      if (accepted.preferred === EVENT_STREAM) distinct.refuse(response, result.errors)
      else answerRefused(response, accepted.preferred, result.errors)
      return
    }

    const { admitted } = result
    const { operation } = admitted.operation
    if (operation === 'mutation' && request.method === 'GET')
      throw new MethodNotAllowed('POST', 'A mutation needs POST')
    if (operation === 'subscription' && !accepted.eventStream) throw new SluiceError('SUBSCRIPTION_NEEDS_SSE')
    if (operation === 'subscription' || accepted.preferred === EVENT_STREAM) {
      try {
        await distinct.serve(response, admitted)
      } catch (error) {
        // To a native EventSource, which does GET only, any status but 200 would be final.
        if (request.method !== 'GET' || !(error instanceof SluiceError)) throw error
        answerRetry(response, refusedRetryMs(error.code))
      }
      return
    }
    // Yoga takes the body from here, since it has been read, and the media type as it was chosen above.
    Object.assign(request, { body: { ...params } })
    request.headers.accept = accepted.preferred
    await yoga(request, response, { admitted })
  }
}

export class MethodNotAllowed extends SluiceError {
  readonly allow: string

  constructor(allow: string, message: string) {
    super('METHOD_NOT_ALLOWED', message)
    this.allow = allow
  }
}
