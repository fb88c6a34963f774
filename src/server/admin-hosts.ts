import { isIP } from 'node:net'

/**
 * Protection against DNS rebinding. A request is accepted if its `Host` is an IP address, localhost, or one of `names`
 * (in lower case), each with or without a port. A web page may have its own name resolve to this machine, and could
 * read the response through a browser; but the browser sends that name. A request without `Host` is not from a browser.
 */
export function isAdminHost(host: string | undefined, names: ReadonlySet<string>): boolean {
  if (host === undefined || host === '') return true
  const [, v6, other] = /^(?:\[([^\]]*)\]|([^:[\]]*))(?::\d{0,5})?$/.exec(host) ?? []
  if (v6 !== undefined) return isIP(v6) === 6
  if (other === undefined) return false
  if (isIP(other) === 4) return true
  const name = hostName(other)
  return name === 'localhost' || names.has(name)
}

/** Names are case-insensitive, and may end with the DNS root's dot. */
export function hostName(text: string): string {
  return text.toLowerCase().replace(/\.$/, '')
}
