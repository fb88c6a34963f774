import { readFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname, join, normalize } from 'node:path'

/** As strict as the gateway's own: what the page does inline, or asks another host for, fails. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
}

export interface LiveMapSite {
  readonly url: string
  close(): Promise<void>
}

/** The built page in a folder, and at /graphql the gateway at `gateway` (an origin), as one site. */
export async function serveLiveMap(folder: string, gateway: string): Promise<LiveMapSite> {
  const server = createServer((incoming, response) => {
    const path = new URL(incoming.url ?? '/', 'http://site').pathname
    if (path === '/graphql') pass(incoming, response, gateway)
    else void sendFile(folder, path, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

async function sendFile(folder: string, path: string, response: ServerResponse): Promise<void> {
  const file = join(folder, normalize(path === '/' ? '/index.html' : path))
  const body = await readFile(file).catch(() => undefined)
  if (body === undefined) return void response.writeHead(404).end()
  response.writeHead(200, {
    'content-type': TYPES[extname(file)] ?? 'application/octet-stream',
    'content-security-policy': POLICY,
  })
  response.end(body)
}

function pass(incoming: IncomingMessage, response: ServerResponse, gateway: string): void {
  const { method = 'GET', headers, url = '/' } = incoming
  const outgoing = request(new URL(url, gateway), { method, headers }, (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers)
    response.flushHeaders()
    answer.pipe(response)
    // A gateway that is killed breaks its streams; it does not end them.
    answer.on('error', () => response.destroy())
  })
  outgoing.on('error', () => (response.headersSent ? response.destroy() : response.writeHead(502).end()))
  response.on('close', () => outgoing.destroy())
  incoming.pipe(outgoing)
}
