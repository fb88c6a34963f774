import { once } from 'node:events'
import { unlink } from 'node:fs/promises'
import type { Server } from 'node:http'
import { type AddressInfo, connect, Server as NetServer } from 'node:net'
import { setImmediate as nextTurn } from 'node:timers/promises'

/** Where connections keep coming, it is closed after this long all the same. */
const MAX_ACCEPTING_MS = 1_000
/** An address of this machine answers at once, or refuses. */
const MAX_CONNECTING_MS = 1_000

/** Connects that may wait to be accepted: a storm of clients coming back. The kernel's own limit is 4,096 by default. */
const BACKLOG = 4096

export type Address = { readonly socket: string } | { readonly host: string; readonly port: number }

/**
 * Starts to listen, and says where: a URL, or the path of the unix socket. `failed` is told what goes wrong later: a
 * connection that cannot be accepted, for want of descriptors for example, must not be an exception.
 * @throws Error with one sentence for people, if the address cannot be had.
 */
export async function listen(server: Server, address: Address, failed: (error: Error) => void): Promise<string> {
  if ('socket' in address && (await isStale(address.socket))) await unlink(address.socket)
  const place = 'socket' in address ? { path: address.socket } : { host: address.host, port: address.port }
  server.listen({ ...place, backlog: BACKLOG })
  try {
    await once(server, 'listening')
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    throw code === 'EADDRINUSE' ? taken(address) : new Error(message)
  }
  server.on('error', failed)
  if ('socket' in address) return address.socket
  const { port } = server.address() as AddressInfo
  return `http://${address.host.includes(':') ? `[${address.host}]` : address.host}:${port}`
}

/**
 * For whoever is going to listen there later.
 * @throws Error with one sentence for people, if something else listens there now.
 */
export async function demandFree(address: Address): Promise<void> {
  if ('port' in address && address.port === 0) return
  if ((await refusal(address)) === undefined) throw taken(address)
}

function taken(address: Address): Error {
  const where = 'socket' in address ? address.socket : `${address.host}:${address.port}`
  return new Error(`Something else listens at ${where} already`)
}

/** A unix socket outlives a process that was killed; then nobody answers there. */
async function isStale(path: string): Promise<boolean> {
  return (await refusal({ socket: path })) === 'ECONNREFUSED'
}

/** Why a connect there fails; undefined if it does not. */
async function refusal(address: Address): Promise<string | undefined> {
  const socket = 'socket' in address ? connect(address.socket) : connect(address.port, address.host)
  // An address of another machine, which is no place to listen at, may not answer at all.
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
 * Lets nobody in any more, so that new connects fail at once, and a proxy takes the next instance. `closed` resolves
 * when the last connection has ended.
 *
 * A connection that the kernel has taken and Node has not would be reset, its request with it. On a unix socket there
 * is none: its path goes first, and what has come by then is accepted. On a port it is closed right after all was
 * accepted that had come.
 */
export async function stopListening(server: Server): Promise<{ readonly closed: Promise<void> }> {
  if (!server.listening) return { closed: Promise.resolve() }
  const address = server.address()
  if (typeof address === 'string') await unlink(address).catch(() => {}) // somebody has removed it before
  await untilAccepted(server)
  // net.Server's, since http.Server's would end every connection that has no request, and Node takes streams for such.
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
    // Twice, for the first may come before it looks for connections again.
    await nextTurn()
    await nextTurn()
  }
  server.off('connection', onConnection)
}
