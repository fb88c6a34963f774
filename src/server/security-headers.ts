import { hash } from 'node:crypto'
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

/** Policy of a page with one inline script, which may load workers from blobs, and talk to its own origin only. */
export function pagePolicy(html: string): string {
  const script = html.slice(html.indexOf('<script>') + '<script>'.length, html.lastIndexOf('</script>'))
  return [
    "default-src 'none'",
    `script-src 'sha256-${hash('sha256', script, 'base64')}'`,
    'worker-src blob:',
    "style-src 'unsafe-inline'",
    'font-src data:',
    'img-src data:',
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ')
}
