import type { ServerResponse } from 'node:http'

/** For browsers, on every answer. */
const HEADERS = [
  // JSON and event streams are never taken for a script or a page.
  ['x-content-type-options', 'nosniff'],
  // Tickets and stream tokens are in URLs.
  ['referrer-policy', 'no-referrer'],
  // Pages of other origins cannot load answers as images or scripts, into their process. CORS is another matter.
  ['cross-origin-resource-policy', 'same-origin'],
  // Whatever is shown as a page runs nothing, and is framed nowhere.
  ['content-security-policy', "default-src 'none'; frame-ancestors 'none'"],
  // Answers depend on credentials. Streams have more to say (STREAM_HEADERS).
  ['cache-control', 'no-store'],
] as const

/** Strict-Transport-Security is not among them: whether there is TLS is known to the proxy in front. */
export function setSecurityHeaders(response: ServerResponse): void {
  for (const [name, value] of HEADERS) response.setHeader(name, value)
}

/** Policy of a page whose scripts and styles are files of this origin, and which talks to nobody else. */
function policyOf(styles: string): string {
  return [
    "default-src 'none'",
    "script-src 'self'",
    `style-src ${styles}`,
    "font-src 'self'",
    "img-src 'self' data:",
    "connect-src 'self'",
    "manifest-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ')
}

export const PAGE_POLICY = policyOf("'self'")
/** GraphiQL's dialogs and editors add styles to the document. */
export const GRAPHIQL_POLICY = policyOf("'self' 'unsafe-inline'")
