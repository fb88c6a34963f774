import { randomBytes } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { SluiceError } from '../../errors/codes.ts'

/** 128 bits: not guessable. */
const RANDOM_BYTES = 16
const HEADER = 'x-graphql-event-stream-token'
const PARAMETER = 'token'

/**
 * A token for a stream of single connection mode: `INSTANCE.RANDOM`, in characters that are safe in a URL. It names the
 * instance that holds the stream, so that a proxy can route by it.
 */
export function newStreamToken(instance: string): string {
  return `${instance}.${randomBytes(RANDOM_BYTES).toString('base64url')}`
}

/**
 * The token of a request, from its header or its URL.
 * @throws SluiceError `BAD_REQUEST` for several tokens: a proxy may have routed by another one.
 */
export function streamTokenOf(request: IncomingMessage, url: URL): string | undefined {
  const header = request.headers[HEADER]
  // An empty one is none: some clients send the header or the parameter always.
  const given = [...url.searchParams.getAll(PARAMETER), String(header ?? '')].filter((each) => each !== '')
  const [token] = given
  if (given.some((each) => each !== token)) throw new SluiceError('BAD_REQUEST', 'The request has two stream tokens')
  return token
}

/** An EventSource cannot set headers: its token is in the URL. */
export function isInUrl(url: URL): boolean {
  return url.searchParams.getAll(PARAMETER).some((each) => each !== '')
}
