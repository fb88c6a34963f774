import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'
import { addressOf } from '../kit/nginx.ts'

export interface Seen {
  readonly method: string
  readonly url: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

export interface StubGateway {
  readonly instance: { readonly name: string; readonly address: string }
  /** Requests that arrived whole. */
  readonly seen: Seen[]
  close(): Promise<void>
}

/** What a stub does with a request; the default is to answer 200 with its name. */
export type Behaviour = (request: IncomingMessage, response: ServerResponse) => void

/** Something that Nginx takes for a gateway, at a port or, if `socket` is given, a unix socket. */
export async function startStub(
  name: string,
  options: { socket?: string; does?: Behaviour } = {},
): Promise<StubGateway> {
  const { socket, does = (_request, response) => void response.end(name) } = options
  const seen: Seen[] = []
  const server = createServer(async (request, response) => {
    let body = ''
    for await (const chunk of request) body += chunk
    seen.push({ method: request.method ?? '', url: request.url ?? '', headers: request.headers, body })
    does(request, response)
  })
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
  onTestFinished(() => (server.listening ? close() : undefined))
  await new Promise<void>((resolve) => {
    if (socket === undefined) server.listen(0, '127.0.0.1', resolve)
    else server.listen(socket, resolve)
  })
  const url = socket ?? `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return { instance: { name, address: addressOf(url) }, seen, close }
}
