import { SluiceError } from '../errors/codes.ts'
import type { Entry } from './entry.ts'

/** Headers that no form, image or link can send. From another origin they need a preflight, which CORS answers. */
const CUSTOM_HEADERS = [
  'x-csrf-token',
  'x-xsrf-token',
  'apollo-require-preflight',
  'graphql-preflight',
  'x-requested-with',
]
/** The page is of this origin, or a person has typed the address. `same-site` is another host: it may be another's. */
const OWN_SITES: ReadonlySet<string> = new Set(['same-origin', 'none'])

/**
 * Whether a request was sent by a page that may: for requests whose credentials the browser adds by itself, a cookie's.
 * Any page can cause such a request, a GET in particular, also one that may not read the answer.
 * @param isListed whether an origin is named in `CORS_ORIGINS`; `*` names none.
 * @throws SluiceError `FORBIDDEN`
 */
export function demandOwnPage({ headers }: Pick<Entry, 'headers'>, isListed: (origin: string) => boolean): void {
  const { origin, host } = headers
  // A sandboxed frame, or a redirect from elsewhere: any page can make one.
  if (origin === 'null') throw forged()
  const site = headers['sec-fetch-site']
  if (typeof site === 'string' && OWN_SITES.has(site)) return
  // Browsers of before 2023 do not say so.
  const isOwn = (): boolean => site === undefined && origin !== undefined && hostOf(origin) === host
  if (origin !== undefined && (isListed(origin) || isOwn())) return
  if (CUSTOM_HEADERS.some((name) => headers[name])) return
  throw forged()
}

/** Whether a request has a cookie. Credentials are of one kind: those of such a request are the cookie's. */
export function hasCookie({ headers: { cookie } }: Pick<Entry, 'headers'>, name: string): boolean {
  return cookie?.split(';').some((pair) => pair.split('=', 1)[0]?.trim() === name) ?? false
}

/** Null for what is no origin: it equals no host. */
function hostOf(origin: string): string | null {
  return URL.parse(origin)?.host ?? null
}

function forged(): SluiceError {
  return new SluiceError(
    'FORBIDDEN',
    'A request with a cookie must come from a page of this origin or of CORS_ORIGINS, or have the header X-CSRF-Token',
  )
}
