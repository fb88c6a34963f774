import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'
import { SPEED } from './fast-clock.ts'

export interface ControlProxy {
  /** The server as reached through it. */
  readonly url: string
  /** How many requests have come, preflights not counted. */
  readonly requests: () => number
  /** Breaks all connections, by a reset. */
  cut(): void
  /** Requests wait here from now on, until the function that it returns is called. */
  hold(): () => void
}

const REQUEST = /^(?:GET|POST|PUT|DELETE) \S+ HTTP\/1\.1\r$/gm

/**
 * Stands before a server. The `retry:` of its blocks is as much shorter as the clock of the clients is faster, since a
 * browser's own EventSource has no other clock; `hastens` says whether that is wanted.
 */
export async function startControlProxy(url: string, { hastens }: { hastens: boolean }): Promise<ControlProxy> {
  const [target, own] = [new URL(url), new URL(url)]
  const sockets = new Set<Socket>()
  let requests = 0
  let held = Promise.resolve()
  const server = createServer((client) => {
    const upstream = connect(Number(target.port), target.hostname)
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on('error', () => socket.destroy())
      socket.on('close', () => sockets.delete(socket))
    }
    client.on('data', async (chunk) => {
      requests += chunk.toString('latin1').match(REQUEST)?.length ?? 0
      await held
      if (upstream.writable) upstream.write(chunk)
    })
    // What was held is sent before: on a network, requests arrive whose clients have left since.
    client.on('close', async () => {
      await held
      upstream.destroySoon()
    })
    upstream.on('data', (chunk) => void (client.writable && client.write(hastens ? hastened(chunk) : chunk)))
    upstream.on('close', () => client.destroySoon())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  own.port = String((server.address() as AddressInfo).port)
  return {
    url: own.href,
    requests: () => requests,
    cut: () => {
      for (const socket of sockets) socket.resetAndDestroy()
    },
    hold: () => {
      const gate = Promise.withResolvers<void>()
      held = gate.promise
      return gate.resolve
    },
  }
}

/** The line comes whole, since the gateway writes its block at once; and it keeps its length, which a head may name. */
function hastened(chunk: Buffer): Buffer {
  const text = chunk.toString('latin1')
  return Buffer.from(
    text.replace(/^retry: (\d+)$/gm, (_line, ms: string) => {
      const shorter = Math.round(Number(ms) / SPEED)
      return `retry: ${String(shorter).padStart(ms.length, '0')}`
    }),
    'latin1',
  )
}
