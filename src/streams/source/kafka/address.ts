/** Where a broker listens. */
export interface Address {
  readonly host: string
  readonly port: number
}

/** Kafka's default. */
const DEFAULT_PORT = 9092
const ADDRESS = /^(?:\[([0-9a-fA-F:.]+)\]|([^\s:/[\]]+))(?::(\d{1,5}))?$/

/**
 * An address of a list of brokers: `host`, `host:9092`, or an IPv6 address in brackets, `[::1]:9092`. Undefined: it is
 * none.
 */
export function parseAddress(text: string): Address | undefined {
  const [, ipv6, name, port = String(DEFAULT_PORT)] = ADDRESS.exec(text.trim()) ?? []
  const host = ipv6 ?? name
  if (host === undefined || Number(port) === 0 || Number(port) > 65_535) return undefined
  return { host, port: Number(port) }
}

export function textOf({ host, port }: Address): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}
