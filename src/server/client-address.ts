import type { IncomingMessage } from 'node:http'
import { BlockList, isIP, type Socket } from 'node:net'

/** In a list of trusted proxies: whoever connects to the unix socket. */
const UNIX = 'unix'
const GONE = 'gone'
/** Of one's own, one behind the other; what is left of so many entries is not read, since each costs. */
const MAX_PROXIES = 16

/**
 * Who a request comes from. Each proxy on the way appends to `X-Forwarded-For` the address that it was reached from, so
 * the list is read from its right end, and only as far as it was written by proxies that are trusted: what is left of
 * that, any client can make up.
 */
export class ClientAddresses {
  readonly #trusted = new BlockList()
  readonly #isUnixTrusted: boolean

  /** Addresses and CIDR ranges, as the configuration has checked them; `unix` for peers on a unix socket. */
  constructor(trustedProxies: readonly string[]) {
    this.#isUnixTrusted = trustedProxies.includes(UNIX)
    for (const proxy of trustedProxies) {
      if (proxy === UNIX) continue
      const [address = '', prefix] = proxy.split('/')
      const family = isIP(address) === 4 ? 'ipv4' : 'ipv6'
      this.#trusted.addSubnet(address, Number(prefix ?? (family === 'ipv4' ? 32 : 128)), family)
    }
  }

  /** An IP address; or `unix` for a peer on a unix socket of whom nothing more is known, and `gone` for a closed one. */
  of({ socket, headers }: IncomingMessage): string {
    const { remoteAddress, destroyed } = socket
    let client = remoteAddress === undefined ? (destroyed ? GONE : UNIX) : plain(remoteAddress)
    if (!this.#isTrusted(client)) return client
    for (const entry of lastEntries(String(headers['x-forwarded-for'] ?? ''))) {
      const address = plain(withoutPort(entry.trim()))
      // A trusted proxy wrote something else: the proxy itself is the last that is known.
      if (isIP(address) === 0) return client
      client = address
      if (!this.#isTrusted(client)) return client
    }
    return client
  }

  /**
   * The address that a connection counts for, of IPv6 its network of 64 bits, all of which one client has. Undefined for
   * a trusted proxy and on a unix socket: there the clients of all come over the same address.
   */
  ofConnection({ remoteAddress }: Socket): string | undefined {
    if (remoteAddress === undefined) return undefined
    const peer = plain(remoteAddress)
    if (this.#isTrusted(peer)) return undefined
    return isIP(peer) === 6 ? networkOf(peer) : peer
  }

  #isTrusted(client: string): boolean {
    const version = isIP(client)
    if (version === 0) return client === UNIX && this.#isUnixTrusted
    return this.#trusted.check(client, version === 6 ? 'ipv6' : 'ipv4')
  }
}

/** From the right. */
function* lastEntries(list: string): Iterable<string> {
  for (let end = list.length, read = 0; end >= 0 && read < MAX_PROXIES; read++) {
    const comma = end === 0 ? -1 : list.lastIndexOf(',', end - 1)
    yield list.slice(comma + 1, end)
    end = comma
  }
}

/** Some proxies write `192.0.2.1:4711` or `[2001:db8::1]:4711`. */
function withoutPort(entry: string): string {
  return entry.match(/^\[(.+)\](?::\d+)?$/)?.[1] ?? entry.match(/^([^:]+):\d+$/)?.[1] ?? entry
}

/** An IPv4 address on a socket of both kinds looks like one of IPv6. */
function plain(address: string): string {
  const mapped = address.match(/^::ffff:([\d.]+)$/i)?.[1]
  return mapped !== undefined && isIP(mapped) === 4 ? mapped : address
}

/** The first four groups of an IPv6 address as sockets have it: with at most one `::`, for groups of zeros. */
function networkOf(address: string): string {
  const [head = '', tail] = address.split('%', 1)[0]?.split('::') ?? []
  const before = head === '' ? [] : head.split(':')
  const after = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = Array<string>(Math.max(0, 8 - before.length - after.length)).fill('0')
  return `${[...before, ...zeros, ...after].slice(0, 4).join(':')}::/64`
}
