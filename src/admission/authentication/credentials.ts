import { parseCookie } from 'cookie'
import type { Entry } from '../entry.ts'
import { refused } from './refusal.ts'

/** Length limit of signed tokens. Those of large identity providers, with groups and roles, have 2 to 4 KiB. */
const MAX_TOKEN_CHARS = 8 * 1024
/** Length limit of API keys: 256 random bits have 64 characters in hex. */
const MAX_KEY_CHARS = 256
/** Length limit of tickets: the request line and all headers may have 16 KiB, in Nginx as well as in Node. */
export const MAX_TICKET_CHARS = 12 * 1024

const BEARER = /^bearer +([A-Za-z0-9._~+/-]+=*)$/i
const BASE64URL_PARTS = /^[A-Za-z0-9._-]+$/
const PRINTABLE = /^[!-~]+$/

/** What a request authenticates itself with. */
export type Credentials =
  | { readonly kind: 'none' }
  | { readonly kind: 'token'; readonly token: string; readonly via: 'header' | 'cookie' }
  | { readonly kind: 'key'; readonly key: string }
  | { readonly kind: 'ticket'; readonly ticket: string }

const NONE: Credentials = { kind: 'none' }

/**
 * The credentials of a request: exactly one, or none. Two are refused, also two of one kind, since a proxy or a part
 * downstream may have looked at the other. Node hides repeated headers, so they are counted in the raw ones.
 * @param cookieName the cookie that holds a token, if there is one.
 * @throws SluiceError `UNAUTHENTICATED`
 */
export function credentialsOf(entry: Entry, cookieName: string | undefined): Credentials {
  const { headers } = entry
  const found: Credentials[] = []
  if (headers.authorization !== undefined) found.push(tokenOf(entry, headers.authorization))
  if (headers['x-api-key'] !== undefined) found.push(keyOf(entry, headers['x-api-key']))
  if (cookieName !== undefined && headers.cookie !== undefined) found.push(...cookieOf(headers.cookie, cookieName))
  const ticket = ticketOf(entry)
  if (ticket) found.push(ticket)
  const [one = NONE, other] = found
  if (other) throw refused('The request has two kinds of credentials at once')
  return one
}

/**
 * The ticket of a request, if it has one.
 * @throws SluiceError `UNAUTHENTICATED` for anything but one ticket, and where none is accepted.
 */
export function ticketOf({ method, headers, query }: Entry): (Credentials & { kind: 'ticket' }) | undefined {
  if (!query.has('ticket')) return undefined
  const [ticket = '', other] = query.getAll('ticket')
  if (other !== undefined) throw refused('The request has several tickets')
  if (method !== 'GET') throw refused('A ticket is for a stream that is opened by GET')
  if (query.getAll('token').some(Boolean) || headers['x-graphql-event-stream-token']) {
    throw refused('A ticket is for one operation, and not for a stream of several')
  }
  if (ticket.length > MAX_TICKET_CHARS) throw refused(`The ticket has more than ${MAX_TICKET_CHARS} characters`)
  if (!BASE64URL_PARTS.test(ticket)) throw refused('The ticket is malformed')
  return { kind: 'ticket', ticket }
}

function tokenOf(entry: Entry, header: string): Credentials {
  demandOnce(entry, 'authorization')
  // Before the expression, which would look through all of a long one.
  if (header.length > MAX_TOKEN_CHARS + 'Bearer '.length) throw tooLong('token', MAX_TOKEN_CHARS)
  const [, token] = BEARER.exec(header) ?? []
  if (token === undefined) throw refused('The Authorization header is not "Bearer" with a token')
  return { kind: 'token', token, via: 'header' }
}

function keyOf(entry: Entry, header: string | string[]): Credentials {
  demandOnce(entry, 'x-api-key')
  const key = String(header)
  if (key.length > MAX_KEY_CHARS) throw tooLong('API key', MAX_KEY_CHARS)
  if (!PRINTABLE.test(key)) throw refused('The API key is malformed')
  return { kind: 'key', key }
}

/** Browsers send cookies of one name for different paths and domains, and any site of the domain can set such a one. */
function cookieOf(header: string, name: string): Credentials[] {
  const times = header.split(';').filter((pair) => pair.split('=', 1)[0]?.trim() === name).length
  if (times === 0) return []
  if (times > 1) throw refused('The request has several cookies that hold a token')
  const token = parseCookie(header)[name] ?? ''
  if (token.length > MAX_TOKEN_CHARS) throw tooLong('token', MAX_TOKEN_CHARS)
  if (!BASE64URL_PARTS.test(token)) throw refused('The cookie that holds a token is malformed')
  return [{ kind: 'token', token, via: 'cookie' }]
}

function demandOnce({ rawHeaders }: Entry, name: string): void {
  let times = 0
  for (let i = 0; i < rawHeaders.length; i += 2) if (rawHeaders[i]?.toLowerCase() === name) times++
  if (times > 1) throw refused(`The header ${name} was sent ${times} times`)
}

function tooLong(what: string, chars: number) {
  return refused(`The ${what} has more than ${chars} characters`)
}
