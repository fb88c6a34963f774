import type { IncomingMessage } from 'node:http'
import getRawBody from 'raw-body'
import type { GraphQLParams } from '../admission/admission.ts'
import { SluiceError } from '../errors.ts'

/** Operations are texts of a few kilobytes; variables seldom add much. */
const MAX_BODY_BYTES = 256 * 1024

/**
 * What a request asks for, by GraphQL over HTTP: a JSON body by POST, query parameters by GET.
 * @throws SluiceError `UNSUPPORTED_MEDIA_TYPE`, `BODY_TOO_LARGE` or `BAD_REQUEST`.
 */
export async function readParams(request: IncomingMessage, url: URL): Promise<GraphQLParams> {
  const params = request.method === 'GET' ? paramsOfQuery(url.searchParams) : paramsOf(await readJson(request))
  return { ...params, lastEventId: lastEventIdOf(request, url, params) }
}

/** The header is a browser's own, and newer than the URL or the body, which it sends again as they were. */
function lastEventIdOf(request: IncomingMessage, url: URL, { extensions }: GraphQLParams): string | undefined {
  const header = request.headers['last-event-id']
  const given = header || url.searchParams.get('lastEventId') || extensions?.lastEventId
  if (given === undefined || given === null || given === '') return undefined
  if (typeof given !== 'string') throw new SluiceError('BAD_REQUEST', '"extensions.lastEventId" must be a string')
  return given
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  if (!isJson(request.headers['content-type'])) throw new SluiceError('UNSUPPORTED_MEDIA_TYPE')
  let text: string
  try {
    const length = request.headers['content-length'] ?? null
    text = (await getRawBody(request, { limit: MAX_BODY_BYTES, length })).toString()
  } catch (error) {
    if ((error as { type?: string }).type === 'entity.too.large') {
      throw new SluiceError('BODY_TOO_LARGE', `The request body has more than ${MAX_BODY_BYTES} bytes`)
    }
    throw new SluiceError('BAD_REQUEST', 'The request body did not arrive whole')
  }
  return parseJson(text, 'The request body')
}

/** The charset may be said if it is UTF-8, which is the only one that JSON has. */
function isJson(contentType: string | undefined): boolean {
  const [type, ...parameters] = (contentType ?? '').toLowerCase().split(';')
  if (type?.trim() !== 'application/json') return false
  return parameters.every(
    (parameter) => !/^\s*charset=/.test(parameter) || /^\s*charset="?utf-?8"?\s*$/.test(parameter),
  )
}

function paramsOfQuery(search: URLSearchParams): GraphQLParams {
  return paramsOf({
    query: search.get('query') ?? undefined,
    operationName: search.get('operationName') || undefined,
    variables: jsonParameter(search, 'variables'),
    extensions: jsonParameter(search, 'extensions'),
  })
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
  const { query, operationName, variables, extensions } = body
  if (query === undefined || query === null || query === '')
    throw new SluiceError('BAD_REQUEST', 'The request has no "query"')
  if (typeof query !== 'string') throw new SluiceError('BAD_REQUEST', '"query" must be a string')
  if (operationName !== undefined && operationName !== null && typeof operationName !== 'string') {
    throw new SluiceError('BAD_REQUEST', '"operationName" must be a string')
  }
  return {
    query,
    operationName: operationName ?? undefined,
    variables: recordOf(variables, 'variables'),
    extensions: recordOf(extensions, 'extensions'),
  }
}

function recordOf(value: unknown, name: string): Record<string, unknown> | undefined {
  if (value === undefined || value === null) return undefined
  if (!isRecord(value)) throw new SluiceError('BAD_REQUEST', `"${name}" must be an object`)
  return value
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
