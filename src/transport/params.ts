import type { IncomingMessage } from 'node:http'
import type { GraphQLParams } from '../admission/params.ts'
import { operationIdOf } from '../admission/persisted/operation-id.ts'
import { SluiceError } from '../errors/codes.ts'
import { parseJson, readJson } from './request-body.ts'

/**
 * The parameters of a request, by GraphQL over HTTP: a JSON body by POST, query parameters by GET.
 * @throws SluiceError `UNSUPPORTED_MEDIA_TYPE`, `BODY_TOO_LARGE` or `BAD_REQUEST`.
 */
export async function readParams(request: IncomingMessage, url: URL): Promise<GraphQLParams> {
  const params = paramsOf(await readAsked(request, url))
  // The header is set by the browser, and newer than the URL or the body, which it repeats unchanged.
  const ofStream = request.headers['last-event-id'] || url.searchParams.get('lastEventId')
  return { ...params, lastEventId: ofStream ? String(ofStream) : lastEventIdOf(params) }
}

/**
 * The parameters of a request for an operation on a stream of several. `Last-Event-ID` and its parameter in the URL are
 * ignored: they concern the stream, not one operation.
 * @returns undefined, if it contains no operation.
 */
export async function readOperation(request: IncomingMessage, url: URL): Promise<GraphQLParams | undefined> {
  const asked = request.method === 'GET' || hasBody(request) ? await readAsked(request, url) : {}
  if (isRecord(asked) && isAbsent(asked.query) && isAbsent(asked.documentId) && isAbsent(asked.extensions)) {
    return undefined
  }
  const params = paramsOf(asked)
  return { ...params, lastEventId: lastEventIdOf(params) }
}

/** The parameters before validation. */
async function readAsked(request: IncomingMessage, url: URL): Promise<unknown> {
  return request.method === 'GET' ? queryOf(url.searchParams) : await readJson(request)
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0
}

function lastEventIdOf({ extensions }: GraphQLParams): string | undefined {
  const given = extensions?.lastEventId
  if (isAbsent(given)) return undefined
  if (typeof given !== 'string') throw new SluiceError('BAD_REQUEST', '"extensions.lastEventId" must be a string')
  return given
}

function queryOf(search: URLSearchParams): Record<string, unknown> {
  return {
    query: search.get('query'),
    documentId: search.get('documentId'),
    operationName: search.get('operationName'),
    variables: jsonParameter(search, 'variables'),
    extensions: jsonParameter(search, 'extensions'),
  }
}

function jsonParameter(search: URLSearchParams, name: string): unknown {
  const text = search.get(name)
  return text ? parseJson(text, `The parameter "${name}"`) : undefined
}

function paramsOf(body: unknown): GraphQLParams {
  if (!isRecord(body)) throw new SluiceError('BAD_REQUEST', 'The request must be a JSON object')
  const { query, operationName, variables } = body
  const extensions = recordOf(body.extensions, 'extensions')
  const documentId = operationIdOf(body.documentId, extensions)
  const isNamed = isAbsent(query)
  if (isNamed && documentId === undefined) throw new SluiceError('BAD_REQUEST', 'The request has no "query"')
  if (!isNamed && typeof query !== 'string') throw new SluiceError('BAD_REQUEST', '"query" must be a string')
  if (!isAbsent(operationName) && typeof operationName !== 'string') {
    throw new SluiceError('BAD_REQUEST', '"operationName" must be a string')
  }
  return {
    query: isNamed ? undefined : (query as string),
    documentId,
    operationName: isAbsent(operationName) ? undefined : operationName,
    variables: recordOf(variables, 'variables'),
    extensions,
  }
}

function recordOf(value: unknown, name: string): Record<string, unknown> | undefined {
  if (isAbsent(value)) return undefined
  if (!isRecord(value)) throw new SluiceError('BAD_REQUEST', `"${name}" must be an object`)
  return value
}

/** Clients write an empty text for what they do not have, by every way in. */
function isAbsent(value: unknown): value is null | undefined | '' {
  return value === undefined || value === null || value === ''
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
