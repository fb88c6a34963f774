import { once } from 'node:events'
import { unlink } from 'node:fs/promises'
import type { Server } from 'node:http'
import { type AddressInfo, connect } from 'node:net'

export type Address = { readonly socket: string } | { readonly host: string; readonly port: number }

/**
 * Starts to listen, and says where: a URL, or the path of the unix socket.
 * @throws Error with one sentence for people, if the address cannot be had.
 */
export async function listen(server: Server, address: Address): Promise<string> {
  if ('socket' in address && (await isStale(address.socket))) await unlink(address.socket)
  server.listen('socket' in address ? { path: address.socket } : { host: address.host, port: address.port })
  try {
    await once(server, 'listening')
  } catch (error) {
    const where = 'socket' in address ? address.socket : `${address.host}:${address.port}`
    const { code, message } = error as NodeJS.ErrnoException
    throw new Error(code === 'EADDRINUSE' ? `Something else listens at ${where} already` : message)
  }
  if ('socket' in address) return address.socket
  const { port } = server.address() as AddressInfo
  return `http://${address.host.includes(':') ? `[${address.host}]` : address.host}:${port}`
}

/** A unix socket outlives a process that was killed; then nobody answers there. */
async function isStale(path: string): Promise<boolean> {
  const socket = connect(path)
  try {
    await once(socket, 'connect')
    return false
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ECONNREFUSED'
  } finally {
    socket.destroy()
  }
}
