import type { IncomingMessage } from 'node:http'
import { BlockList, isIP, type Socket } from 'node:net'

/** Stands for the peer of a unix socket in a list of trusted proxies. */
const UNIX = 'unix'
const GONE = 'gone'
/** Limit of the entries that are read, from the right: each costs time. */
const MAX_PROXIES = 16
/** Limit of addresses of which it is remembered whether they are trusted: each is 45 characters at most. */
const MAX_KNOWN = 1_000

/**
 * Client address by trusted proxies. Each proxy appends to `X-Forwarded-For` the address from which it was reached. The
 * list is therefore read from its right end, and only as far as trusted proxies have written it: any client can forge
 * what is left of that.
 */
export class ClientAddresses {
  readonly #trusted = new BlockList()
  readonly #isUnixTrusted: boolean
  readonly #hasTrusted: boolean
  /** What was found of the last addresses: a look into the list takes some 10 µs. */
  readonly #known = new Map<string, boolean>()

  /** IP addresses and CIDR ranges, validated by the configuration; `unix` for peers on a unix socket. */
  constructor(trustedProxies: readonly string[]) {
    this.#isUnixTrusted = trustedProxies.includes(UNIX)
    this.#hasTrusted = trustedProxies.some((proxy) => proxy !== UNIX)
    for (const proxy of trustedProxies) {
      if (proxy === UNIX) continue
      const [address = '', prefix] = proxy.split('/')
      const family = isIP(address) === 4 ? 'ipv4' : 'ipv6'
      this.#trusted.addSubnet(address, Number(prefix ?? (family === 'ipv4' ? 32 : 128)), family)
    }
  }

  /** An IP address; `unix` for an unknown peer on a unix socket, or `gone` for a closed socket. */
  of({ socket, headers }: IncomingMessage): string {
    const { remoteAddress, destroyed } = socket
    let client = remoteAddress === undefined ? (destroyed ? GONE : UNIX) : plain(remoteAddress)
    if (!this.#isTrusted(client)) return client
    for (const entry of lastEntries(String(headers['x-forwarded-for'] ?? ''))) {
      const address = plain(withoutPort(entry.trim()))
      // A trusted proxy wrote no address: the last known one is the proxy's.
      if (isIP(address) === 0) return client
      client = address
      if (!this.#isTrusted(client)) return client
    }
    return client
  }

  /** The address that a request counts for; for IPv6 its /64 network, which one client usually has as a whole. */
  networkOf(request: IncomingMessage): string {
    const client = this.of(request)
    return isIP(client) === 6 ? networkOf(client) : client
  }

  /**
   * The address that a connection counts for; for IPv6 its /64 network, which one client usually has as a whole.
   * Undefined for a trusted proxy and on a unix socket, which all clients share.
   */
  ofConnection({ remoteAddress }: Socket): string | undefined {
    if (remoteAddress === undefined) return undefined
    const peer = plain(remoteAddress)
    if (this.#isTrusted(peer)) return undefined
    return isIP(peer) === 6 ? networkOf(peer) : peer
  }

  #isTrusted(client: string): boolean {
    if (!this.#hasTrusted) return client === UNIX && this.#isUnixTrusted
    const known = this.#known.get(client)
    if (known !== undefined) return known
    const version = isIP(client)
    const isTrusted =
      version === 0
        ? client === UNIX && this.#isUnixTrusted
        : this.#trusted.check(client, version === 6 ? 'ipv6' : 'ipv4')
    if (this.#known.size >= MAX_KNOWN) this.#known.clear()
    this.#known.set(client, isTrusted)
    return isTrusted
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

/** IPv4-mapped IPv6 addresses, on a dual-stack socket. */
function plain(address: string): string {
  const mapped = address.match(/^::ffff:([\d.]+)$/i)?.[1]
  return mapped !== undefined && isIP(mapped) === 4 ? mapped : address
}

/** The first four groups of an IPv6 address in the form of sockets: with at most one `::`, for groups of zeros. */
function networkOf(address: string): string {
  const [head = '', tail] = address.split('%', 1)[0]?.split('::') ?? []
  const before = head === '' ? [] : head.split(':')
  const after = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = Array<string>(Math.max(0, 8 - before.length - after.length)).fill('0')
  return `${[...before, ...zeros, ...after].slice(0, 4).join(':')}::/64`
}
