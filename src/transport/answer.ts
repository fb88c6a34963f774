import type { ServerResponse } from 'node:http'
import type { GraphQLFormattedError } from 'graphql'
import type { SluiceError } from '../errors/codes.ts'
import { GRAPHQL_RESPONSE, PLAIN_TEXT } from '../protocol/accept.ts'
import { COMPLETE_BLOCK, resultBlock, retryBlock } from '../protocol/event-stream.ts'

/** Proxies must neither keep, change, compress nor hold back a stream; the last line is for Nginx. */
export const STREAM_HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-cache, no-transform',
  'x-accel-buffering': 'no',
} as const

/** Answers a request that is wrong as an HTTP request, the same for every client. */
export function answerError(response: ServerResponse, error: SluiceError, headers: Record<string, string> = {}): void {
  const body = { errors: [{ message: error.message, extensions: { ...error.details, code: error.code } }] }
  answerJson(response, error.status, body, headers)
}

/**
 * Answers a request whose operation is refused, by plain HTTP. By GraphQL over HTTP, `application/json` says 200, and
 * only `application/graphql-response+json` has the status tell.
 */
export function answerRefused(
  response: ServerResponse,
  mediaType: string,
  errors: readonly GraphQLFormattedError[],
): void {
  const status = mediaType === GRAPHQL_RESPONSE ? 400 : 200
  answerJson(response, status, { errors }, { 'content-type': `${mediaType}; charset=utf-8` })
}

/** One result as an event stream: what queries, mutations and refused operations get in distinct connections mode. */
export function answerOnce(response: ServerResponse, json: string): void {
  answerBlocks(response, Buffer.concat([resultBlock(json), COMPLETE_BLOCK]))
}

/** To a native EventSource any status but 200 is final: it is told to come back, and the stream ends. */
export function answerRetry(response: ServerResponse, retryMs: number): void {
  answerBlocks(response, retryBlock(retryMs))
}

/** The whole of a stream at once. It has a length, so that the connection can be used again. */
function answerBlocks(response: ServerResponse, blocks: Buffer): void {
  response.writeHead(200, { ...STREAM_HEADERS, 'content-length': blocks.length })
  response.end(blocks)
}

/** Answers the request of an operation that runs on another one's stream. */
export function answerAccepted(response: ServerResponse): void {
  response.writeHead(202, { 'content-length': 0 }).end()
}

/** Answers that one, where its operation is refused. */
export function answerNotAccepted(response: ServerResponse, errors: readonly GraphQLFormattedError[]): void {
  answerJson(response, 400, { errors }, {})
}

export function answerOk(response: ServerResponse): void {
  response.writeHead(200, { 'content-length': 0 }).end()
}

/** Answers with the token of a reservation, which is to be known to its client alone. */
export function answerToken(response: ServerResponse, token: string): void {
  const headers = { 'content-type': `${PLAIN_TEXT}; charset=utf-8`, 'cache-control': 'no-store' }
  response.writeHead(201, { ...headers, 'content-length': token.length }).end(token)
}

function answerJson(response: ServerResponse, status: number, body: unknown, headers: Record<string, string>): void {
  const text = JSON.stringify(body)
  response.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    'cache-control': 'no-store',
    'content-length': Buffer.byteLength(text),
    ...headers,
  })
  response.end(text)
}
