import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import getRawBody from 'raw-body'
import type { GraphQLParams } from '../admission/params.ts'
import { operationIdOf } from '../admission/persisted/operation-id.ts'
import { SluiceError } from '../errors/codes.ts'

/** Size limit of a body: operations are some kilobytes, and variables seldom add much. */
const MAX_BODY_BYTES = 256 * 1024
/** Length limit: a media type with a charset has some 40 characters, and each further parameter costs time. */
const MAX_CONTENT_TYPE_CHARS = 500

/** Rejects the pending read of a request's body. */
const reading = new WeakMap<Socket, (error: SluiceError) => void>()

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
  if (given === undefined || given === null || given === '') return undefined
  if (typeof given !== 'string') throw new SluiceError('BAD_REQUEST', '"extensions.lastEventId" must be a string')
  return given
}

/**
 * The JSON value in a request's body.
 * @throws SluiceError `UNSUPPORTED_MEDIA_TYPE`, `BODY_TOO_LARGE` or `BAD_REQUEST`.
 */
export async function readJson(request: IncomingMessage, maxBytes = MAX_BODY_BYTES): Promise<unknown> {
  if (!isJson(request.headers['content-type'])) throw new SluiceError('UNSUPPORTED_MEDIA_TYPE')
  let text: string
  const { promise: refused, reject } = Promise.withResolvers<never>()
  reading.set(request.socket, reject)
  try {
    const length = request.headers['content-length'] ?? null
    text = (await Promise.race([getRawBody(request, { limit: maxBytes, length }), refused])).toString()
  } catch (error) {
    if (error instanceof SluiceError) throw error
    if ((error as { type?: string }).type === 'entity.too.large') {
      throw new SluiceError('BODY_TOO_LARGE', `The request body has more than ${maxBytes} bytes`)
    }
    throw new SluiceError('BAD_REQUEST', 'The request body did not arrive whole')
  } finally {
    reading.delete(request.socket)
  }
  return parseJson(text, 'The request body')
}

/**
 * Aborts the pending read of a body, so that the request is answered with 408.
 * @returns false if no body is being read on this connection.
 */
export function refuseBody(socket: Socket): boolean {
  const refuse = reading.get(socket)
  refuse?.(new SluiceError('REQUEST_TIMEOUT'))
  return refuse !== undefined
}

/** The only valid charset is UTF-8, that of JSON. */
function isJson(contentType = ''): boolean {
  if (contentType.length > MAX_CONTENT_TYPE_CHARS) return false
  const [type, ...parameters] = contentType.toLowerCase().split(';')
  if (type?.trim() !== 'application/json') return false
  return parameters.every(
    (parameter) => !/^\s*charset=/.test(parameter) || /^\s*charset="?utf-?8"?\s*$/.test(parameter),
  )
}

function queryOf(search: URLSearchParams): Record<string, unknown> {
  return {
    query: search.get('query'),
    documentId: search.get('documentId') || undefined,
    operationName: search.get('operationName') || undefined,
    variables: jsonParameter(search, 'variables'),
    extensions: jsonParameter(search, 'extensions'),
  }
}

function jsonParameter(search: URLSearchParams, name: string): unknown {
  const text = search.get(name)
  return text ? parseJson(text, `The parameter "${name}"`) : undefined
}

function parseJson(text: string, what: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new SluiceError('BAD_REQUEST', `${what} is not valid JSON`)
  }
}

function paramsOf(body: unknown): GraphQLParams {
  if (!isRecord(body)) throw new SluiceError('BAD_REQUEST', 'The request must be a JSON object')
  const { query, operationName, variables } = body
  const extensions = recordOf(body.extensions, 'extensions')
  const documentId = operationIdOf(body.documentId, extensions)
  const isNamed = isAbsent(query) || query === ''
  if (isNamed && documentId === undefined) throw new SluiceError('BAD_REQUEST', 'The request has no "query"')
  if (!isNamed && typeof query !== 'string') throw new SluiceError('BAD_REQUEST', '"query" must be a string')
  if (!isAbsent(operationName) && typeof operationName !== 'string') {
    throw new SluiceError('BAD_REQUEST', '"operationName" must be a string')
  }
  return {
    query: isNamed ? undefined : (query as string),
    documentId,
    operationName: operationName ?? undefined,
    variables: recordOf(variables, 'variables'),
    extensions,
  }
}

function recordOf(value: unknown, name: string): Record<string, unknown> | undefined {
  if (isAbsent(value)) return undefined
  if (!isRecord(value)) throw new SluiceError('BAD_REQUEST', `"${name}" must be an object`)
  return value
}

function isAbsent(value: unknown): value is null | undefined {
  return value === undefined || value === null
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
