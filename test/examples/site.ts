import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname, join, normalize } from 'node:path'
import type { TestContext } from 'vitest'

const TYPES: Record<string, string> = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css' }

export interface Site {
  readonly url: string
  /** Until `up`, whoever asks for the gateway finds nobody. */
  down(): void
  up(): void
}

/** Serves a built page, and the gateway behind the same origin, whose hints to wait are made short. */
export async function startSite(
  folder: string,
  graphql: string,
  onTestFinished: TestContext['onTestFinished'],
): Promise<Site> {
  let isDown = false
  const passOn = (incoming: IncomingMessage, response: ServerResponse) => {
    const headers = { ...incoming.headers, 'accept-encoding': 'identity' }
    const upstream = request(graphql, { method: incoming.method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers)
      // As long as before, so that no byte moves.
      answer.on('data', (chunk: Buffer) =>
        response.write(
          chunk.toString('latin1').replace(/^retry: \d+/, (line) => line.replaceAll(/\d/g, '0')),
          'latin1',
        ),
      )
      answer.on('end', () => response.end())
    })
    upstream.on('error', () => response.destroy())
    response.on('close', () => upstream.destroy())
    incoming.pipe(upstream)
  }
  const server = createServer(async (incoming, response) => {
    const path = normalize(new URL(incoming.url ?? '/', 'http://site').pathname)
    if (path === '/graphql') {
      if (isDown) incoming.socket.destroy()
      else passOn(incoming, response)
      return
    }
    try {
      const file = path === '/' ? '/index.html' : path
      const bytes = await readFile(join(folder, file))
      response.writeHead(200, { 'content-type': TYPES[extname(file)] ?? 'application/octet-stream' }).end(bytes)
    } catch {
      response.writeHead(404).end()
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    down() {
      isDown = true
    },
    up() {
      isDown = false
    },
  }
}
