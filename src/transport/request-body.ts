import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import getRawBody from 'raw-body'
import { SluiceError } from '../errors/codes.ts'
import { mediaRanges } from '../protocol/media-type.ts'
import { contentCodings, decoded, tooLarge } from '../protocol/request-coding.ts'

/** Size limit of a body: operations are some kilobytes, and variables seldom add much. */
const MAX_BODY_BYTES = 256 * 1024
/** Length limit: a media type with a charset has some 40 characters, and each further parameter costs time. */
const MAX_CONTENT_TYPE_CHARS = 500
/** The names of the one charset of JSON: some clients leave out the hyphen, or quote it in their own way. */
const UTF_8 = /^'?utf[-_]?8'?$/i
/** Of another charset, as it is told. */
const MAX_CHARSET_CHARS = 40

/** Rejects the pending read of a request's body. */
const reading = new WeakMap<Socket, (error: SluiceError) => void>()

/**
 * The JSON value in a request's body.
 * @param maxBytes of the body as it is sent, and decoded.
 * @throws SluiceError `UNSUPPORTED_MEDIA_TYPE`, `BODY_TOO_LARGE` or `BAD_REQUEST`.
 */
export async function readJson(request: IncomingMessage, maxBytes = MAX_BODY_BYTES): Promise<unknown> {
  demandJson(request.headers['content-type'])
  const codings = contentCodings(request.headers['content-encoding'])
  const body = await readBytes(request, maxBytes)
  return parseJson(decoded(body, codings, maxBytes).toString(), 'The request body')
}

export function parseJson(text: string, what: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new SluiceError('BAD_REQUEST', `${what} is not valid JSON`)
  }
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

async function readBytes(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const { promise: refused, reject } = Promise.withResolvers<never>()
  reading.set(request.socket, reject)
  try {
    const length = request.headers['content-length'] ?? null
    return await Promise.race([getRawBody(request, { limit: maxBytes, length }), refused])
  } catch (error) {
    if (error instanceof SluiceError) throw error
    if ((error as { type?: string }).type === 'entity.too.large') throw tooLarge(maxBytes)
    throw new SluiceError('BAD_REQUEST', 'The request body did not arrive whole')
  } finally {
    reading.delete(request.socket)
  }
}

/** Parameters decide nothing, but for the charset: the only one of JSON is UTF-8. */
function demandJson(contentType = ''): void {
  const [media, another] = contentType.length > MAX_CONTENT_TYPE_CHARS ? [] : mediaRanges(contentType)
  if (media?.type !== 'application/json' || another) throw new SluiceError('UNSUPPORTED_MEDIA_TYPE')
  for (const [name, value] of media.parameters) {
    if (name !== 'charset' || value === '' || UTF_8.test(value)) continue
    const told = value.slice(0, MAX_CHARSET_CHARS)
    throw new SluiceError('UNSUPPORTED_MEDIA_TYPE', `The request body has the charset "${told}": JSON is in UTF-8`)
  }
}
