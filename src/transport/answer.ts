import type { OutgoingHttpHeaders, ServerResponse } from 'node:http'
import type { GraphQLFormattedError } from 'graphql'
import type { SluiceError } from '../errors/codes.ts'
import { refusedRetryMs } from '../errors/retry-hints.ts'
import { errorTypeOf, GRAPHQL_RESPONSE, PLAIN_TEXT } from '../protocol/accept.ts'
import { retryBlock } from '../protocol/event-stream.ts'
import { jsonLine } from '../protocol/json-line.ts'
import type { StreamMedia } from '../protocol/stream-media.ts'
import { type AnswerResponse, answerBody } from './answer-body.ts'

/** Proxies must not buffer, cache or transform a stream; the last header is Nginx's. */
export const STREAM_HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-cache, no-transform',
  'x-accel-buffering': 'no',
} as const

export function headersOf({ contentType }: StreamMedia): OutgoingHttpHeaders {
  return { ...STREAM_HEADERS, 'content-type': contentType }
}

/** Answers an invalid HTTP request, in the media type for errors that was asked for. */
export function answerError(response: ServerResponse, error: SluiceError, headers: Record<string, string> = {}): void {
  const body = { errors: [{ message: error.message, extensions: { ...error.details, code: error.code } }] }
  tellRefused(response, body.errors)
  answerErrors(response, error.status, body, headers)
}

/**
 * Answers a refused operation with a plain HTTP response. By GraphQL over HTTP, `application/json` has status 200, and
 * only `application/graphql-response+json` has the error's status.
 */
export function answerRefused(
  response: ServerResponse,
  mediaType: string,
  errors: readonly GraphQLFormattedError[],
): void {
  const status = mediaType === GRAPHQL_RESPONSE ? 400 : 200
  tellRefused(response, errors)
  answerJson(response, status, { errors }, { 'content-type': `${mediaType}; charset=utf-8` })
}

/** One result as a stream: the response to queries, mutations and refused operations in distinct connections mode. */
export function answerOnce(response: ServerResponse, media: StreamMedia, json: string): void {
  answerBody(response, 200, headersOf(media), media.once(json))
}

/** For a native EventSource any status but 200 is final: the stream ends with `retry:` instead. */
export function answerRetry(response: AnswerResponse, { code, retryAfterMs }: SluiceError): void {
  response.refused?.(code)
  const retryMs = retryAfterMs ?? refusedRetryMs(code)
  // It has a length, so that the connection can be kept alive.
  answerBody(response, 200, STREAM_HEADERS, retryBlock(retryMs))
}

/** Counts a refusal, by its first error. */
export function tellRefused(response: AnswerResponse, errors: readonly GraphQLFormattedError[]): void {
  response.refused?.(errors[0]?.extensions?.code)
}

/** Accepts the request of an operation that runs on another connection's stream. */
export function answerAccepted(response: ServerResponse): void {
  response.writeHead(202, { 'content-length': 0 }).end()
}

/** Refuses such an operation. */
export function answerNotAccepted(response: ServerResponse, errors: readonly GraphQLFormattedError[]): void {
  tellRefused(response, errors)
  answerErrors(response, 400, { errors }, {})
}

export function answerOk(response: ServerResponse): void {
  response.writeHead(200, { 'content-length': 0 }).end()
}

/** Answers with the token of a reservation, a secret of its client. */
export function answerToken(response: ServerResponse, token: string): void {
  const headers = { 'content-type': `${PLAIN_TEXT}; charset=utf-8`, 'cache-control': 'no-store' }
  answerBody(response, 201, headers, Buffer.from(token))
}

/** Answers with a ticket, a secret of its client. */
export function answerTicket(response: ServerResponse, ticket: string): void {
  answerJson(response, 201, { ticket }, {})
}

function answerErrors(response: ServerResponse, status: number, body: object, headers: Record<string, string>): void {
  answerJson(response, status, body, { 'content-type': `${errorTypeOf(response.req)}; charset=utf-8`, ...headers })
}

function answerJson(response: ServerResponse, status: number, body: object, headers: Record<string, string>): void {
  const fixed = { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' }
  answerBody(response, status, { ...fixed, ...headers }, Buffer.from(jsonLine(body)))
}
