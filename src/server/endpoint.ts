import type { IncomingMessage } from 'node:http'
import type { OperationTypeNode } from 'graphql'
import type { Admission, AdmissionResult } from '../admission/admission.ts'
import type { Tickets } from '../admission/authentication/tickets/tickets.ts'
import type { Entry } from '../admission/entry.ts'
import type { Identity } from '../admission/principal.ts'
import { SluiceError } from '../errors/codes.ts'
import {
  asksForEventStream,
  EVENT_STREAM,
  isStreamType,
  negotiate,
  takesPlainText,
  wantsHtml,
} from '../protocol/accept.ts'
import { PLAIN_ONLY } from '../protocol/content-coding.ts'
import { streamMedia } from '../protocol/stream-media.ts'
import type { Audience } from '../schema/context.ts'
import { answerNotAccepted, answerRefused, answerRetry, answerTicket, tellRefused } from '../transport/answer.ts'
import type { AnswerResponse } from '../transport/answer-body.ts'
import type { DistinctConnections } from '../transport/distinct.ts'
import type { Operations } from '../transport/operations.ts'
import { readOperation, readParams } from '../transport/params.ts'
import type { SingleConnections } from '../transport/single/connections.ts'
import { isInUrl, streamTokenOf } from '../transport/single/token.ts'
import { readTicketParams } from '../transport/ticket-params.ts'
import { MethodNotAllowed } from './method-not-allowed.ts'
import type { Pages } from './pages/pages.ts'
import type { YogaHttp } from './yoga.ts'

export const GRAPHQL_PATH = '/graphql'
const TICKET_PATH = '/ticket'
const METHODS = ['GET', 'POST', 'PUT', 'DELETE']

export interface EndpointOptions {
  readonly admission: Admission
  /** Absent: none are given. */
  readonly tickets: Tickets | undefined
  readonly distinct: DistinctConnections
  readonly single: SingleConnections
  readonly operations: Operations
  readonly yoga: YogaHttp
  /** False: what is for the anonymous audience only, which any client may see anyway, is compressed. */
  readonly compressesAll: boolean
  /** That of clients without credentials. */
  readonly anonymous: Audience
  /** Without GraphiQL, a GET for HTML is one like others. */
  readonly pages: Pages
}

/** A request with its response. */
export interface Exchange {
  readonly request: IncomingMessage
  readonly response: AnswerResponse
  readonly url: URL
  readonly entry: Entry
}

/** An exchange whose client has been identified. */
interface Identified extends Exchange {
  readonly identity: Identity
  /** The token of a stream that carries several operations. */
  readonly token: string | undefined
}

/** A way in: what a request is for, by its path, method and token. */
export interface Route {
  readonly name: RouteName
  matches(exchange: Exchange, token: string | undefined): boolean
  /** @throws SluiceError for what is wrong with the request as such. */
  serve(exchange: Identified): Promise<void> | void
}

/** Every way in. The matrix of admission (test/admission/matrix.test.ts) has a request for each. */
export type RouteName = 'ticket' | 'reserve' | 'stop' | 'single' | 'operation'

/**
 * The routes of operations. A request is identified first, whatever its route; its operation is admitted before
 * anything is done for it.
 */
export class Endpoint {
  readonly #options: EndpointOptions
  /** The first that matches serves. */
  readonly routes: readonly Route[]

  constructor(options: EndpointOptions) {
    this.#options = options
    const isGraphQL = ({ url }: Exchange): boolean => url.pathname === GRAPHQL_PATH
    this.routes = [
      {
        name: 'ticket',
        matches: ({ url }) => url.pathname === TICKET_PATH,
        serve: (exchange) => this.#giveTicket(exchange),
      },
      {
        name: 'reserve',
        // A token that comes along is an old one: clients send it with every request once they have one.
        matches: (exchange) => isGraphQL(exchange) && exchange.request.method === 'PUT',
        serve: (exchange) => this.#reserve(exchange),
      },
      {
        name: 'stop',
        matches: (exchange, token) =>
          isGraphQL(exchange) && exchange.request.method === 'DELETE' && token !== undefined,
        serve: (exchange) => this.#stop(exchange),
      },
      {
        name: 'single',
        matches: (exchange, token) => isGraphQL(exchange) && token !== undefined,
        serve: (exchange) => this.#serveSingle(exchange),
      },
      {
        name: 'operation',
        matches: (exchange) => isGraphQL(exchange),
        serve: (exchange) => this.#serveOperation(exchange),
      },
    ]
  }

