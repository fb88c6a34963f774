import type { IncomingMessage, ServerResponse } from 'node:http'
import type { OperationTypeNode } from 'graphql'
import type { Admission } from '../admission/admission.ts'
import { SluiceError } from '../errors/codes.ts'
import type { ErrorSink } from '../errors/resolver-errors.ts'
import { refusedRetryMs } from '../errors/retry-hints.ts'
import { asksForEventStream, EVENT_STREAM, negotiate, takesPlainText, wantsHtml } from '../protocol/accept.ts'
import { PLAIN_ONLY } from '../protocol/content-coding.ts'
import { ANONYMOUS } from '../schema/context.ts'
import { answerNotAccepted, answerRefused, answerRetry } from '../transport/answer.ts'
import type { AnswerResponse } from '../transport/answer-body.ts'
import type { DistinctConnections } from '../transport/distinct.ts'
import type { Operations } from '../transport/operations.ts'
import { readOperation, readParams } from '../transport/params.ts'
import type { SingleConnections } from '../transport/single/connections.ts'
import { isInUrl, streamTokenOf } from '../transport/single/token.ts'
import type { YogaHttp } from './yoga.ts'

const METHODS = ['GET', 'POST', 'PUT', 'DELETE']

export interface EndpointOptions {
  readonly admission: Admission
  readonly distinct: DistinctConnections
  readonly single: SingleConnections
  readonly operations: Operations
  readonly yoga: YogaHttp
  /** False: what is for the anonymous audience only, which any client may see anyway, is compressed. */
  readonly compressesAll: boolean
}

/**
 * `/graphql`: one URL for every operation. A request is read and admitted first; its token, the operation and what the
 * client accepts then choose the transport.
 */
export class Endpoint {
  readonly #options: EndpointOptions

  constructor(options: EndpointOptions) {
    this.#options = options
  }

  /** @throws SluiceError for what is wrong with the request as such. */
  async serve(request: IncomingMessage, response: AnswerResponse, url: URL, errors: ErrorSink): Promise<void> {
    const { admission, operations, distinct, yoga, compressesAll } = this.#options
    const { method = '' } = request
    if (!METHODS.includes(method)) throw new MethodNotAllowed(METHODS.join(', '), `GraphQL takes no ${method}`)
    // A token that comes along is an old one: clients send it with every request once they have one.
    if (method === 'PUT') return this.#reserve(request, response)
    if (wantsHtml(request)) return await yoga.answerPage(response)

    const token = streamTokenOf(request, url)
    if (token !== undefined) return await this.#serveSingle(request, response, url, token, errors)
    if (method === 'DELETE') throw new SluiceError('STREAM_NOT_FOUND', 'The request has no stream token')
    const accepted = negotiate(request)
    if (!accepted) throw new SluiceError('NOT_ACCEPTABLE')

    const params = await readParams(request, url)
    const result = admission.admit({ params, headers: request.headers, errors })
    if ('errors' in result) {
      if (accepted.preferred === EVENT_STREAM) distinct.refuse(response, result.errors)
      else answerRefused(response, accepted.preferred, result.errors)
      return
    }

    const { admitted } = result
    if (!compressesAll && admitted.audience !== ANONYMOUS) response.codings = PLAIN_ONLY
    const { operation } = admitted.operation
    refuseMutationByGet(request, operation)
    if (operation === 'subscription' && !accepted.eventStream) throw new SluiceError('SUBSCRIPTION_NEEDS_SSE')
    if (operation === 'subscription' || accepted.preferred === EVENT_STREAM) {
      try {
        await distinct.serve(response, admitted, errors)
      } catch (error) {
        // To a native EventSource, which does GET only, any status but 200 would be final.
        if (request.method !== 'GET' || !(error instanceof SluiceError)) throw error
        answerRetry(response, refusedRetryMs(error.code))
      }
      return
    }
    await yoga.answer(response, accepted.preferred, await operations.execute(admitted, errors))
  }

  #reserve(request: IncomingMessage, response: ServerResponse): void {
    const { admission, single } = this.#options
    if (!takesPlainText(request)) throw new SluiceError('NOT_ACCEPTABLE', 'A stream token is text/plain')
    single.reserve(response, admission.authenticate(request.headers).principal)
  }

  /** What comes with a token: the opening of its stream, an operation for it, or the end of one. */
  async #serveSingle(
    request: IncomingMessage,
    response: AnswerResponse,
    url: URL,
    token: string,
    errors: ErrorSink,
  ): Promise<void> {
    const { admission, single } = this.#options
    const { method, headers } = request
    const stream = single.find(token, admission.authenticate(headers).principal)
    if (method === 'DELETE') return single.stop(response, stream, url.searchParams.get('operationId'))
    const params = await readOperation(request, url)
    if (!params) {
      if (!asksForEventStream(request)) {
        throw new SluiceError('BAD_REQUEST', 'The request has no "query", and does not accept text/event-stream')
      }
      // The operations of such a stream share no bytes with others: it is not compressed.
      if (response.codings?.acceptsPlain === false) {
        throw new SluiceError('NOT_ACCEPTABLE', 'The stream of several operations is sent without compression')
      }
      try {
        return single.openStream(response, stream)
      } catch (error) {
        // It may be a native EventSource, to which any status but 200 would be final.
        if (!(error instanceof SluiceError) || error.status !== 503 || !isInUrl(url)) throw error
        return answerRetry(response, refusedRetryMs(error.code))
      }
    }
    const result = admission.admit({ params, headers, errors })
    if ('errors' in result) return answerNotAccepted(response, result.errors)
    refuseMutationByGet(request, result.admitted.operation.operation)
    await single.start(response, stream, result.admitted, errors)
  }
}

function refuseMutationByGet({ method }: IncomingMessage, operation: OperationTypeNode): void {
  if (operation === 'mutation' && method === 'GET') throw new MethodNotAllowed('POST', 'A mutation needs POST')
}

export class MethodNotAllowed extends SluiceError {
  readonly allow: string

  constructor(allow: string, message: string) {
    super('METHOD_NOT_ALLOWED', message)
    this.allow = allow
  }
}
