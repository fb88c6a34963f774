import { isIP } from 'node:net'

/**
 * Whether an admin page is for this `Host`: an IP address, localhost, or one of `names` (in lower case), each with or
 * without a port. A page of the web can have its own name resolve to this machine (DNS rebinding), and a browser then
 * lets it read what is answered; but the browser sends that name. What sends none is no browser.
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

/** Names are the same in upper case, and with the dot that ends a name of the DNS. */
export function hostName(text: string): string {
  return text.toLowerCase().replace(/\.$/, '')
}