  /** @throws SluiceError for what is wrong with the request as such. */
  async serve(exchange: Exchange): Promise<void> {
    const { request, response, url } = exchange
    const { method = '' } = request
    if (url.pathname === GRAPHQL_PATH && !METHODS.includes(method)) {
      throw new MethodNotAllowed(METHODS.join(', '), `GraphQL takes no ${method}`)
    }
    if (url.pathname === TICKET_PATH && method !== 'POST') {
      throw new MethodNotAllowed('POST', 'A ticket is given for an operation that is sent by POST')
    }
    // Pages have no data, and no credentials yet.
    const { pages } = this.#options
    if (url.pathname === GRAPHQL_PATH) {
      if (method === 'GET' && pages.hasGraphiql && wantsHtml(request))
        return await pages.answerGraphiql(request, response)
    } else if (url.pathname !== TICKET_PATH && (await pages.answer(request, response, url))) return
    const token = method === 'PUT' ? undefined : streamTokenOf(request, url)
    const route = this.routes.find((each) => each.matches(exchange, token))
    if (!route) throw new SluiceError('NOT_FOUND', `There is nothing at this path: GraphQL is at ${GRAPHQL_PATH}`)
    const identity = await this.#identify(exchange)
    if (identity) await route.serve({ ...exchange, identity, token })
  }

  /** @returns undefined for a native EventSource that is told to come back: any status but 200 would be final for it. */
  async #identify({ request, response, entry }: Exchange): Promise<Identity | undefined> {
    try {
      const identity = await this.#options.admission.identify(entry)
      ;(response as AnswerResponse).principal = identity.principal
      return identity
    } catch (error) {
      if (request.method !== 'GET' || !asksForEventStream(request) || !isPassing(error)) throw error
      answerRetry(response, error)
      return undefined
    }
  }

  /** What a native EventSource has in its URL instead of credentials, for an operation that it may run. */
  async #giveTicket({ request, response, url, entry, identity }: Identified): Promise<void> {
    const { admission, tickets } = this.#options
    if (!tickets) throw new SluiceError('NOT_FOUND')
    const params = await readParams(request, url)
    const result = await admission.admit(entry, identity, params)
    if ('errors' in result) return answerNotAccepted(response, result.errors)
    if (result.admitted.operation.operation !== 'subscription') {
      throw new SluiceError('BAD_REQUEST', 'A ticket is for a subscription: POST queries and mutations as they are')
    }
    answerTicket(response, await tickets.issue(identity, params))
  }

  #reserve({ request, response, entry, identity }: Identified): void {
    if (!takesPlainText(request)) throw new SluiceError('NOT_ACCEPTABLE', 'A stream token is text/plain')
    const { address, requestId } = entry
    this.#options.single.reserve(response, { identity, address, requestId, operation: undefined })
  }

  #stop({ response, url, identity, token = '' }: Identified): void {
    const { single } = this.#options
    single.stop(response, single.find(token, identity), url.searchParams.get('operationId'))
  }

  /** What comes with a token: the opening of its stream, or an operation for it. */
  async #serveSingle({ request, response, url, entry, identity, token = '' }: Identified): Promise<void> {
    const { admission, single } = this.#options
    const stream = single.find(token, identity)
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
        if (!isPassing(error) || !isInUrl(url)) throw error
        return answerRetry(response, error)
      }
    }
    const admit = async (): Promise<AdmissionResult> => {
      const result = await admission.admit(entry, identity, params)
      if ('admitted' in result) refuseMutationByGet(request, result.admitted.operation.operation)
      return result
    }
    await single.run(response, stream, params, admit, entry.errors)
  }

  async #serveOperation({ request, response, url, entry, identity }: Identified): Promise<void> {
    const { admission, operations, distinct, yoga, compressesAll, anonymous } = this.#options
    if (request.method === 'DELETE') throw new SluiceError('STREAM_NOT_FOUND', 'The request has no stream token')
    const accepted = negotiate(request)
    if (!accepted) throw new SluiceError('NOT_ACCEPTABLE')

    const { operation: bound } = identity
    const params = bound ? await readTicketParams(request, url, bound) : await readParams(request, url)
    try {
      const result = await admission.admit(entry, identity, params)
      if ('errors' in result) {
        const { preferred } = accepted
        if (isStreamType(preferred)) distinct.refuse(response, streamMedia(request, preferred), result.errors)
        else answerRefused(response, preferred, result.errors)
        return
      }

      const { admitted } = result
      if (!compressesAll && identity.audience !== anonymous) response.codings = PLAIN_ONLY
      const { operation } = admitted.operation
      refuseMutationByGet(request, operation)
      const type = operation === 'subscription' ? accepted.stream : accepted.single
      if (type === undefined) throw new SluiceError('SUBSCRIPTION_NEEDS_SSE')
      if (isStreamType(type)) {
        return await distinct.serve(response, streamMedia(request, type), admitted, entry.errors)
      }
      const executed = await operations.execute(admitted, entry.errors)
      if (executed.errors) tellRefused(response, executed.errors)
      await yoga.answer(response, type, executed)
    } catch (error) {
      // To a native EventSource, which does GET only, any status but 200 would be final.
      if (request.method !== 'GET' || accepted.preferred !== EVENT_STREAM || !isPassing(error)) throw error
      answerRetry(response, error)
    }
  }
}

/** A refusal that time heals. */
function isPassing(error: unknown): error is SluiceError {
  return error instanceof SluiceError && (error.status === 503 || error.status === 429)
}

function refuseMutationByGet({ method }: IncomingMessage, operation: OperationTypeNode): void {
  if (operation === 'mutation' && method === 'GET') throw new MethodNotAllowed('POST', 'A mutation needs POST')
}
