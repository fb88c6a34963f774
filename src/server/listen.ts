import { once } from 'node:events'
import { unlink } from 'node:fs/promises'
import type { Server } from 'node:http'
import { type AddressInfo, connect, Server as NetServer } from 'node:net'
import { setImmediate as nextTurn } from 'node:timers/promises'

/** Longest time of accepting the backlog before a close. */
const MAX_ACCEPTING_MS = 1_000
/** A local address responds or refuses at once. */
const MAX_CONNECTING_MS = 1_000

/** Accept backlog: many clients may reconnect at once. The kernel's limit is 4,096 by default. */
const BACKLOG = 4096

/** What a bind to `::` fails with where there is no IPv6. */
const WITHOUT_IPV6 = ['EAFNOSUPPORT', 'EADDRNOTAVAIL']

export type Address = { readonly socket: string } | { readonly host: string; readonly port: number }

/**
 * Starts to listen, and returns the address: a URL, or the path of the unix socket. `failed` is called for later
 * errors: a failed accept, for lack of descriptors for example, must not be an exception.
 * @throws Error with one sentence for people, if the address is not available.
 */
export async function listen(server: Server, address: Address, failed: (error: Error) => void): Promise<string> {
  if ('socket' in address && (await isStale(address.socket))) await unlink(address.socket)
  try {
    await bind(server, address)
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    throw code === 'EADDRINUSE' ? taken(address) : new Error(message)
  }
  server.on('error', failed)
  if ('socket' in address) return address.socket
  const { port } = server.address() as AddressInfo
  return `http://${address.host.includes(':') ? `[${address.host}]` : address.host}:${port}`
}

/** `::` is every address, IPv4 and IPv6; on a machine whose kernel has no IPv6 it is every address of IPv4. */
async function bind(server: Server, address: Address): Promise<void> {
  const place = 'socket' in address ? { path: address.socket } : { host: address.host, port: address.port }
  server.listen({ ...place, backlog: BACKLOG })
  try {
    await once(server, 'listening')
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException
    if (!('host' in address) || address.host !== '::' || !WITHOUT_IPV6.includes(code)) throw error
    server.listen({ host: '0.0.0.0', port: address.port, backlog: BACKLOG })
    await once(server, 'listening')
  }
}

/**
 * Checks an address before a later `listen`.
 * @throws Error with one sentence for people, if another process listens there.
 */
export async function demandFree(address: Address): Promise<void> {
  if ('port' in address && address.port === 0) return
  if ((await refusal(address)) === undefined) throw taken(address)
}

function taken(address: Address): Error {
  const where = 'socket' in address ? address.socket : `${address.host}:${address.port}`
  return new Error(`Something else listens at ${where} already`)
}

/** A unix socket's path outlives a killed process; a connect then fails. */
async function isStale(path: string): Promise<boolean> {
  return (await refusal({ socket: path })) === 'ECONNREFUSED'
}

/** The error of a connect; undefined if it succeeds. */
async function refusal(address: Address): Promise<string | undefined> {
  const socket = 'socket' in address ? connect(address.socket) : connect(address.port, address.host)
  // An address of another machine, where listening is not possible, may not respond.
  const timer = setTimeout(() => socket.destroy(new Error('No answer')), MAX_CONNECTING_MS)
  try {
    await once(socket, 'connect')
    return undefined
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? 'ETIMEDOUT'
  } finally {
    clearTimeout(timer)
    socket.destroy()
  }
}

/**
 * Stops accepting, so that new connects fail at once, and a proxy takes the next instance. `closed` resolves when the
 * last connection has ended.
 * A connection in the accept backlog would be reset together with its request. A unix socket avoids that: its path is
 * removed first, and the backlog is then accepted. A port is closed right after its backlog has been accepted.
 */
export async function stopListening(server: Server): Promise<{ readonly closed: Promise<void> }> {
  if (!server.listening) return { closed: Promise.resolve() }
  const address = server.address()
  if (typeof address === 'string') await unlink(address).catch(() => {}) // it has been removed before
  await untilAccepted(server)
  // net.Server's: http.Server's would end every connection without a request, and Node takes streams for such.
  return { closed: new Promise((resolve) => NetServer.prototype.close.call(server, () => resolve())) }
}

/** Node accepts one connection in a turn of the event loop (libuv 1.46 and later). */
async function untilAccepted(server: Server): Promise<void> {
  let accepted = true
  const onConnection = (): void => {
    accepted = true
  }
  server.on('connection', onConnection)
  for (const end = performance.now() + MAX_ACCEPTING_MS; accepted && performance.now() < end; ) {
    accepted = false
    // Twice: the first turn may precede the poll for connections.
    await nextTurn()
    await nextTurn()
  }
  server.off('connection', onConnection)
}
