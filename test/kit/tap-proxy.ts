import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'

export interface TapProxy {
  /** `url` as reached through the proxy. */
  readonly url: string
  /** The requests so far, one a connection: its first line and its headers, as they came. */
  readonly requests: readonly string[]
  /** What was answered to each. */
  readonly answers: readonly string[]
  /** Ends all connections. */
  cut(): void
}

/** Passes connections on, notes what goes over them, and cuts them on demand. */
export async function startTapProxy(url: string): Promise<TapProxy> {
  const [target, own] = [new URL(url), new URL(url)]
  const requests: string[] = []
  const answers: string[] = []
  const sockets = new Set<Socket>()
  const cut = () => {
    for (const socket of sockets) socket.destroy()
  }
  const server = createServer((client) => {
    const upstream = connect(Number(target.port), target.hostname)
    const at = requests.push('') - 1
    answers.push('')
    const end = () => {
      for (const socket of [client, upstream]) socket.destroy()
    }
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on('error', end).on('close', () => {
        sockets.delete(socket)
        end()
      })
    }
    client.on('data', (bytes) => {
      requests[at] += bytes.toString('latin1')
      upstream.write(bytes)
    })
    upstream.on('data', (bytes) => {
      answers[at] += bytes.toString('utf8')
      client.write(bytes)
    })
    upstream.on('end', () => client.end())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  own.port = String((server.address() as AddressInfo).port)
  onTestFinished(() => {
    server.close()
    cut()
  })
  return { url: own.href, requests, answers, cut }
}

/** A header of a request as the proxy noted it. */
export function headerOf(request: string | undefined, name: string): string | undefined {
  return new RegExp(`^${name}: (.*)\r$`, 'im').exec(request ?? '')?.[1]
}
