import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import { onTestFinished } from 'vitest'

export interface CutProxy {
  /** `url` as reached through the proxy. */
  readonly url: string
  /** How many connections it has cut. */
  readonly cuts: () => number
}

/**
 * Stands before a server, and cuts connections after so many bytes of what the server says, HTTP's own included.
 * @param next asked for each connection; Infinity: not cut
 */
export async function startCutProxy(url: string, next: () => number): Promise<CutProxy> {
  const [target, own] = [new URL(url), new URL(url)]
  let cuts = 0
  const server = createServer((client) => {
    const upstream = connect(Number(target.port), target.hostname)
    let left = next()
    const end = () => {
      client.destroy()
      upstream.destroy()
    }
    for (const socket of [client, upstream]) socket.on('error', end).on('close', end)
    onTestFinished(end)
    client.pipe(upstream)
    upstream.on('data', (chunk) => {
      client.write(chunk.subarray(0, left))
      left -= chunk.length
      if (left > 0) return
      cuts++
      upstream.removeAllListeners('data').destroy()
      client.end()
    })
    upstream.on('end', () => client.end())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  own.port = String((server.address() as AddressInfo).port)
  return { url: own.href, cuts: () => cuts }
}
